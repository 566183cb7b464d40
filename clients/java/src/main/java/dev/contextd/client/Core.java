package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What all handles of one client share: its channel, its lanes, and who hears of its end.
 *
 * <p>Threads: any.
 */
final class Core {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    final ManagedChannel managed;
    final Channel channel;
    final String address;
    final RetryPolicy retry;
    final Timers timers = new Timers();
    final Executor executor;
    final AtomicReference<ServerInfo> serverInfo = new AtomicReference<>();
    final Lane updates;
    final Lane points;

    private final Supplier<String> token;
    private final Consumer<CallReport> onCall;
    private final Set<Runnable> closers = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    Core(ClientBuilder from, ManagedChannel managed, Channel channel, Executor executor) {
        this.managed = managed;
        this.channel = channel;
        this.executor = executor;
        address = from.address;
        retry = from.retry;
        token = from.token;
        onCall = from.onCall;
        updates = from.coalescing ? new Lane(this, LaneKind.UPDATES, from.callsInFlight) : null;
        points = from.coalescing ? new Lane(this, LaneKind.POINTS, from.callsInFlight) : null;
    }

    boolean closed() {
        return closed;
    }

    ContextdException closedError() {
        return Failures.closed("client");
    }

    /** Calls a method, again where that may help, until the deadline. */
    <Q, R, T> Pending<T> call(
            MethodDescriptor<Q, R> method,
            Q request,
            Function<R, T> read,
            long deadline,
            String requestId) {
        UnaryCall<Q, R, T> call =
                new UnaryCall<>(this, method, request, read, deadline, requestId);
        call.attempt();
        return call;
    }

    /** The headers of one attempt. */
    Metadata headers() {
        Metadata headers = new Metadata();
        if (token != null) {
            headers.put(AUTHORIZATION, "Bearer " + token.get());
        }
        return headers;
    }

    boolean reports() {
        return onCall != null;
    }

    /** Tells the program of a call. What its function throws is logged: the call goes on. */
    void report(CallReport report) {
        try {
            onCall.accept(report);
        } catch (RuntimeException thrown) {
            Log.LOGGER.log(System.Logger.Level.WARNING, "the function for onCall failed", thrown);
        }
    }

    /** Runs something when the client is closed; gives what takes that back. */
    Runnable onClose(Runnable closer) {
        closers.add(closer);
        if (closed && closers.remove(closer)) {
            closer.run();
        }
        return () -> closers.remove(closer);
    }

    void close() {
        closed = true;
        for (Runnable closer : closers) {
            if (closers.remove(closer)) {
                closer.run();
            }
        }
        if (updates != null) {
            updates.close();
            points.close();
        }
        timers.close(this::closedError);
        managed.shutdownNow();
    }
}
