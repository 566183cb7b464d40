package dev.contextd.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
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
 *   <li>A call is of one namespace. Those that wait take turns, and so do their contexts.
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

    // The contexts that have operations here; by namespace, in turn, those that wait for room.
    private final Map<LaneOperation.Key, Queue> queues = new HashMap<>();
    private final Map<String, ArrayDeque<Queue>> ready = new LinkedHashMap<>();
    private final List<LaneCall> calls = new ArrayList<>();
    private int waitingCount;
    private long waitingBytes;
    private boolean sweeping;
    private long sweepAt;
    private long sweepTurn;
    private boolean closed;

    /** What waits of one context, in order. Busy: some of it is under way. */
    private static final class Queue {
        final LaneOperation.Key key;
        final ArrayDeque<LaneOperation<?>> waiting = new ArrayDeque<>(2);
        boolean busy;

        Queue(LaneOperation.Key key) {
            this.key = key;
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
                operation.fail(core.closedError());
            } else if (calls.size() < callsInFlight && !queues.containsKey(operation.key)) {
                call = new LaneCall(this); // Nobody waits where there is room.
                call.add(operation);
                queue(operation.key).busy = true;
                calls.add(call);
            } else if (waitingCount >= WAITING_MAX || waitingBytes > WAITING_BYTES_MAX) {
                operation.fail(
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

    private Queue queue(LaneOperation.Key key) {
        return queues.computeIfAbsent(key, Queue::new);
    }

    private void enqueue(LaneOperation<?> operation) {
        Queue context = queue(operation.key);
        if (!context.busy && context.waiting.isEmpty()) {
            makeReady(context);
        }
        context.waiting.addLast(operation);
        waitingCount++;
        waitingBytes += operation.message.length;
        if (!sweeping || operation.deadline - sweepAt < 0) {
            sweepAt(operation.deadline);
        }
    }

    private void makeReady(Queue context) {
        ready.computeIfAbsent(context.key.namespace(), name -> new ArrayDeque<>())
                .addLast(context);
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
        while (call.operations().isEmpty() && !ready.isEmpty()) {
            Iterator<Map.Entry<String, ArrayDeque<Queue>>> turns = ready.entrySet().iterator();
            Map.Entry<String, ArrayDeque<Queue>> turn = turns.next();
            turns.remove();
            ArrayDeque<Queue> contexts = turn.getValue();
            fill(call, contexts);
            if (!contexts.isEmpty()) {
                ready.put(turn.getKey(), contexts); // Behind the others.
            }
        }
        if (call.operations().isEmpty()) {
            return null;
        }
        calls.add(call);
        return call;
    }

    /** Adds what waits of some contexts to a call, until it is full. */
    private void fill(LaneCall call, ArrayDeque<Queue> contexts) {
        while (!contexts.isEmpty()) {
            Queue context = contexts.peekFirst();
            boolean all = take(call, context);
            if (!all && !context.busy) {
                return; // It stays the first.
            }
            contexts.removeFirst();
            if (!context.busy) {
                queues.remove(context.key); // All gave up.
            }
            if (!all) {
                return;
            }
        }
    }

    /** Adds what waits of a context to a call. False: the call is full before all are in it. */
    private boolean take(LaneCall call, Queue context) {
        while (!context.waiting.isEmpty()) {
            LaneOperation<?> operation = context.waiting.peekFirst();
            if (!operation.isDone() && !call.hasRoomFor(operation)) {
                return false;
            }
            left(context.waiting.removeFirst());
            if (!operation.isDone()) { // Else its caller gave up.
                call.add(operation);
                context.busy = true;
            }
        }
        return true;
    }

    private void left(LaneOperation<?> operation) {
        waitingCount--;
        waitingBytes -= operation.message.length;
    }

    /** Sends what waits, as far as there is room. */
    void pump() {
        for (LaneCall call = next(); call != null; call = next()) {
            call.send();
        }
    }

    /** A call is over: its contexts are free, and what it gives back goes before what waits. */
    void finish(LaneCall call, List<LaneOperation<?>> again) {
        synchronized (this) {
            if (!closed) {
                calls.remove(call);
                for (int i = again.size() - 1; i >= 0; i--) {
                    LaneOperation<?> operation = again.get(i);
                    queue(operation.key).waiting.addFirst(operation);
                    waitingCount++;
                    waitingBytes += operation.message.length;
                }
                release(call.operations());
            }
        }
        pump();
    }

    /** Frees the contexts of operations; what waits of them waits for room now. */
    private void release(List<LaneOperation<?>> operations) {
        for (LaneOperation<?> operation : operations) {
            Queue context = queues.get(operation.key);
            if (context == null || !context.busy) {
                continue; // It was freed already: it has several.
            }
            context.busy = false;
            if (context.waiting.isEmpty()) {
                queues.remove(context.key);
            } else {
                makeReady(context);
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
        List<LaneOperation<?>> all = new ArrayList<>();
        queues.values().forEach(context -> all.addAll(context.waiting));
        calls.forEach(call -> all.addAll(call.operations()));
        all.removeIf(LaneOperation::isDone);
        return all;
    }

    void close() {
        List<LaneOperation<?>> all;
        synchronized (this) {
            closed = true;
            all = open();
            queues.clear();
            ready.clear();
        }
        all.forEach(operation -> operation.fail(core.closedError()));
    }
}
