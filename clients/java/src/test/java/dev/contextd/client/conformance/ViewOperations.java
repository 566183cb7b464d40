package dev.contextd.client.conformance;

import dev.contextd.client.EventQuery;
import dev.contextd.client.Patience;
import dev.contextd.client.Snapshot;
import dev.contextd.client.View;
import dev.contextd.client.error.ContextdException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** Operations on views. */
final class ViewOperations {
    static final Map<String, Function<Call, Object>> ALL =
            Map.of(
                    "view", ViewOperations::begin,
                    "view_until", ViewOperations::until,
                    "view_contexts", ViewOperations::contexts);

    private static final long LOOK_MILLIS = 20;

    private ViewOperations() {}

    private static Object begin(Call call) {
        Arguments words = call.words();
        EventQuery query =
                EventQuery.ALL
                        .contexts(words.texts("context_ids"))
                        .idPrefix(words.text("id_prefix"))
                        .type(words.text("type"))
                        .metadata(words.labels("metadata"))
                        .keyPrefix(words.text("key_prefix"));
        View view = call.client().view(query);
        call.begun().views.put(words.text("as"), view);
        try {
            view.ready().get(Patience.SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof ContextdException cause) {
                throw cause;
            }
            throw new IllegalStateException(failed.getCause());
        } catch (TimeoutException late) {
            throw new Mismatch("the view did not become ready");
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
        return Map.of();
    }

    private static View named(Call call) {
        return Begun.named(call.begun().views, call.words().text("view"));
    }

    private static Object until(Call call) {
        View view = named(call);
        Arguments words = call.words();
        String context = words.text("context");
        long version = words.number("version");
        boolean gone = words.flag("gone");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Patience.SECONDS);
        while (System.nanoTime() - end < 0 && !view.ended().isDone()) {
            Optional<Snapshot> found = view.get(context);
            if (gone && found.isEmpty()) {
                return Map.of();
            }
            if (!gone && found.isPresent() && found.get().version() >= version) {
                return Results.tree(found.get());
            }
            try {
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        }
        throw new Mismatch("the view did not get there, but holds " + view.ids());
    }

    private static Object contexts(Call call) {
        return Map.of("contexts", named(call).ids().stream().sorted().toList());
    }
}
