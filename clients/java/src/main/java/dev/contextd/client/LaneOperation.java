package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import io.grpc.MethodDescriptor;
import java.util.function.Function;

/** One operation that may go together with others. Its message is encoded by its caller. */
final class LaneOperation<T> extends Pending<T> {
    /** What orders it: the operations of one context are carried out one after the other. */
    record Key(String namespace, String contextId) {}

    final Key key;
    final MethodDescriptor<byte[], ?> method;
    final int field;
    final byte[] message;
    final String requestId;
    final long deadline;
    private final Function<Object, T> read;
    boolean alone;
    volatile LaneCall call;

    /** Goes alone by a method, or in a batch as this field of its part. 0: it is the part. */
    LaneOperation(
            Key key,
            MethodDescriptor<byte[], ?> method,
            int field,
            byte[] message,
            String requestId,
            long deadline,
            Function<Object, T> read) {
        this.key = key;
        this.method = method;
        this.field = field;
        this.message = message;
        this.requestId = requestId;
        this.deadline = deadline;
        this.read = read;
    }

    void answer(Object response) {
        try {
            complete(read.apply(response));
        } catch (ContextdException refused) {
            fail(refused);
        } catch (RuntimeException | Error thrown) {
            completeExceptionally(thrown);
        }
    }

    /** Fails with what this client found. */
    void fail(ContextdException error) {
        completeExceptionally(Failures.ofWrite(error, requestId));
    }
}
