package dev.contextd.client;

import com.google.protobuf.Message;
import dev.contextd.client.error.Failure;
import dev.contextd.client.error.RecoveryPointNotFoundException;
import dev.contextd.client.error.ResponseTooLargeException;
import dev.contextd.v1.CreateRecoveryPointRequest;
import dev.contextd.v1.CreateRecoveryPointResponse;
import dev.contextd.v1.DeleteRecoveryPointRequest;
import dev.contextd.v1.DeleteRecoveryPointResponse;
import dev.contextd.v1.GetRecoveryPointRequest;
import dev.contextd.v1.GetRecoveryPointResponse;
import dev.contextd.v1.ListRecoveryPointsRequest;
import dev.contextd.v1.PruneRecoveryPointsRequest;
import dev.contextd.v1.RecoveryGrpc;
import dev.contextd.v1.UpdateRecoveryPointRequest;
import dev.contextd.v1.UpdateRecoveryPointResponse;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Every operation on recovery points, once for both forms of the client. */
final class PointCalls {
    // The fields of an operation in a batch.
    private static final int CREATE = 1;
    private static final int GET = 2;
    private static final int UPDATE = 3;
    private static final int DELETE = 4;

    private PointCalls() {}

    /** Sends an operation on one point, with others where that is on. */
    private static <Q extends Message, R extends Message, T> Pending<T> send(
            Target target,
            MethodDescriptor<Q, R> method,
            R empty,
            int field,
            Q request,
            String id,
            Function<R, T> read) {
        Lane lane = target.core().points;
        if (lane == null) {
            return target.send(method, request, id, read);
        }
        return target.submit(
                lane,
                new LaneOperation<>(
                        new LaneOperation.Key(target.namespace(), target.id()),
                        LaneKind.encoded(method, empty),
                        field,
                        request.toByteArray(),
                        id,
                        target.deadline(),
                        response -> read.apply(cast(empty, response))));
    }

    @SuppressWarnings("unchecked") // The lane gives back what the method answers.
    private static <R extends Message> R cast(R kind, Object response) {
        return (R) kind.getClass().cast(response);
    }

    static Pending<RecoveryPoint> create(Target target, NewPoint point) {
        return Pending.start(
                () -> {
                    target.check();
                    Names.name("recovery_point_id", point.id(), 0, Names.POINT_ID);
                    Names.labels("metadata", point.metadata());
                    String id = target.nextRequestId();
                    CreateRecoveryPointRequest.Builder request =
                            CreateRecoveryPointRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setRecoveryPointId(point.id())
                                    .setFromRecoveryPointId(point.fromPointId())
                                    .setMoveHead(point.moveHead())
                                    .putAllMetadata(point.metadata())
                                    .addAllAttachments(
                                            Requests.entries("attachments", point.attachments()))
                                    .setPinned(point.pinned())
                                    .setReplace(point.replace())
                                    .setWrite(target.write(id));
                    point.ttl().ifPresent(ttl -> request.setTtl(Requests.length(ttl)));
                    if (point.changes() != null) {
                        request.addAllMutations(point.changes().steps())
                                .addAllPreconditions(point.changes().conditions());
                    }
                    if (target.create() != null) {
                        request.setCreateIfMissing(
                                Requests.newContext("create_if_missing", target.create()));
                    }
                    return send(
                            target,
                            RecoveryGrpc.getCreateRecoveryPointMethod(),
                            CreateRecoveryPointResponse.getDefaultInstance(),
                            CREATE,
                            request.build(),
                            id,
                            response -> told(response.hasRecoveryPoint(),
                                    response.getRecoveryPoint(), point.id()));
                });
    }

    /** Makes a point of what a function makes of a draft, if nobody changed what it read. */
    static Pending<RecoveryPoint> create(
            Target target, NewPoint point, Consumer<Draft> change, Executor executor) {
        boolean fromHead = point.fromPointId().isEmpty();
        Target base = fromHead ? target : target.at(Target.At.point(point.fromPointId()));
        return EntryCalls.again(
                target.core(),
                () ->
                        EntryCalls.snapshot(base, null, "")
                                .then(
                                        executor,
                                        old -> {
                                            Draft draft = new Draft(old, null);
                                            change.accept(draft);
                                            Changes changes = draft.changes();
                                            if (fromHead) {
                                                draft.guarded(changes);
                                            }
                                            return create(target, point.changes(changes));
                                        }),
                0);
    }

