package dev.contextd.client.conformance;

import dev.contextd.client.ActiveContext;
import dev.contextd.client.NewContext;
import dev.contextd.client.NewSession;
import dev.contextd.client.Patience;
import dev.contextd.client.Session;
import dev.contextd.client.SessionInfo;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** Operations on sessions, activations and resources. */
final class SessionOperations {
    static final Map<String, Function<Call, Object>> ALL =
            Map.of(
                    "start_session", SessionOperations::start,
                    "end_session", SessionOperations::end,
                    "session_info", SessionOperations::info,
                    "list_sessions", SessionOperations::list,
                    "wait_lost", SessionOperations::waitLost,
                    "activate", SessionOperations::activate,
                    "switch", SessionOperations::switchTo,
                    "deactivate", SessionOperations::deactivate,
                    "acquire", SessionOperations::acquire,
                    "release", SessionOperations::release);

    private SessionOperations() {}

    private static Object start(Call call) {
        var client = call.client();
        Arguments words = call.words();
        String name = words.text("as");
        CompletableFuture<Object> lost = new CompletableFuture<>();
        Duration ttl = words.has("ttl") ? words.seconds("ttl") : NewSession.PLAIN.ttl();
        Optional<NewContext> begin =
                Optional.ofNullable(words.take("create_if_missing"))
                        .map(tree -> new Arguments(tree).newContext());
        Session session =
                client.session(
                        new NewSession(
                                words.text("owner"),
                                ttl,
                                words.labels("metadata"),
                                words.text("default_context_id"),
                                begin,
                                (int) words.number("max_active_contexts"),
                                words.flag("recovery_point_on_loss"),
                                lost::complete));
        call.begun().losses.put(name, lost);
        call.begun().sessions.put(name, session);
        return Map.of("session_id", session.id());
    }

    private static Object end(Call call) {
        if (call.words().has("session")) {
            call.session().close();
        } else {
            call.client().endSession(call.words().text("session_id"));
        }
        return Map.of();
    }

    private static Object info(Call call) {
        SessionInfo found =
                call.words().has("session")
                        ? call.session().info()
                        : call.client().sessionInfo(call.words().text("session_id"));
        return Results.tree(found);
    }

    private static Object list(Call call) {
        call.words().take("page_size"); // The client chooses it.
        return Results.list("sessions", call.client().sessions(call.words().text("owner")));
    }

    private static Object waitLost(Call call) {
        String name = call.words().text("session");
        try {
            Begun.named(call.begun().losses, name).get(Patience.SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException late) {
            // Then it is not lost.
        } catch (InterruptedException | java.util.concurrent.ExecutionException failed) {
            throw new IllegalStateException(failed);
        }
        return Map.of("lost", Begun.named(call.begun().sessions, name).isLost());
    }

    private static Object activate(Call call) {
        Arguments words = call.words();
        ActiveContext active =
                call.session()
                        .activate(
                                words.text("context"),
                                words.flag("exclusive"),
                                words.flag("takeover"),
                                words.flag("guard"));
        call.begun().activations.put(words.text("as"), active);
        return Map.of("fence", active.fence());
    }

    private static Object switchTo(Call call) {
        call.session().switchTo(call.words().text("context"));
        return Map.of();
    }

    private static Object deactivate(Call call) {
        Begun.named(call.begun().activations, call.words().text("activation")).deactivate();
        return Map.of();
    }

    private static Object acquire(Call call) {
        Arguments words = call.words();
        String name = words.text("name");
        String type = words.text("type");
        Map<String, String> metadata = words.labels("metadata");
        if (words.has("activation")) {
            ActiveContext active =
                    Begun.named(call.begun().activations, words.text("activation"));
            return Results.tree(active.acquire(name, type, metadata).resource());
        }
        String context = words.text("context");
        return Results.tree(call.session().acquire(context, name, type, metadata).resource());
    }

    private static Object release(Call call) {
        call.session().release(call.words().text("context"), call.words().text("name"));
        return Map.of();
    }
}
