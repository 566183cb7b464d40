package dev.contextd.client;

import com.google.protobuf.Message;
import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.OverloadedException;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;

/** Operations that are under way together. */
final class LaneCall {
    private final Lane lane;
    private final List<LaneOperation<?>> operations;
    private List<LaneOperation<?>> open;
    private volatile UnaryCall<?, ?, Object> sent;
    private int refusals;

    LaneCall(Lane lane, LaneOperation<?> operation) {
        this(lane, List.of(operation));
    }

    LaneCall(Lane lane, List<LaneOperation<?>> operations) {
        this.lane = lane;
        this.operations = operations;
        open = operations;
        operations.forEach(operation -> operation.call = this);
    }

    List<LaneOperation<?>> operations() {
        return operations;
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
        lane.finish(this, List.of());
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
        List<LaneOperation<?>> refused = new ArrayList<>(0);
        List<Message> outcomes = new ArrayList<>(open.size());
        long delay = 0;
        for (int i = 0; i < open.size(); i++) {
            Message outcome = LaneKind.outcome(results.get(i));
            outcomes.add(outcome);
            if (outcome instanceof dev.contextd.v1.Failure failure
                    && Failures.of(failure, "") instanceof OverloadedException overloaded) {
                refused.add(open.get(i));
                delay = Math.max(delay, delay(overloaded));
            }
        }
        List<LaneOperation<?>> answered = open;
        if (refused.isEmpty()) {
            lane.finish(this, List.of()); // The next call goes out before anybody is told.
            tell(answered, outcomes, Long.MAX_VALUE);
            return;
        }
        refusals++;
        long again = System.nanoTime() + delay;
        refused.removeIf(operation -> operation.deadline - again <= 0 || operation.isDone());
        open = refused;
        tell(answered, outcomes, again);
        if (refused.isEmpty()) {
            lane.finish(this, List.of());
        } else {
            Pending<Object> owner = new Pending<>();
            lane.core.timers.after(delay, owner, this::send);
        }
    }

    private long delay(OverloadedException error) {
        double random = ThreadLocalRandom.current().nextDouble();
        return error.retryDelay()
                .map(asked -> (long) (asked.toNanos() * (1 + random / 2)))
                .orElse(lane.core.retry.delayNanos(refusals, random));
    }

    /** Tells each its own; those that were overloaded and go again at a time hear nothing yet. */
    private void tell(List<LaneOperation<?>> answered, List<Message> outcomes, long again) {
        for (int i = 0; i < answered.size(); i++) {
            LaneOperation<?> operation = answered.get(i);
            Message outcome = outcomes.get(i);
            if (outcome == null) {
                operation.completeExceptionally(Failures.newerServer("a result of another kind"));
            } else if (!(outcome instanceof dev.contextd.v1.Failure failure)) {
                operation.answer(outcome);
            } else if (again == Long.MAX_VALUE || !open.contains(operation)) {
                operation.completeExceptionally(Failures.of(failure, operation.requestId));
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
        lane.finish(this, List.copyOf(open));
    }

    private static boolean isOver(ContextdException error) {
        return Attempts.mayHelp(error)
                || error.code() == Status.Code.UNAVAILABLE
                || error.code() == Status.Code.DEADLINE_EXCEEDED;
    }

    private void allFailed(Throwable error) {
        List<LaneOperation<?>> failed = open;
        lane.finish(this, List.of());
        for (LaneOperation<?> operation : failed) {
            operation.completeExceptionally(
                    error instanceof ContextdException known
                            ? Failures.withRequestId(known, operation.requestId)
                            : error);
        }
    }
}