    private static RecoveryPoint told(
            boolean present, dev.contextd.v1.RecoveryPoint point, String id) {
        if (!present) {
            String message = "the recovery point " + id + " was written, and is not told";
            throw new RecoveryPointNotFoundException(
                    Failure.of(Status.Code.NOT_FOUND, message)
                            .withReason("RECOVERY_POINT_NOT_FOUND", Map.of()));
        }
        return point(point, List.of());
    }

    static Pending<RecoveryPoint> get(Target target, String point, PointQuery query) {
        return Pending.start(
                () -> {
                    target.check();
                    Names.name("recovery_point_id", point, 0, Names.POINT_ID);
                    GetRecoveryPointRequest request =
                            GetRecoveryPointRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setRecoveryPointId(point)
                                    .setWithEntries(query.withEntries())
                                    .setWithAttachments(query.withAttachments())
                                    .addAllKeys(query.keys())
                                    .build();
                    return send(
                                    target,
                                    RecoveryGrpc.getGetRecoveryPointMethod(),
                                    GetRecoveryPointResponse.getDefaultInstance(),
                                    GET,
                                    request,
                                    "",
                                    PointCalls::point)
                            .recover(
                                    error ->
                                            error instanceof ResponseTooLargeException
                                                            && query.withEntries()
                                                    ? large(target, point, query)
                                                    : Pending.failed(error));
                });
    }

    private static Pending<RecoveryPoint> large(Target target, String point, PointQuery query) {
        PointQuery without =
                new PointQuery(
                        query.metadata(), "", "", false, query.withAttachments(), query.keys());
        List<String> keys = query.keys().isEmpty() ? null : query.keys();
        return get(target, point, without)
                .then(
                        found ->
                                EntryCalls.pieces(
                                                target.at(Target.At.point(found.id())),
                                                keys,
                                                "",
                                                found.version())
                                        .map(entries -> withEntries(found, entries)));
    }

    static Source<RecoveryPoint> list(Target target, String idPrefix, PointQuery query) {
        ListRecoveryPointsRequest.Builder request =
                ListRecoveryPointsRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .setContextId(target.id())
                        .setIdPrefix(idPrefix)
                        .putAllMetadata(query.metadata())
                        .setBeforeRecoveryPointId(query.before())
                        .setAncestorsOf(query.ancestorsOf())
                        .setWithEntries(query.withEntries())
                        .setWithAttachments(query.withAttachments())
                        .addAllKeys(query.keys());
        return new PageSource<>(
                token ->
                        target.read(
                                RecoveryGrpc.getListRecoveryPointsMethod(),
                                request.setPageToken(token).build(),
                                page ->
                                        new PageSource.Page<>(
                                                page.getRecoveryPointsList().stream()
                                                        .map(PointCalls::point)
                                                        .toList(),
                                                page.getNextPageToken())));
    }

    static Pending<RecoveryPoint> update(Target target, String point, PointUpdate update) {
        return Pending.start(
                () ->
                        update(
                                target,
                                point,
                                update,
                                false,
                                response ->
                                        told(
                                                response.hasRecoveryPoint(),
                                                response.getRecoveryPoint(),
                                                point)));
    }

    /** Keeps attachments for a point, whether or not it was made yet. */
    static Pending<Void> attach(Target target, String point, PointUpdate update) {
        return Pending.start(() -> update(target, point, update, true, response -> null));
    }

    private static <T> Pending<T> update(
            Target target,
            String point,
            PointUpdate update,
            boolean allowMissing,
            Function<UpdateRecoveryPointResponse, T> read) {
        target.check();
        Names.name("recovery_point_id", point, 1, Names.POINT_ID);
        String id = target.nextRequestId();
        UpdateRecoveryPointRequest.Builder request =
                UpdateRecoveryPointRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .setContextId(target.id())
                        .setRecoveryPointId(point)
                        .putAllSetMetadata(update.setMetadata())
                        .addAllDeleteMetadata(update.removeMetadata())
                        .addAllPutAttachments(
                                Requests.entries("put_attachments", update.putAttachments()))
                        .addAllAddAttachments(
                                Requests.entries("add_attachments", update.addAttachments()))
                        .addAllDeleteAttachments(update.removeAttachments())
                        .setClearExpiry(update.clearExpiry())
                        .setAllowMissing(allowMissing)
                        .setWrite(target.write(id));
        update.ttl().ifPresent(ttl -> request.setTtl(Requests.length(ttl)));
        update.pinned()
                .ifPresent(
                        on ->
                                request.setPin(
                                        on
                                                ? UpdateRecoveryPointRequest.Pin.PIN_ON
                                                : UpdateRecoveryPointRequest.Pin.PIN_OFF));
        return send(
                target,
                RecoveryGrpc.getUpdateRecoveryPointMethod(),
                UpdateRecoveryPointResponse.getDefaultInstance(),
                UPDATE,
                request.build(),
                id,
                read);
    }

