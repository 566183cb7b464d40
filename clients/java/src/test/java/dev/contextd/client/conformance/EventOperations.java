package dev.contextd.client.conformance;

import dev.contextd.client.Event;
import dev.contextd.client.EventQuery;
import dev.contextd.client.EventType;
import dev.contextd.client.Patience;
import dev.contextd.client.Subscription;
import dev.contextd.client.error.CursorCompactedException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Operations on subscriptions. */
final class EventOperations {
    static final Map<String, Function<Call, Object>> ALL =
            Map.of(
                    "subscribe", EventOperations::subscribe,
                    "next_events", EventOperations::next,
                    "events_until_caught_up", EventOperations::untilCaughtUp,
                    "wait_compacted", EventOperations::waitCompacted,
                    "close_subscription", EventOperations::close);

    private static final long LOOK_MILLIS = 50;

    private EventOperations() {}

    private static EventQuery query(Arguments words) {
        EventQuery query =
                EventQuery.ALL
                        .contexts(words.texts("context_ids"))
                        .idPrefix(words.text("id_prefix"))
                        .type(words.text("type"))
                        .metadata(words.labels("metadata"))
                        .types(
                                words.texts("event_types").stream()
                                        .map(name -> name.toUpperCase(Locale.ROOT))
                                        .map(EventType::valueOf)
                                        .collect(Collectors.toSet()))
                        .keyPrefix(words.text("key_prefix"));
        query = words.has("cursor") ? query.after(words.text("cursor")) : query;
        query = words.flag("from_oldest") ? query.fromOldest() : query;
        query = words.flag("snapshot") ? query.snapshot() : query;
        query = words.flag("without_values") ? query.keysOnly() : query;
        return words.flag("progress") ? query.positions() : query;
    }

    private static Object subscribe(Call call) {
        String name = call.words().text("as");
        EventQuery query = query(call.words());
        call.begun().subscribed(name, call.client().subscribe(query));
        return Map.of();
    }

    private static Subscription named(Call call) {
        return Begun.named(call.begun().subscriptions, call.words().text("subscription"));
    }

    private static Object next(Call call) {
        Subscription subscription = named(call);
        long count = call.words().number("count");
        // The end of a subscription that waits too long.
        var patience =
                CompletableFuture.runAsync(
                        subscription::close,
                        CompletableFuture.delayedExecutor(
                                Patience.SECONDS, TimeUnit.SECONDS));
        List<Event> events = new ArrayList<>();
        while (events.size() < count && subscription.hasNext()) {
            events.add(subscription.next());
        }
        patience.cancel(false);
        if (events.size() < count) {
            throw new Mismatch(events.size() + " events came, and no more");
        }
        return Results.list("events", events);
    }

    private static Object untilCaughtUp(Call call) {
        Subscription subscription = named(call);
        Map<String, Object> made =
                new LinkedHashMap<>(Results.list("events", subscription.untilCaughtUp()));
        made.put("cursor", Results.tree(subscription.cursor()));
        return made;
    }

    private static Object waitCompacted(Call call) {
        EventQuery query = EventQuery.ALL.after(call.words().text("cursor"));
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Patience.SECONDS);
        while (System.nanoTime() - end < 0) {
            try (Subscription again = call.client().subscribe(query)) {
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            } catch (CursorCompactedException compacted) {
                return Map.of("compacted", true);
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        }
        return Map.of("compacted", false);
    }

    private static Object close(Call call) {
        named(call).close();
        return Map.of();
    }
}
