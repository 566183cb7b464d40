package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.DeadlineExceededException;
import dev.contextd.client.error.Failure;
import dev.contextd.client.error.StreamStalledException;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What comes as a stream, over as many streams as it takes.
 *
 * <p>What always holds: a stream that breaks is followed by one that begins where {@link
 * #request} says, which goes by what {@link #accept} took. A stream that brought something begins
 * the time and the delays anew.
 */
abstract class StreamSource<Q, R, T> implements Source<T> {
    private static final int AHEAD = 4; // Messages that may have come and were not taken.

    /** What came: a message, or the end of a stream. */
    private record Arrival<R>(R message, Status status, Metadata trailers) {}

    final Core core;
    private final MethodDescriptor<Q, R> method;
    private final long timeoutNanos;
    private final ArrayDeque<Arrival<R>> arrived = new ArrayDeque<>();
    private Attempts attempts;
    private boolean progressed;
    private Pending<Arrival<R>> waiter;
    private ClientCall<Q, R> call;
    private boolean told; // The stream that is open brought a message.
    private Runnable stopWaiting = () -> {};
    private boolean closed;
    private boolean clientClosed;
    private volatile Runnable forget = () -> {};

    StreamSource(Core core, MethodDescriptor<Q, R> method, long timeoutNanos) {
        this.core = core;
        this.method = method;
        this.timeoutNanos = timeoutNanos;
    }

    /** The request of the next stream: where to go on. */
    abstract Q request();

    /** Takes one message and gives what is in it. */
    abstract List<T> accept(R message);

    /** Whether nothing more is to come. */
    boolean done() {
        return false;
    }

    /**
     * How long a stream may take, as a multiple of what is left of the time. 0: any time, once its
     * first message came, which is waited for as long as is left.
     */
    int patience() {
        return 1;
    }

    /** Whether a stream that ends without an error is the end. */
    boolean endsByItself() {
        return true;
    }

    /** A stream broke, and is begun anew. */
    void broke(ContextdException error) {}

    /** Notes that the streams get on. */
    final void progressed() {
        progressed = true;
    }

    @Override
    public Pending<List<T>> next() {
        Pending<Arrival<R>> arrival;
        synchronized (this) {
            if (clientClosed) {
                return Pending.failed(core.closedError());
            }
            if (closed || done()) {
                close();
                return Pending.done(null);
            }
            if (attempts == null) {
                attempts = new Attempts(core.retry, System.nanoTime() + timeoutNanos);
            }
            arrival = new Pending<>();
            if (!arrived.isEmpty()) {
                arrival.complete(arrived.poll());
            } else {
                waiter = arrival;
            }
        }
        try {
            open();
        } catch (RuntimeException thrown) {
            if (!isClosed()) { // Else that is why.
                close();
                return Pending.failed(thrown);
            }
        }
        return arrival.then(this::take);
    }

    private Pending<List<T>> take(Arrival<R> what) {
        ClientCall<Q, R> from;
        synchronized (this) {
            from = call;
        }
        if (what == null) {
            return clientClosed ? Pending.failed(core.closedError()) : Pending.done(null);
        }
        if (what.message() != null) {
            List<T> items;
            try {
                items = accept(what.message());
            } catch (RuntimeException thrown) {
                close();
                throw thrown;
            }
            if (from != null) {
                from.request(1);
            }
            return Pending.done(items);
        }
        if (what.status().isOk() && endsByItself()) {
            close();
            return Pending.done(null);
        }
        ContextdException error =
                what.status().isOk()
                        ? Failures.of(
                                Status.UNAVAILABLE.withDescription("the server ended the stream"),
                                null)
                        : Failures.of(what.status(), what.trailers());
        long delay = delayAfter(error);
        if (delay < 0) {
            close();
            return Pending.failed(
                    Failures.givenUp(error, core.address, attempts, ""));
        }
        broke(error);
        Pending<List<T>> result = new Pending<>();
        core.timers.after(
                delay,
                result,
                () -> {
                    if (attempts.remaining() == 0) { // The timer was late.
                        close();
                        result.completeExceptionally(
                                Failures.givenUp(error, core.address, attempts, ""));
                        return;
                    }
                    core.managed.resetConnectBackoff();
                    result.follow(next());
                });
        return result;
    }

    private long delayAfter(ContextdException error) {
        ContextdException told = error;
        if (error.code() == Status.Code.ABORTED && error.reason().isEmpty()) {
            // What the server says of a stream that nobody reads can be stuck behind what was
            // not read; then it breaks the stream off, without a reason.
            Failure failure = error.failure().withReason("STREAM_STALLED", java.util.Map.of());
            told = new StreamStalledException(failure);
        }
        boolean late =
                told instanceof DeadlineExceededException || told instanceof StreamStalledException;
        boolean moved = progressed;
        progressed = false;
        if (moved) {
            attempts = new Attempts(core.retry, System.nanoTime() + timeoutNanos);
        }
        if (late) {
            return moved ? 0 : -1;
        }
        return attempts.delayAfter(told);
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    /** Opens a stream, if there is none; the program's interceptors run without the lock. */
    private void open() {
        CallOptions options = CallOptions.DEFAULT;
        synchronized (this) {
            if (call != null || closed || waiter == null) {
                return;
            }
            if (patience() > 0) {
                options =
                        options.withDeadlineAfter(
                                attempts.remaining() * patience(), TimeUnit.NANOSECONDS);
            }
        }
        Q message = request();
        RequestRules.check(message);
        ClientCall<Q, R> opened = core.channel.newCall(method, options);
        synchronized (this) {
            if (closed) {
                return;
            }
            call = opened;
            told = false;
        }
        forget = core.onClose(this::clientClosed); // For as long as there is a stream.
        if (isClosed()) {
            forget.run();
        }
        opened.start(new Listener(opened), core.headers());
        opened.request(AHEAD);
        opened.sendMessage(message);
        opened.halfClose();
        if (patience() == 0) {
            waitForFirst(opened);
        }
    }

    /** Gives a stream up that has told nothing when the time is over. */
    private void waitForFirst(ClientCall<Q, R> opened) {
        Runnable stop =
                core.timers.after(attempts.remaining(), new Pending<Void>(), () -> silent(opened));
        synchronized (this) {
            if (call == opened && !told) {
                stopWaiting = stop;
                return;
            }
        }
        stop.run();
    }

    private void silent(ClientCall<Q, R> opened) {
        synchronized (this) {
            if (call != opened || told) {
                return;
            }
        }
        Status status = Status.UNAVAILABLE.withDescription("the stream was silent");
        arrive(opened, new Arrival<>(null, status, null));
        opened.cancel("nothing came", null);
    }

    /** Ends the stream that is open; another one follows. */
    final void breakOff(String why) {
        ClientCall<Q, R> open;
        synchronized (this) {
            open = call;
        }
        if (open != null) {
            open.cancel(why, null);
        }
    }

    /** Whether somebody waits for a further message of a stream. */
    final synchronized boolean awaited() {
        return waiter != null && call != null && told;
    }

    @Override
    public void close() {
        end();
        forget.run();
    }

    private void clientClosed() {
        synchronized (this) {
            clientClosed = !closed;
        }
        end();
    }

    private void end() {
        ClientCall<Q, R> open;
        Pending<Arrival<R>> waiting;
        Runnable stop;
        synchronized (this) {
            closed = true;
            stop = stopWaiting;
            open = call;
            call = null;
            waiting = waiter;
            waiter = null;
            arrived.clear();
        }
        stop.run();
        if (open != null) {
            open.cancel("nobody reads it any more", null);
        }
        if (waiting != null) {
            waiting.complete(null);
        }
    }

    private void arrive(ClientCall<Q, R> from, Arrival<R> what) {
        Pending<Arrival<R>> waiting;
        Runnable stop;
        synchronized (this) {
            if (call != from) {
                return; // Of a stream that is over.
            }
            told = true;
            stop = stopWaiting;
            stopWaiting = () -> {};
            if (what.message() == null) {
                call = null;
            }
            waiting = waiter;
            waiter = null;
            if (waiting == null) {
                arrived.add(what);
            }
        }
        stop.run();
        if (what.message() == null) {
            forget.run();
        }
        if (waiting != null) {
            waiting.complete(what);
        }
    }

    private final class Listener extends ClientCall.Listener<R> {
        private final ClientCall<Q, R> of;

        Listener(ClientCall<Q, R> of) {
            this.of = of;
        }

        @Override
        public void onMessage(R message) {
            arrive(of, new Arrival<>(message, null, null));
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            arrive(of, new Arrival<>(null, status, trailers));
        }
    }
}
