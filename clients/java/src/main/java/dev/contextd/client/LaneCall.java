package dev.contextd.client;

import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import dev.contextd.client.error.ContextdException;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;

/** Operations that are under way together. */
final class LaneCall {
    // The outcome of what goes again.
    private static final Message AGAIN = Empty.getDefaultInstance();

    private final Lane lane;
    private final List<LaneOperation<?>> operations = new ArrayList<>();
    private long bytes;

    // Those that have no answer yet, and those that are to be asked by themselves afterwards.
    private List<LaneOperation<?>> open = operations;
    private final List<LaneOperation<?>> alone = new ArrayList<>(0);
    private volatile UnaryCall<?, ?, Object> sent;
    private int refusals;

    LaneCall(Lane lane) {
        this.lane = lane;
    }

    List<LaneOperation<?>> operations() {
        return operations;
    }

    /** Whether an operation may go with these; the first one always may. */
    boolean hasRoomFor(LaneOperation<?> operation) {
        return operations.isEmpty()
                || operations.size() < Lane.OPERATIONS_MAX
                        && bytes + operation.message.length <= Lane.BYTES_MAX
                        && !operation.alone
                        && !operations.get(0).alone;
    }

    /** Takes an operation, before it is sent. */
    void add(LaneOperation<?> operation) {
        operations.add(operation);
        bytes += operation.message.length;
        operation.call = this;
    }

    /** Tells one whose time is over what is known: nobody answered, or nothing. */
    static void tellLate(LaneOperation<?> operation) {
        LaneCall call = operation.call;
        UnaryCall<?, ?, Object> sent = call == null ? null : call.sent;
        ContextdException last = sent == null ? null : sent.lastError();
        operation.completeExceptionally(
                last == null
                        ? Failures.late(operation.requestId)
                        : Failures.withRequestId(last, operation.requestId));
    }

    void send() {
        LaneOperation<?> first = open.get(0);
        if (open.size() == 1) {
            Pending<Object> call = start(first.method, first.message, first.deadline);
            call.whenComplete((response, error) -> over(response, error));
            return;
        }
        long deadline = first.deadline;
        for (LaneOperation<?> operation : open) {
            if (operation.deadline - deadline > 0) {
                deadline = operation.deadline;
            }
        }
        start(lane.kind.batch(), LaneKind.encode(open), deadline)
                .whenComplete((response, error) -> batchOver(response, error));
    }

    private <R> Pending<Object> start(
            MethodDescriptor<byte[], R> method, byte[] message, long deadline) {
        String id = open.size() == 1 ? open.get(0).requestId : "";
        Function<R, Object> same = response -> response;
        UnaryCall<byte[], R, Object> call =
                new UnaryCall<>(lane.core, method, message, same, deadline, id);
        sent = call;
        call.attempt();
        return call;
    }

    private void over(Object response, Throwable error) {
        LaneOperation<?> operation = open.get(0);
        lane.finish(this, alone);
        if (error != null) {
            operation.completeExceptionally(Pending.unwrap(error));
        } else {
            operation.answer(response);
        }
    }

    private void batchOver(Object response, Throwable thrown) {
        if (thrown != null) {
            wholeFailed(Pending.unwrap(thrown));
            return;
        }
        List<? extends Message> results = lane.kind.results().apply(response);
        if (results.size() != open.size()) {
            ContextdException error = Failures.newerServer("another number of results than asked");
            allFailed(error);
            return;
        }
        List<LaneOperation<?>> answered = open;
        List<Message> outcomes = new ArrayList<>(results.size());
        results.forEach(result -> outcomes.add(LaneKind.outcome(result)));
        long delay = delayOf(outcomes);
        long again = System.nanoTime() + delay;
        open = new ArrayList<>(0);
        for (int i = 0; i < outcomes.size(); i++) {
            divide(answered.get(i), outcomes, i, again);
        }
        tell(answered, outcomes);
        if (open.isEmpty()) {
            lane.finish(this, alone);
        } else {
            refusals++;
            lane.core.timers.after(delay, new Pending<Void>(), this::send);
        }
    }

    /** How long the server asks to wait with what it was too busy for. 0: it was not. */
    private long delayOf(List<Message> outcomes) {
        long delay = 0;
        for (Message outcome : outcomes) {
            if (LaneKind.isOverloaded(outcome)) {
                var failure = (dev.contextd.v1.Failure) outcome;
                delay = Math.max(delay, delay(Failures.of(failure, "")));
            }
        }
        return delay;
    }

    private long delay(ContextdException error) {
        double random = ThreadLocalRandom.current().nextDouble();
        return error.retryDelay()
                .map(asked -> (long) (asked.toNanos() * (1 + random / 2)))
                .orElse(lane.core.retry.delayNanos(refusals, random));
    }

    /** Keeps an operation that goes again; its outcome is told to nobody. */
    private void divide(
            LaneOperation<?> operation, List<Message> outcomes, int place, long again) {
        Message outcome = outcomes.get(place);
        if (LaneKind.hadNoRoom(outcome)) {
            operation.alone = true;
            alone.add(operation);
            outcomes.set(place, AGAIN);
        } else if (LaneKind.isOverloaded(outcome) && operation.deadline - again > 0) {
            if (!operation.isDone()) {
                open.add(operation);
            }
            outcomes.set(place, AGAIN);
        }
    }

    /** Tells each its own. What their callers begin now may go with the next call. */
    private static void tell(List<LaneOperation<?>> answered, List<Message> outcomes) {
        for (int i = 0; i < outcomes.size(); i++) {
            LaneOperation<?> operation = answered.get(i);
            Message outcome = outcomes.get(i);
            if (outcome == null) {
                operation.fail(Failures.newerServer("a result of another kind"));
            } else if (outcome instanceof dev.contextd.v1.Failure failure) {
                operation.completeExceptionally(Failures.of(failure, operation.requestId));
            } else if (outcome != AGAIN) {
                operation.answer(outcome);
            }
        }
    }

    private void wholeFailed(Throwable error) {
        boolean known = error instanceof ContextdException;
        if (!known || lane.core.closed() || isOver((ContextdException) error)) {
            allFailed(error);
            return;
        }
        // One's fault is not another's: each goes by itself.
        open.forEach(operation -> operation.alone = true);
        alone.addAll(open);
        lane.finish(this, alone);
    }

    private static boolean isOver(ContextdException error) {
        return Attempts.mayHelp(error)
                || error.code() == Status.Code.UNAVAILABLE
                || error.code() == Status.Code.DEADLINE_EXCEEDED;
    }

    private void allFailed(Throwable error) {
        List<LaneOperation<?>> failed = open;
        lane.finish(this, alone);
        for (LaneOperation<?> operation : failed) {
            operation.completeExceptionally(
                    error instanceof ContextdException known
                            ? Failures.withRequestId(known, operation.requestId)
                            : error);
        }
    }
}
