package dev.contextd.client;

import dev.contextd.v1.CreateRecoveryPointRequest;
import dev.contextd.v1.DeleteRecoveryPointRequest;
import dev.contextd.v1.DiffStatesRequest;
import dev.contextd.v1.Entry;
import dev.contextd.v1.ForkContextRequest;
import dev.contextd.v1.GetRecoveryPointRequest;
import dev.contextd.v1.ListRecoveryPointsRequest;
import dev.contextd.v1.MergeContextRequest;
import dev.contextd.v1.Mutation;
import dev.contextd.v1.PruneRecoveryPointsRequest;
import dev.contextd.v1.RestoreContextRequest;
import dev.contextd.v1.SyncContextRequest;
import dev.contextd.v1.UpdateRecoveryPointRequest;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The rules of requests of recovery points and whole states. */
final class RecoveryRules {
    private static final int LABELS = 64;
    private static final int KEYS = 10_000;
    private static final Set<Mutation.KindCase> NOT_OF_THE_STATE =
            Set.of(
                    Mutation.KindCase.SET_EXPIRY,
                    Mutation.KindCase.RECORD_ACTIVITY,
                    Mutation.KindCase.SET_RECOVERY_POLICY);

    private RecoveryRules() {}

    static void addAll() {
        RequestRules.add(CreateRecoveryPointRequest.class, RecoveryRules::create);
        RequestRules.add(GetRecoveryPointRequest.class, RecoveryRules::get);
        RequestRules.add(UpdateRecoveryPointRequest.class, RecoveryRules::update);
        RequestRules.add(DeleteRecoveryPointRequest.class, RecoveryRules::delete);
        RequestRules.add(ListRecoveryPointsRequest.class, RecoveryRules::list);
        RequestRules.add(PruneRecoveryPointsRequest.class, RecoveryRules::prune);
        RequestRules.add(RestoreContextRequest.class, RecoveryRules::restore);
        RequestRules.add(ForkContextRequest.class, RecoveryRules::fork);
        RequestRules.add(MergeContextRequest.class, RecoveryRules::merge);
        RequestRules.add(DiffStatesRequest.class, RecoveryRules::diff);
        RequestRules.add(
                SyncContextRequest.class,
                request -> PartRules.context(request.getNamespace(), request.getContextId()));
    }

    private static void create(CreateRecoveryPointRequest request) {
        PartRules.context(request.getNamespace(), request.getContextId());
        point("recovery_point_id", request.getRecoveryPointId(), 0);
        point("from_recovery_point_id", request.getFromRecoveryPointId(), 0);
        PartRules.mutations(request.getMutationsList(), 0);
        if (!request.getMoveHead()) {
            ofTheState(request.getMutationsList());
        }
        Names.labels("metadata", request.getMetadataMap());
        PartRules.attachments("attachments", request.getAttachmentsList());
        PartRules.once(
                "attachments", ".key", keys(request.getAttachmentsList()), new HashSet<>());
        PartRules.ttl("ttl", request.hasTtl(), request.getTtl());
        PartRules.newContext(
                "create_if_missing",
                request.hasCreateIfMissing(),
                request.getCreateIfMissing(),
                request.getContextId());
        PartRules.preconditions(request.getPreconditionsList());
        PartRules.write(request.getWrite());
    }

    private static void point(String field, String id, int min) {
        Names.name(field, id, min, Names.POINT_ID);
    }

    /** A point that is not the head's has no history, expiry and policy of its own. */
    private static void ofTheState(List<Mutation> steps) {
        for (int i = 0; i < steps.size(); i++) {
            if (NOT_OF_THE_STATE.contains(steps.get(i).getKindCase())) {
                throw Names.invalid(
                        "mutations[" + i + "]",
                        "must be about entries or metadata, without `move_head`");
            }
        }
    }

    private static List<String> keys(List<Entry> entries) {
        return entries.stream().map(Entry::getKey).toList();
    }

    private static void get(GetRecoveryPointRequest request) {
        PartRules.context(request.getNamespace(), request.getContextId());
        point("recovery_point_id", request.getRecoveryPointId(), 0);
        RequestRules.keys(request.getKeysList());
    }

