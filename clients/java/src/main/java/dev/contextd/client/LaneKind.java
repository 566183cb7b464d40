package dev.contextd.client;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import dev.contextd.v1.BatchRecoveryPointsResponse;
import dev.contextd.v1.BatchUpdateContextsResponse;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.CreateRecoveryPointResponse;
import dev.contextd.v1.Failure;
import dev.contextd.v1.RecoveryGrpc;
import dev.contextd.v1.UpdateRecoveryPointResponse;
import dev.contextd.v1.UpdateResult;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Function;

/**
 * What goes together in a lane, and how a batch is written and read.
 *
 * @param batch the method; its request is encoded already
 * @param results the results in an answer, each a response or a failure
 */
record LaneKind(
        MethodDescriptor<byte[], ?> batch, Function<Object, List<? extends Message>> results) {
    static final LaneKind UPDATES =
            new LaneKind(
                    encoded(
                            ContextManagerGrpc.getBatchUpdateContextsMethod(),
                            BatchUpdateContextsResponse.getDefaultInstance()),
                    answer -> ((BatchUpdateContextsResponse) answer).getResultsList());
    static final LaneKind POINTS =
            new LaneKind(
                    encoded(
                            RecoveryGrpc.getBatchRecoveryPointsMethod(),
                            BatchRecoveryPointsResponse.getDefaultInstance()),
                    answer -> ((BatchRecoveryPointsResponse) answer).getResultsList());

    private static final int PARTS_FIELD = 1;

    /** What is told of one part: its response, or a Failure, or null for what is unknown. */
    static Message outcome(Message result) {
        if (result instanceof UpdateResult update) {
            return switch (update.getOutcomeCase()) {
                case RESPONSE -> update.getResponse();
                case FAILURE -> update.getFailure();
                default -> null;
            };
        }
        BatchRecoveryPointsResponse.Result point = (BatchRecoveryPointsResponse.Result) result;
        return switch (point.getOutcomeCase()) {
            case CREATE -> point.getCreate();
            case GET -> point.getGet();
            case UPDATE -> point.getUpdate();
            case DELETE -> point.getDelete();
            case FAILURE -> point.getFailure();
            default -> null;
        };
    }

    /** Whether the server was too busy for a part. */
    static boolean isOverloaded(Message outcome) {
        return outcome instanceof Failure failure && failure.getReason().equals("OVERLOADED");
    }

    /**
     * Whether the answer had no room to tell what became of a part: the last ones of a large answer
     * tell less than they would have told alone. An update of a point that is missing looks the
     * same.
     */
    static boolean hadNoRoom(Message outcome) {
        if (outcome instanceof Failure failure) {
            return failure.getReason().equals("RESPONSE_TOO_LARGE");
        }
        if (outcome instanceof CreateRecoveryPointResponse created) {
            return !created.hasRecoveryPoint();
        }
        return outcome instanceof UpdateRecoveryPointResponse updated
                && !updated.hasRecoveryPoint();
    }

    /** The request of a call with several operations. */
    static byte[] encode(List<LaneOperation<?>> operations) {
        int size = 0;
        for (LaneOperation<?> operation : operations) {
            size += CodedOutputStream.computeTagSize(PARTS_FIELD) + sized(partSize(operation));
        }
        byte[] request = new byte[size];
        CodedOutputStream out = CodedOutputStream.newInstance(request);
        try {
            for (LaneOperation<?> operation : operations) {
                out.writeTag(PARTS_FIELD, 2);
                out.writeUInt32NoTag(partSize(operation));
                if (operation.field != 0) {
                    out.writeTag(operation.field, 2);
                    out.writeUInt32NoTag(operation.message.length);
                }
                out.writeRawBytes(operation.message);
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return request;
    }

    private static int partSize(LaneOperation<?> operation) {
        int size = operation.message.length;
        return operation.field == 0
                ? size
                : CodedOutputStream.computeTagSize(operation.field) + sized(size);
    }

    private static int sized(int size) {
        return CodedOutputStream.computeUInt32SizeNoTag(size) + size;
    }

    /** The method with requests that are encoded already. */
    static <R extends Message> MethodDescriptor<byte[], R> encoded(
            MethodDescriptor<?, R> method, R response) {
        return method.toBuilder(new Bytes(), ProtoUtils.marshaller(response)).build();
    }

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }
}
