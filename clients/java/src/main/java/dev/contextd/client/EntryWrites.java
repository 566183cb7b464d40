package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.CreateContextRequest;
import dev.contextd.v1.DeleteContextRequest;
import dev.contextd.v1.UpdateContextRequest;
import dev.contextd.v1.UpdateContextResponse;
import io.grpc.MethodDescriptor;

/** Every write of a context, once for both forms of the client. */
final class EntryWrites {
    private static final MethodDescriptor<byte[], UpdateContextResponse> UPDATE_ENCODED =
            LaneKind.encoded(
                    ContextManagerGrpc.getUpdateContextMethod(),
                    UpdateContextResponse.getDefaultInstance());

    private EntryWrites() {}

    static Pending<Written> update(Target target, Changes changes) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    return send(target, request(target, changes, id), id);
                });
    }

    static UpdateContextRequest request(Target target, Changes changes, String id) {
        UpdateContextRequest.Builder request =
                UpdateContextRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .setContextId(target.id())
                        .addAllMutations(changes.steps())
                        .addAllPreconditions(changes.conditions())
                        .setWrite(target.write(id));
        if (target.create() != null) {
            request.setCreateIfMissing(Requests.newContext(target.create()));
        }
        return request.build();
    }

    private static Pending<Written> send(Target target, UpdateContextRequest request, String id) {
        Lane lane = target.core().updates;
        if (lane == null) {
            return target.send(
                    ContextManagerGrpc.getUpdateContextMethod(),
                    request,
                    id,
                    response -> written(response, id));
        }
        return target.submit(
                lane,
                request,
                id,
                message ->
                        new LaneOperation<>(
                                new LaneOperation.Key(target.namespace(), target.id()),
                                UPDATE_ENCODED,
                                0,
                                message,
                                id,
                                target.deadline(),
                                response -> written((UpdateContextResponse) response, id)));
    }

    private static Written written(UpdateContextResponse response, String id) {
        return Messages.written(response.getVersion(), response.getWrite(), id);
    }

    /** What was created: its id, which the server makes up where none was given. */
    record Created(String id, Written written) {}

    static Pending<Created> create(Target target, NewContext properties, Changes first) {
        return Pending.start(
                () -> {
                    if (!first.conditions().isEmpty()) {
                        throw new IllegalArgumentException(
                                "a create has no conditions: it fails where there is a context");
                    }
                    String id = target.nextRequestId();
                    CreateContextRequest request =
                            CreateContextRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setProperties(Requests.newContext(properties))
                                    .addAllMutations(first.steps())
                                    .setWrite(target.write(id, false))
                                    .build();
                    return target.send(
                            ContextManagerGrpc.getCreateContextMethod(),
                            request,
                            id,
                            response ->
                                    new Created(
                                            response.getContext().getId(),
                                            Messages.written(
                                                    response.getContext().getVersion(),
                                                    response.getWrite(),
                                                    id)));
                });
    }

    /** The same, of a context whose name is given. */
    static Pending<Written> createNamed(Target target, NewContext properties, Changes first) {
        if (target.id().isEmpty()) {
            ContextdException refused = Names.invalid("context_id", "must not be empty");
            return Pending.failed(Failures.ofWrite(refused, target.nextRequestId()));
        }
        return create(target, properties, first).map(Created::written);
    }

    static Pending<Long> delete(Target target, DeleteOptions options) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    DeleteContextRequest.Builder request =
                            DeleteContextRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setAllowMissing(options.allowMissing())
                                    .setRecursive(options.recursive())
                                    .setPurge(options.purge())
                                    .setWrite(target.write(id));
                    options.ifVersion()
                            .ifPresent(v -> request.addPreconditions(Requests.ifVersion(v)));
                    return target.send(
                            ContextManagerGrpc.getDeleteContextMethod(),
                            request.build(),
                            id,
                            response -> response.getDeletedCount());
                });
    }
}
