package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.UnavailableException;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * One call: its attempts, the same message each time, and what is read out of its answer.
 *
 * <p>Threads: it is completed by the network's thread, or by the timer's.
 */
final class UnaryCall<Q, R, T> extends Pending<T> {
    private final Core core;
    private final MethodDescriptor<Q, R> method;
    private final Q request;
    private final Function<R, T> read;
    private final Attempts attempts;
    private final String requestId;
    private volatile ClientCall<Q, R> current;
    private volatile ContextdException lastError;
    private int sent;

    UnaryCall(
            Core core,
            MethodDescriptor<Q, R> method,
            Q request,
            Function<R, T> read,
            long deadline,
            String requestId) {
        this.core = core;
        this.method = method;
        this.request = request;
        this.read = read;
        this.requestId = requestId;
        attempts = new Attempts(core.retry, deadline);
    }

    /** What the last attempt failed with, or {@code null}. */
    ContextdException lastError() {
        return lastError;
    }

    void attempt() {
        if (core.closed()) {
            fail(core.closedError());
            return;
        }
        CallOptions options =
                CallOptions.DEFAULT.withDeadlineAfter(attempts.remaining(), TimeUnit.NANOSECONDS);
        sent++;
        try {
            Metadata headers = core.headers();
            ClientCall<Q, R> call = core.channel.newCall(method, options);
            current = call;
            call.start(new Listener(), headers);
            call.request(2); // One answer, and its end.
            call.sendMessage(request);
            call.halfClose();
            if (isDone()) {
                call.cancel("the caller gave up", null);
            }
        } catch (RuntimeException thrown) {
            if (!isDone()) {
                report(thrown instanceof ContextdException known ? known : null);
                completeExceptionally(thrown);
            }
        }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        ClientCall<Q, R> call = current;
        if (cancelled && call != null) {
            call.cancel("the caller gave up", null);
        }
        return cancelled;
    }

    private void failed(ContextdException error) {
        if (isDone()) {
            return;
        }
        if (core.closed()) {
            fail(core.closedError());
            return;
        }
        ContextdException before = lastError;
        if (before instanceof UnavailableException && Failures.neverLeft(error)) {
            error = before; // Nobody was there to be late.
        }
        lastError = error;
        long delay = attempts.delayAfter(error);
        if (delay < 0) {
            fail(Failures.givenUp(error, core.address, attempts, requestId));
            return;
        }
        core.timers.after(delay, this, this::again);
    }

    private void again() {
        if (isDone()) {
            return;
        }
        if (attempts.remaining() == 0) { // The timer was late: what is known is the failure.
            fail(Failures.givenUp(lastError, core.address, attempts, requestId));
        } else {
            core.managed.resetConnectBackoff();
            attempt();
        }
    }

    private void fail(ContextdException error) {
        ContextdException told = Failures.ofWrite(error, requestId);
        report(told);
        completeExceptionally(told);
    }

    private void report(ContextdException error) {
        if (core.reports()) {
            Duration duration = Duration.ofNanos((long) (attempts.seconds() * 1e9));
            core.report(
                    new CallReport(
                            method.getFullMethodName(),
                            duration,
                            sent,
                            Optional.ofNullable(error)));
        }
    }

    private final class Listener extends ClientCall.Listener<R> {
        private R answer;

        @Override
        public void onMessage(R message) {
            answer = message;
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            if (!status.isOk()) {
                failed(Failures.of(status, trailers));
            } else if (answer == null) {
                failed(Failures.of(Status.UNIMPLEMENTED.withDescription("no answer"), null));
            } else {
                succeed(answer);
            }
        }
    }

    private void succeed(R answer) {
        T value;
        try {
            value = read.apply(answer);
        } catch (ContextdException refused) {
            fail(refused);
            return;
        } catch (RuntimeException | Error thrown) {
            report(null);
            completeExceptionally(thrown);
            return;
        }
        report(null);
        complete(value);
    }
}
