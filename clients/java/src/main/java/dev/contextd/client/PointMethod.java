package dev.contextd.client;

import com.google.protobuf.Message;
import dev.contextd.v1.CreateRecoveryPointRequest;
import dev.contextd.v1.CreateRecoveryPointResponse;
import dev.contextd.v1.DeleteRecoveryPointRequest;
import dev.contextd.v1.DeleteRecoveryPointResponse;
import dev.contextd.v1.GetRecoveryPointRequest;
import dev.contextd.v1.GetRecoveryPointResponse;
import dev.contextd.v1.RecoveryGrpc;
import dev.contextd.v1.UpdateRecoveryPointRequest;
import dev.contextd.v1.UpdateRecoveryPointResponse;
import io.grpc.MethodDescriptor;
import java.util.function.Function;

/**
 * A method on one recovery point, by itself and in a batch.
 *
 * @param plain the method
 * @param encoded the same, with requests that are encoded already
 * @param answer the class of its responses
 * @param field which field of an operation in a batch it is
 */
record PointMethod<Q extends Message, R extends Message>(
        MethodDescriptor<Q, R> plain, MethodDescriptor<byte[], R> encoded, Class<R> answer,
        int field) {
    static final PointMethod<CreateRecoveryPointRequest, CreateRecoveryPointResponse> CREATE =
            of(
                    RecoveryGrpc.getCreateRecoveryPointMethod(),
                    CreateRecoveryPointResponse.class,
                    CreateRecoveryPointResponse.getDefaultInstance(),
                    1);
    static final PointMethod<GetRecoveryPointRequest, GetRecoveryPointResponse> GET =
            of(
                    RecoveryGrpc.getGetRecoveryPointMethod(),
                    GetRecoveryPointResponse.class,
                    GetRecoveryPointResponse.getDefaultInstance(),
                    2);
    static final PointMethod<UpdateRecoveryPointRequest, UpdateRecoveryPointResponse> UPDATE =
            of(
                    RecoveryGrpc.getUpdateRecoveryPointMethod(),
                    UpdateRecoveryPointResponse.class,
                    UpdateRecoveryPointResponse.getDefaultInstance(),
                    3);
    static final PointMethod<DeleteRecoveryPointRequest, DeleteRecoveryPointResponse> DELETE =
            of(
                    RecoveryGrpc.getDeleteRecoveryPointMethod(),
                    DeleteRecoveryPointResponse.class,
                    DeleteRecoveryPointResponse.getDefaultInstance(),
                    4);

    private static <Q extends Message, R extends Message> PointMethod<Q, R> of(
            MethodDescriptor<Q, R> method, Class<R> answer, R empty, int field) {
        return new PointMethod<>(method, LaneKind.encoded(method, empty), answer, field);
    }

    /** Sends it, with others where that is on. The id is that of a write, or empty. */
    <T> Pending<T> send(Target target, Q request, String id, Function<R, T> read) {
        Lane lane = target.core().points;
        if (lane == null) {
            return target.send(plain, request, id, read);
        }
        return target.submit(
                lane,
                request,
                id,
                message ->
                        new LaneOperation<>(
                                new LaneOperation.Key(target.namespace(), target.id()),
                                encoded,
                                field,
                                message,
                                id,
                                target.deadline(),
                                response -> read.apply(answer.cast(response))));
    }
}
