package dev.contextd.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
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

    // What waits for room, and for each context that is under way, what waits behind it.
    private final ArrayDeque<LaneOperation<?>> waiting = new ArrayDeque<>();
    private final Map<LaneOperation.Key, ArrayDeque<LaneOperation<?>>> busy = new HashMap<>();
    private final List<LaneCall> calls = new ArrayList<>();
    private int waitingCount;
    private long waitingBytes;
    private boolean sweeping;
    private long sweepAt;
    private long sweepTurn;
    private boolean closed;

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
                call = new LaneCall(this, operation);
                busy.put(operation.key, new ArrayDeque<>(0));
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
        ArrayDeque<LaneOperation<?>> behind = busy.get(operation.key);
        (behind != null ? behind : waiting).addLast(operation);
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
        List<LaneOperation<?>> taken = new ArrayList<>(Math.min(waiting.size(), OPERATIONS_MAX));
        long bytes = 0;
        Iterator<LaneOperation<?>> each = waiting.iterator();
        Map<LaneOperation.Key, ArrayDeque<LaneOperation<?>>> own = new HashMap<>();
        while (each.hasNext() && taken.size() < OPERATIONS_MAX) {
            LaneOperation<?> operation = each.next();
            boolean mine = own.containsKey(operation.key);
            if (!operation.isDone() && !mine && busy.containsKey(operation.key)) {
                each.remove();
                busy.get(operation.key).addLast(operation);
                continue;
            }
            boolean first = taken.isEmpty();
            boolean fits =
                    bytes + operation.message.length <= BYTES_MAX
                            && !operation.alone
                            && (first || sameNamespace(taken.get(0), operation));
            if (!operation.isDone() && !first && !fits) {
                break;
            }
            each.remove();
            waitingCount--;
            waitingBytes -= operation.message.length;
            if (operation.isDone()) {
                continue; // Its caller gave up.
            }
            bytes += operation.message.length;
            taken.add(operation);
            own.computeIfAbsent(operation.key, key -> new ArrayDeque<>(0));
            if (!fits) {
                break;
            }
        }
        if (taken.isEmpty()) {
            return null;
        }
        busy.putAll(own);
        LaneCall call = new LaneCall(this, taken);
        calls.add(call);
        return call;
    }

    private static boolean sameNamespace(LaneOperation<?> a, LaneOperation<?> b) {
        return a.key.namespace().equals(b.key.namespace());
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
            ArrayDeque<LaneOperation<?>> behind = busy.remove(operations.get(i).key);
            while (behind != null && !behind.isEmpty()) {
                waiting.addFirst(behind.removeLast());
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
        busy.values().forEach(all::addAll);
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
