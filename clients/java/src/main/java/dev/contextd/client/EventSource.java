package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import dev.contextd.v1.Event.Builder;
import dev.contextd.v1.SubscribeRequest;
import dev.contextd.v1.SubscribeResponse;
import dev.contextd.v1.TrackerGrpc;
import java.util.ArrayList;
import java.util.List;

/**
 * The events of one subscription: whole and in order, nothing twice and nothing left out, over as
 * many streams as it takes. A stream that told something, and then nothing for too long, is given
 * up, and followed by another.
 */
final class EventSource
        extends StreamSource<SubscribeRequest, SubscribeResponse, dev.contextd.client.Event> {
    // A server that lives says something in each interval; it may miss some, and be late besides.
    private static final int SILENT_INTERVALS = 3;
    private static final long GRACE_NANOS = 5_000_000_000L;
    private static final int LOOKS = 4;

    private final SubscribeRequest request;
    private final long patienceNanos;
    private String resume;
    private Builder parts;
    private volatile long waitsSince = System.nanoTime();
    private boolean watched;
    private boolean over;
    private Runnable unwatch = () -> {};

    EventSource(Target target, EventQuery query) {
        super(target.core(), TrackerGrpc.getSubscribeMethod(), target.timeoutNanos());
        SubscribeRequest.Builder made =
                SubscribeRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .addAllContextIds(query.contextIds())
                        .setIdPrefix(query.idPrefix())
                        .setType(query.type())
                        .putAllMetadata(query.metadata())
                        .setKeyPrefix(query.keyPrefix())
                        .setWithoutValues(query.withoutValues())
                        .setProgressInterval(Requests.length(query.progressInterval()));
        query.types().forEach(type -> made.addEventTypes(type.message()));
        switch (query.begin()) {
            case CURSOR -> resume = query.cursor();
            case OLDEST -> made.setFromOldest(true);
            case SNAPSHOT -> made.setWithSnapshot(true);
            case NOW -> {}
        }
        request = made.build();
        patienceNanos = SILENT_INTERVALS * query.progressInterval().toNanos() + GRACE_NANOS;
    }

    @Override
    SubscribeRequest request() {
        return resume == null ? request : request.toBuilder().setCursor(resume).build();
    }

    @Override
    int patience() {
        return 0;
    }

    @Override
    boolean endsByItself() {
        return false;
    }

    @Override
    public Pending<List<Event>> next() {
        waitsSince = System.nanoTime();
        if (!watched) {
            watched = true;
            watch();
        }
        return super.next();
    }

    private synchronized void watch() {
        if (!over) {
            unwatch = core.timers.after(patienceNanos / LOOKS, new Pending<Void>(), this::look);
        }
    }

    private void look() {
        if (awaited() && System.nanoTime() - waitsSince > patienceNanos) {
            waitsSince = System.nanoTime();
            breakOff("nothing came for too long");
        }
        watch();
    }

    @Override
    public void close() {
        synchronized (this) {
            over = true;
            unwatch.run();
        }
        super.close();
    }

    @Override
    void broke(ContextdException error) {
        parts = null;
        Log.LOGGER.log(
                System.Logger.Level.INFO, () -> "a subscription broke, and goes on: " + error);
    }

    @Override
    List<Event> accept(SubscribeResponse message) {
        progressed();
        List<Event> found = new ArrayList<>(message.getEvents().getEventsCount() + 1);
        for (dev.contextd.v1.Event event : message.getEvents().getEventsList()) {
            join(found, event);
        }
        switch (message.getKindCase()) {
            case CAUGHT_UP ->
                    position(found, EventType.CAUGHT_UP, message.getCaughtUp().getCursor());
            case PROGRESS -> position(found, EventType.PROGRESS, message.getProgress().getCursor());
            case EVENTS -> {}
            case KIND_NOT_SET -> throw Failures.newerServer("a message of another kind");
        }
        return found;
    }

    /** Adds a part to those before it; the last one makes the event whole. */
    private void join(List<Event> found, dev.contextd.v1.Event event) {
        if (parts == null && !event.getMore()) {
            resume = event.getCursor();
            found.add(Event.of(event));
            return;
        }
        if (parts == null) {
            parts = event.toBuilder();
        } else {
            parts.mergeFrom(event); // Lists are joined, and the cursor is that of the newest part.
        }
        if (!event.getMore()) {
            resume = event.getCursor();
            found.add(Event.of(parts.build()));
            parts = null;
        }
    }

    private void position(List<Event> found, EventType type, String cursor) {
        if (parts == null) { // Behind the first part of an event would be a gap.
            resume = cursor;
            found.add(Event.position(type, request.getNamespace(), cursor));
        }
    }
}
