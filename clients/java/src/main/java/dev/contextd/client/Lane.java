package dev.contextd.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sends concurrent operations together: what waits while calls are under way goes as one call.
 *
 * <p>What always holds:
 *
 * <ol>
 *   <li>At most {@code calls} calls are under way. An operation that finds room goes at once.
 *   <li>Operations of one context are under way in one call at most, in the order in which they
 *       were given.
 *   <li>A call is of one namespace: the one that waits longest. They take turns so.
 *   <li>Nothing is sent and nobody is told while the lock is held.
 * </ol>
 *
 * <p>Threads: any.
 */
final class Lane {
    static final int OPERATIONS_MAX = 1000;
    static final int BYTES_MAX = 1 << 20;
    static final int WAITING_MAX = 10_000;
    static final long WAITING_BYTES_MAX = 64L << 20;

    final Core core;
    final LaneKind kind;
    private final int callsInFlight;

    // What waits for room, and the contexts that are under way.
    private final ArrayDeque<LaneOperation<?>> waiting = new ArrayDeque<>();
    private final Map<LaneOperation.Key, Busy> busy = new HashMap<>();
    private final List<LaneCall> calls = new ArrayList<>();
    private int waitingCount;
    private long waitingBytes;
    private boolean sweeping;
    private long sweepAt;
    private long sweepTurn;
    private boolean closed;

    /** A context that is under way in a call, and what waits behind that. */
    private static final class Busy {
        final LaneCall call;
        private ArrayDeque<LaneOperation<?>> behind;

        Busy(LaneCall call) {
            this.call = call;
        }

        void add(LaneOperation<?> operation) {
            if (behind == null) {
                behind = new ArrayDeque<>();
            }
            behind.addLast(operation);
        }

        ArrayDeque<LaneOperation<?>> behind() {
            return behind == null ? new ArrayDeque<>(0) : behind;
        }
    }

    Lane(Core core, LaneKind kind, int callsInFlight) {
        this.core = core;
        this.kind = kind;
        this.callsInFlight = callsInFlight;
    }

    <T> Pending<T> submit(LaneOperation<T> operation) {
        LaneCall call = null;
        synchronized (this) {
            if (closed) {
                operation.completeExceptionally(core.closedError());
            } else if (!busy.containsKey(operation.key) && calls.size() < callsInFlight) {
                call = new LaneCall(this);
                add(call, operation);
                calls.add(call);
            } else if (waitingCount >= WAITING_MAX || waitingBytes > WAITING_BYTES_MAX) {
                operation.completeExceptionally(
                        Failures.overloaded(
                                "more than "
                                        + WAITING_MAX
                                        + " operations or 64 MiB of them wait in this client:"
                                        + " wait for some before giving it more"));
            } else {
                enqueue(operation);
            }
        }
        if (call != null) {
            call.send();
        }
        return operation;
    }

    private void enqueue(LaneOperation<?> operation) {
        Busy context = busy.get(operation.key);
        if (context != null) {
            context.add(operation);
        } else {
            waiting.addLast(operation);
        }
        waitingCount++;
        waitingBytes += operation.message.length;
        if (!sweeping || operation.deadline - sweepAt < 0) {
            sweepAt(operation.deadline);
        }
    }

    /** Looks for those whose time is over at this moment, and no sooner. */
    private void sweepAt(long time) {
        long turn = ++sweepTurn;
        sweeping = true;
        sweepAt = time;
        long delay = Math.max(0, time - System.nanoTime());
        core.timers.after(delay, new Pending<Void>(), () -> sweep(turn));
    }

    /** Takes what goes next, if there is room; its contexts are busy from here on. */
    private synchronized LaneCall next() {
        if (closed || calls.size() >= callsInFlight) {
            return null;
        }
        LaneCall call = new LaneCall(this);
        List<LaneOperation<?>> others = new ArrayList<>(0);
        while (!waiting.isEmpty()) {
            LaneOperation<?> operation = waiting.peekFirst();
            Busy context = busy.get(operation.key);
            if (operation.isDone()) {
                left(waiting.removeFirst()); // Its caller gave up.
            } else if (context != null && context.call != call) {
                context.add(waiting.removeFirst());
            } else if (call.isOfOtherNamespace(operation)) {
                others.add(waiting.removeFirst());
            } else if (call.hasRoomFor(operation)) {
                add(call, left(waiting.removeFirst()));
            } else {
                break;
            }
        }
        for (int i = others.size() - 1; i >= 0; i--) {
            waiting.addFirst(others.get(i));
        }
        if (call.operations().isEmpty()) {
            return null;
        }
        calls.add(call);
        return call;
    }

    private void add(LaneCall call, LaneOperation<?> operation) {
        call.add(operation);
        busy.computeIfAbsent(operation.key, key -> new Busy(call));
    }

    private LaneOperation<?> left(LaneOperation<?> operation) {
        waitingCount--;
        waitingBytes -= operation.message.length;
        return operation;
    }

    /** Sends what waits, as far as there is room. */
    void pump() {
        for (LaneCall call = next(); call != null; call = next()) {
            call.send();
        }
    }

    /** A call is over: its contexts are free, and what it gives back goes first, in order. */
    void finish(LaneCall call, List<LaneOperation<?>> again) {
        synchronized (this) {
            calls.remove(call);
            release(call.operations());
            for (int i = again.size() - 1; i >= 0; i--) {
                waiting.addFirst(again.get(i));
                waitingCount++;
                waitingBytes += again.get(i).message.length;
            }
        }
        pump();
    }

    /** Frees contexts; what waited behind them is older than what waits for room. */
    private void release(List<LaneOperation<?>> operations) {
        for (int i = operations.size() - 1; i >= 0; i--) {
            Busy context = busy.remove(operations.get(i).key);
            if (context != null) {
                context.behind().descendingIterator().forEachRemaining(waiting::addFirst);
            }
        }
    }

    /** Tells those whose time is over, unless another look was arranged meanwhile. */
    private void sweep(long turn) {
        List<LaneOperation<?>> late = new ArrayList<>();
        synchronized (this) {
            if (closed || turn != sweepTurn) {
                return;
            }
            List<LaneOperation<?>> open = open();
            long now = System.nanoTime();
            long next = Long.MAX_VALUE;
            for (LaneOperation<?> operation : open) {
                long left = operation.deadline - now;
                if (left <= 0) {
                    late.add(operation);
                } else {
                    next = Math.min(next, left);
                }
            }
            sweeping = late.size() < open.size();
            if (sweeping) {
                sweepAt(now + next);
            }
        }
        late.forEach(LaneCall::tellLate);
    }

    /** All operations that have no result yet. */
    private List<LaneOperation<?>> open() {
        List<LaneOperation<?>> all = new ArrayList<>(waiting);
        busy.values().forEach(context -> all.addAll(context.behind()));
        calls.forEach(call -> all.addAll(call.operations()));
        all.removeIf(LaneOperation::isDone);
        return all;
    }

    void close() {
        List<LaneOperation<?>> all;
        synchronized (this) {
            closed = true;
            all = open();
            waiting.clear();
            busy.clear();
        }
        all.forEach(operation -> operation.completeExceptionally(core.closedError()));
    }
}
