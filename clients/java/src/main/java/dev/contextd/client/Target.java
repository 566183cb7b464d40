package dev.contextd.client;

import com.google.protobuf.Message;
import dev.contextd.client.error.ContextdException;
import dev.contextd.v1.StateRef;
import dev.contextd.v1.WriteOptions;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Where an operation goes, and how: a context, or the state of it that {@code at} names.
 *
 * @param core the client
 * @param namespace the namespace
 * @param id the context
 * @param timeoutNanos of each call
 * @param at which state is read
 * @param create how the context begins where it is missing, or {@code null}
 * @param writer whose the writes are, or {@code null}
 * @param requestId the request id of the next write, or {@code null}: a new one
 */
record Target(
        Core core,
        String namespace,
        String id,
        long timeoutNanos,
        At at,
        NewContext create,
        Writer writer,
        String requestId) {
    /** Which state: by one of these, the others are {@code null}; the newest: all of them are. */
    record At(Long version, String pointId, Instant time) {
        static final At NEWEST = new At(null, null, null);

        boolean isNewest() {
            return equals(NEWEST);
        }

        static At version(long version) {
            return new At(version, null, null);
        }

        static At point(String id) {
            return new At(null, Objects.requireNonNull(id), null);
        }

        static At time(Instant time) {
            return new At(null, null, Objects.requireNonNull(time));
        }
    }

    /** Who writes: a session, with the fence of one of its exclusive activations, or 0. */
    record Writer(Lease lease, long fence) {}

    Target(Core core, String namespace, String id, long timeoutNanos) {
        this(core, namespace, id, timeoutNanos, At.NEWEST, null, null, null);
    }

    Target at(At state) {
        return new Target(core, namespace, id, timeoutNanos, state, create, writer, requestId);
    }

    Target createIfMissing(NewContext properties) {
        return new Target(core, namespace, id, timeoutNanos, at, properties, writer, requestId);
    }

    Target timeout(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("the timeout must be above 0");
        }
        return new Target(core, namespace, id, timeout.toNanos(), at, create, writer, requestId);
    }

    Target requestId(String id) {
        Names.text("write.request_id", id, Names.REQUEST_ID);
        return new Target(core, namespace, this.id, timeoutNanos, at, create, writer, id);
    }

    Target writer(Writer who) {
        return new Target(core, namespace, id, timeoutNanos, at, create, who, requestId);
    }

    /** Another context that exists; the session still writes, but none of its activations. */
    Target other(String contextId) {
        Writer who = writer == null ? null : new Writer(writer.lease(), 0);
        return new Target(core, namespace, contextId, timeoutNanos, At.NEWEST, null, who, null);
    }

    /** A context with the request id of this one. */
    Target sameWrite(String contextId) {
        Target to = other(contextId);
        return requestId == null ? to : to.requestId(requestId);
    }

    long deadline() {
        return System.nanoTime() + timeoutNanos;
    }

    StateRef state() {
        StateRef.Builder made = StateRef.newBuilder().setNamespace(namespace).setContextId(id);
        if (at.version() != null) {
            made.setVersion(at.version());
        } else if (at.pointId() != null) {
            made.setRecoveryPointId(at.pointId());
        } else if (at.time() != null) {
            made.setTime(Requests.time(at.time()));
        }
        return made.build();
    }

    /** The request id of a write that begins now. */
    String nextRequestId() {
        return requestId == null ? RequestIds.next() : requestId;
    }

    /** What a write says about itself. */
    WriteOptions write(String writeId) {
        return write(writeId, true);
    }

    /** The same; only what is fenced may carry a fence. */
    WriteOptions write(String writeId, boolean fenced) {
        WriteOptions.Builder made = WriteOptions.newBuilder().setRequestId(writeId);
        if (writer != null) {
            made.setSessionId(writer.lease().id).setFence(fenced ? writer.fence() : 0);
        }
        return made.build();
    }

    /** Calls a method that reads. */
    <Q, R, T> Pending<T> read(MethodDescriptor<Q, R> method, Q request, Function<R, T> read) {
        return checked(request, "", () -> core.call(method, request, read, deadline(), ""));
    }

    /** Calls a method that writes. */
    <Q, R, T> Pending<T> send(
            MethodDescriptor<Q, R> method, Q request, String writeId, Function<R, T> read) {
        return checked(
                request,
                writeId,
                () -> guarded(() -> core.call(method, request, read, deadline(), writeId)));
    }

    /** Sends what may go together with others; it is made of the encoded request. */
    <T> Pending<T> submit(
            Lane lane,
            Message request,
            String writeId,
            Function<byte[], LaneOperation<T>> operation) {
        return checked(
                request,
                writeId,
                () -> guarded(() -> lane.submit(operation.apply(request.toByteArray()))));
    }

    /**
     * Refuses a context without an id where the server would take none for all of the namespace;
     * what is refused tells the id of the write, if it is one.
     */
    Pending<Void> named(String writeId) {
        try {
            PartRules.context(namespace, id);
            return Pending.done(null);
        } catch (ContextdException refused) {
            return Pending.failed(Failures.ofWrite(refused, writeId));
        }
    }

    /** Begins a call, unless the server would refuse it; what is refused here tells its id. */
    private static <T> Pending<T> checked(
            Object request, String writeId, Supplier<Pending<T>> call) {
        try {
            RequestRules.check(request);
            return call.get();
        } catch (ContextdException refused) {
            return Pending.failed(Failures.ofWrite(refused, writeId));
        }
    }

    private <T> Pending<T> guarded(Supplier<Pending<T>> call) {
        return writer == null ? call.get() : writer.lease().guard(call);
    }
}
