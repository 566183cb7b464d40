package dev.contextd.client;

import dev.contextd.client.error.ResponseTooLargeException;
import dev.contextd.v1.CreateRecoveryPointRequest;
import dev.contextd.v1.DeleteRecoveryPointRequest;
import dev.contextd.v1.GetRecoveryPointRequest;
import dev.contextd.v1.ListRecoveryPointsRequest;
import dev.contextd.v1.PruneRecoveryPointsRequest;
import dev.contextd.v1.RecoveryGrpc;
import dev.contextd.v1.UpdateRecoveryPointRequest;
import dev.contextd.v1.UpdateRecoveryPointResponse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;

/** Every operation on recovery points, once for both forms of the client. */
final class PointCalls {
    private PointCalls() {}

    static Pending<RecoveryPoint> create(Target target, NewPoint point) {
        return Pending.start(
                () -> {
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
                                            Requests.entries(point.attachments()))
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
                                Requests.newContext(target.create()));
                    }
                    return PointMethod.CREATE.send(
                            target,
                            request.build(),
                            id,
                            response ->
                                    PointMessages.told(
                                            response.hasRecoveryPoint(),
                                            response.getRecoveryPoint(),
                                            point.id()));
                });
    }

    /** Makes a point of what a function makes of a draft, if nobody changed what it read. */
    static Pending<RecoveryPoint> create(
            Target target, NewPoint point, Consumer<Draft> change, Executor executor) {
        boolean fromHead = point.fromPointId().isEmpty();
        Target base = fromHead ? target : target.at(Target.At.point(point.fromPointId()));
        return Edits.again(
                target.core(),
                () ->
                        EntryReads.snapshot(base, null, "")
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

    static Pending<RecoveryPoint> get(Target target, String point, PointQuery query) {
        return Pending.start(
                () -> {
                    GetRecoveryPointRequest request =
                            GetRecoveryPointRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setRecoveryPointId(point)
                                    .setWithEntries(query.withEntries())
                                    .setWithAttachments(query.withAttachments())
                                    .addAllKeys(query.keys())
                                    .build();
                    return PointMethod.GET.send(
                                    target,
                                    request,
                                    "",
                                    PointMessages::of)
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
                                EntryReads.pieces(
                                                target.at(Target.At.point(found.id())),
                                                keys,
                                                "",
                                                found.version())
                                        .map(entries -> PointMessages.withEntries(found, entries)));
    }

    /** The points of one context. */
    static Source<RecoveryPoint> list(Target context, PointQuery query) {
        return new LaterSource<>(context.named("").map(named -> list(context, "", query)));
    }

    /** Those of the namespace, or, where the target has an id, of that context. */
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
                                                        .map(PointMessages::of)
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
                                        PointMessages.told(
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
        String id = target.nextRequestId();
        UpdateRecoveryPointRequest.Builder request =
                UpdateRecoveryPointRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .setContextId(target.id())
                        .setRecoveryPointId(point)
                        .putAllSetMetadata(update.setMetadata())
                        .addAllDeleteMetadata(update.removeMetadata())
                        .addAllPutAttachments(
                                Requests.entries(update.putAttachments()))
                        .addAllAddAttachments(
                                Requests.entries(update.addAttachments()))
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
        return PointMethod.UPDATE.send(
                target,
                request.build(),
                id,
                read);
    }

    static Pending<Void> delete(Target target, String point) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    DeleteRecoveryPointRequest request =
                            DeleteRecoveryPointRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setRecoveryPointId(point)
                                    .setWrite(target.write(id))
                                    .build();
                    return PointMethod.DELETE.send(
                            target,
                            request,
                            id,
                            response -> null);
                });
    }

    /** Drops points of one context, with labels, or that no rule of a policy keeps. */
    static Pending<Pruned> prune(
            Target context,
            Map<String, String> metadata,
            RetentionPolicy policy,
            boolean dryRun) {
        return Pending.start(
                () -> {
                    Target once = context.requestId(context.nextRequestId());
                    return once.named(once.requestId())
                            .then(named -> prune(once, "", metadata, policy, dryRun));
                });
    }

    /** The same of the namespace, or, where the target has an id, of that context. */
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
}