    private static void update(UpdateRecoveryPointRequest request) {
        PartRules.context(request.getNamespace(), request.getContextId());
        point("recovery_point_id", request.getRecoveryPointId(), 1);
        Names.labels("set_metadata", request.getSetMetadataMap());
        Names.names("delete_metadata", request.getDeleteMetadataList(), LABELS, Names.LABEL_KEY);
        PartRules.attachments("put_attachments", request.getPutAttachmentsList());
        PartRules.attachments("add_attachments", request.getAddAttachmentsList());
        List<String> deletes = request.getDeleteAttachmentsList();
        PartRules.keysOfAttachments("delete_attachments", deletes);
        Set<String> seen = new HashSet<>();
        PartRules.once("put_attachments", ".key", keys(request.getPutAttachmentsList()), seen);
        PartRules.once("add_attachments", ".key", keys(request.getAddAttachmentsList()), seen);
        PartRules.once("delete_attachments", "", deletes, seen);
        PartRules.ttl("ttl", request.hasTtl(), request.getTtl());
        if (request.getClearExpiry() && request.hasTtl()) {
            throw Names.invalid("clear_expiry", "must not be set together with `ttl`");
        }
        PartRules.write(request.getWrite());
    }

    private static void delete(DeleteRecoveryPointRequest request) {
        PartRules.context(request.getNamespace(), request.getContextId());
        point("recovery_point_id", request.getRecoveryPointId(), 1);
        PartRules.write(request.getWrite());
    }

    private static void list(ListRecoveryPointsRequest request) {
        PartRules.optionalContext(request.getNamespace(), request.getContextId());
        Names.name("id_prefix", request.getIdPrefix(), 0, Names.ID);
        Names.labels("metadata", request.getMetadataMap());
        point("before_recovery_point_id", request.getBeforeRecoveryPointId(), 0);
        point("ancestors_of", request.getAncestorsOf(), 0);
        RequestRules.keys(request.getKeysList());
    }

    private static void prune(PruneRecoveryPointsRequest request) {
        PartRules.optionalContext(request.getNamespace(), request.getContextId());
        Names.name("id_prefix", request.getIdPrefix(), 0, Names.ID);
        Names.labels("metadata", request.getMetadataMap());
        if (request.hasPolicy()) {
            Names.inside("policy", () -> PartRules.retention(request.getPolicy()));
        } else if (request.getMetadataCount() == 0) {
            throw Names.invalid("policy", "must be set unless `metadata` says what to drop");
        }
        PartRules.write(request.getWrite());
    }

    private static void restore(RestoreContextRequest request) {
        PartRules.context(request.getNamespace(), request.getContextId());
        switch (request.getTargetCase()) {
            case RECOVERY_POINT_ID -> PartRules.point(request.getRecoveryPointId());
            case VERSION -> PartRules.version(request.getVersion());
            case TIME, TARGET_NOT_SET -> {}
        }
        PartRules.preconditions(request.getPreconditionsList());
        PartRules.write(request.getWrite());
    }

    private static void fork(ForkContextRequest request) {
        PartRules.state("source", request.getSource());
        Names.name("context_id", request.getContextId(), 0, Names.ID);
        PartRules.newContext(
                "properties",
                request.hasProperties(),
                request.getProperties(),
                request.getContextId());
        PartRules.write(request.getWrite());
    }

    private static void merge(MergeContextRequest request) {
        Names.namespace("namespace", request.getNamespace());
        PartRules.state("source", request.getSource());
        PartRules.sameNamespace("source", request.getSource(), request.getNamespace());
        Names.name("target_context_id", request.getTargetContextId(), 1, Names.ID);
        if (request.hasAncestor()) {
            PartRules.state("ancestor", request.getAncestor());
            PartRules.sameNamespace("ancestor", request.getAncestor(), request.getNamespace());
        }
        Names.count("on_conflict_by_key", request.getOnConflictByKeyCount(), 0, KEYS);
        request.getOnConflictByKeyMap()
                .keySet()
                .forEach(key -> Names.name("on_conflict_by_key.key", key, 1, Names.KEY));
        PartRules.preconditions(request.getPreconditionsList());
        PartRules.write(request.getWrite());
    }

    private static void diff(DiffStatesRequest request) {
        PartRules.state("before", request.getBefore());
        PartRules.state("after", request.getAfter());
        PartRules.sameNamespace(
                "after", request.getAfter(), request.getBefore().getNamespace());
        Names.name("key_prefix", request.getKeyPrefix(), 0, Names.KEY);
    }
}
