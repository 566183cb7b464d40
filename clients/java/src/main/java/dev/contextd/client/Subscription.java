package dev.contextd.client;

import dev.contextd.client.error.CursorCompactedException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * What happens to contexts and sessions, in order. Made by {@link Client#subscribe}.
 *
 * <p>Making it waits for the server's first message: what happens from then on is told. A cursor
 * that is no longer kept is refused there. It goes on by its cursor when a stream broke, for as
 * long as somebody reads. It fails when nobody answered for the client's timeout, and with
 * {@link CursorCompactedException} where events were missed. Iterating waits for the next event,
 * and ends when the subscription is closed. A thread that was interrupted there may go on later,
 * and misses nothing.
 *
 * <pre>{@code
 * try (Subscription events = client.subscribe(EventQuery.ALL.snapshot())) {
 *     for (Event event : events) {
 *         System.out.println(event.type() + " " + event.cursor());
 *     }
 * }
 * }</pre>
 *
 * <p>Threads: one iterates; any closes, and asks for the cursor.
 */
public final class Subscription implements Iterable<Event>, Iterator<Event>, AutoCloseable {
    private final Source<Event> source;
    private final boolean withPositions;
    private List<Event> lot = List.of();
    private int at;
    private Pending<List<Event>> asked;
    private volatile String cursor;
    private volatile boolean caughtUp;
    private volatile boolean closed;

    Subscription(Target target, EventQuery query) {
        source = new EventSource(target, query);
        withPositions = query.withPositions();
        cursor = query.cursor().isEmpty() ? null : query.cursor();
        try {
            lot = Wait.join(source.next());
        } catch (RuntimeException refused) {
            source.close();
            throw refused;
        }
    }

    /**
     * Takes events until all that had happened when the subscription began was handed out. A
     * second call gives an empty list.
     *
     * @return the events, in order
     */
    public List<Event> untilCaughtUp() {
        List<Event> taken = new ArrayList<>();
        while (!caughtUp && hasMore()) {
            Event next = lot.get(at++);
            passed(next);
            if (withPositions || !next.type().isPosition()) {
                taken.add(next);
            }
        }
        return taken;
    }

    /**
     * The position behind what was handed out.
     *
     * @return the cursor; empty: it is not known yet
     */
    public Optional<String> cursor() {
        return Optional.ofNullable(cursor);
    }

    /**
     * Whether all that had happened when the subscription began was handed out.
     *
     * @return whether what follows is live
     */
    public boolean caughtUp() {
        return caughtUp;
    }

    /** Gives the subscription itself: it can be iterated once. */
    @Override
    public Iterator<Event> iterator() {
        return this;
    }

    /** Waits for an event. False: the subscription was closed. */
    @Override
    public boolean hasNext() {
        while (hasMore()) {
            Event next = lot.get(at);
            if (withPositions || !next.type().isPosition()) {
                return true;
            }
            at++;
            passed(next);
        }
        return false;
    }

    /** Waits for an event or a position. False: the subscription was closed. */
    private boolean hasMore() {
        while (!closed && lot != null && at >= lot.size()) {
            asked = asked == null ? source.next() : asked;
            lot = Wait.joinAgain(asked);
            asked = null;
            at = 0;
        }
        return !closed && lot != null;
    }

    @Override
    public Event next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        Event next = lot.get(at++);
        passed(next);
        return next;
    }

    private void passed(Event event) {
        cursor = event.cursor();
        caughtUp |= event.type() == EventType.CAUGHT_UP;
    }

    /** Ends it. Who waits for an event gets the end. */
    @Override
    public void close() {
        closed = true;
        source.close();
    }
}