    static Pending<Void> delete(Target target, String point) {
        return Pending.start(
                () -> {
                    target.check();
                    Names.name("recovery_point_id", point, 1, Names.POINT_ID);
                    String id = target.nextRequestId();
                    DeleteRecoveryPointRequest request =
                            DeleteRecoveryPointRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setRecoveryPointId(point)
                                    .setWrite(target.write(id))
                                    .build();
                    return send(
                            target,
                            RecoveryGrpc.getDeleteRecoveryPointMethod(),
                            DeleteRecoveryPointResponse.getDefaultInstance(),
                            DELETE,
                            request,
                            id,
                            response -> null);
                });
    }

    /** Drops points with labels, and those that no rule of a policy keeps; null: no policy. */
    static Pending<Pruned> prune(
            Target target,
            String idPrefix,
            Map<String, String> metadata,
            RetentionPolicy policy,
            boolean dryRun) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    PruneRecoveryPointsRequest.Builder request =
                            PruneRecoveryPointsRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setIdPrefix(idPrefix)
                                    .putAllMetadata(metadata)
                                    .setDryRun(dryRun)
                                    .setWrite(target.write(id));
                    if (policy != null) {
                        request.setPolicy(Requests.retention(policy));
                    }
                    return target.send(
                            RecoveryGrpc.getPruneRecoveryPointsMethod(),
                            request.build(),
                            id,
                            response ->
                                    new Pruned(
                                            response.getRemovedCount(),
                                            response.getKeptCount(),
                                            response.getWrite().getRevision(),
                                            response.getWrite().getReplayed(),
                                            id));
                });
    }

    private static RecoveryPoint point(GetRecoveryPointResponse response) {
        return point(response.getRecoveryPoint(), response.getEntriesList());
    }

    private static RecoveryPoint point(
            dev.contextd.v1.RecoveryPoint point, List<dev.contextd.v1.Entry> entries) {
        return new RecoveryPoint(
                point.getNamespace(),
                point.getContextId(),
                point.getId(),
                point.getParentId(),
                point.getSequence(),
                point.getVersion(),
                Messages.time(point.hasCreateTime(), point.getCreateTime()),
                Messages.time(point.hasExpireTime(), point.getExpireTime()),
                point.getPinned(),
                origin(point.getOrigin()),
                Map.copyOf(point.getMetadataMap()),
                point.getEntryCount(),
                point.getSizeBytes(),
                point.getRevision(),
                byKey(Messages.entries(point.getAttachmentsList())),
                byKey(Messages.entries(entries)));
    }

    private static RecoveryPoint withEntries(RecoveryPoint point, List<Entry> entries) {
        return new RecoveryPoint(
                point.namespace(),
                point.contextId(),
                point.id(),
                point.parentId(),
                point.sequence(),
                point.version(),
                point.createTime(),
                point.expireTime(),
                point.pinned(),
                point.origin(),
                point.metadata(),
                point.entryCount(),
                point.sizeBytes(),
                point.revision(),
                point.attachments(),
                byKey(entries));
    }

    private static RecoveryPoint.Origin origin(dev.contextd.v1.RecoveryPoint.Origin origin) {
        return switch (origin) {
            case ORIGIN_CLIENT -> RecoveryPoint.Origin.CLIENT;
            case ORIGIN_POLICY -> RecoveryPoint.Origin.POLICY;
            case ORIGIN_SAFETY -> RecoveryPoint.Origin.SAFETY;
            case ORIGIN_SESSION_LOSS -> RecoveryPoint.Origin.SESSION_LOSS;
            default -> RecoveryPoint.Origin.UNKNOWN;
        };
    }

    private static Map<String, Entry> byKey(List<Entry> entries) {
        return entries.stream().collect(Collectors.toUnmodifiableMap(Entry::key, each -> each));
    }
}
