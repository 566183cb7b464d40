package dev.contextd.client;

import dev.contextd.client.error.ContextNotFoundException;
import dev.contextd.client.error.Failure;
import dev.contextd.v1.ForkContextRequest;
import dev.contextd.v1.ForkContextResponse;
import dev.contextd.v1.MergeContextRequest;
import dev.contextd.v1.MergeContextResponse;
import dev.contextd.v1.RecoveryGrpc;
import dev.contextd.v1.RestoreContextRequest;
import dev.contextd.v1.RestoreContextResponse;
import io.grpc.Status;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Every operation on whole states, once for both forms of the client. */
final class RecoveryCalls {
    private RecoveryCalls() {}

    /** Sets the context back to the state that the target names. */
    static Pending<Restored> restore(Target target, RestoreOptions options) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    RestoreContextRequest.Builder request =
                            RestoreContextRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setSafetyPoint(options.safetyPoint())
                                    .setUndelete(options.undelete())
                                    .setWrite(target.write(id));
                    options.ifVersion()
                            .ifPresent(v -> request.addPreconditions(Requests.ifVersion(v)));
                    Target.At at = target.at();
                    if (at.pointId() != null) {
                        request.setRecoveryPointId(at.pointId());
                    } else if (at.version() != null) {
                        request.setVersion(at.version());
                    } else if (at.time() != null) {
                        request.setTime(Requests.time(at.time()));
                    }
                    return target.send(
                            RecoveryGrpc.getRestoreContextMethod(),
                            request.build(),
                            id,
                            response -> restored(response, target, id));
                });
    }

    private static Restored restored(RestoreContextResponse response, Target target, String id) {
        if (!response.hasContext()) {
            throw gone("the context " + target.id() + " was restored, and is gone again");
        }
        return new Restored(
                Messages.info(response.getContext()),
                response.getChangedEntryCount(),
                response.getSafetyPointId(),
                response.getWrite().getRevision(),
                response.getWrite().getReplayed(),
                id);
    }

    /** Makes a context of the state that the target names; gives its id. */
    static Pending<String> fork(Target target, String contextId, ForkOptions options) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    ForkContextRequest.Builder request =
                            ForkContextRequest.newBuilder()
                                    .setSource(target.state())
                                    .setContextId(contextId)
                                    .setWithHistory(options.withHistory())
                                    .setWithRecoveryPoints(options.withPoints())
                                    .setWrite(target.write(id, false));
                    options.properties()
                            .ifPresent(
                                    properties ->
                                            request.setProperties(
                                                    Requests.newContext(properties)));
                    return target.send(
                            RecoveryGrpc.getForkContextMethod(),
                            request.build(),
                            id,
                            response -> forked(response, target));
                });
    }

    private static String forked(ForkContextResponse response, Target target) {
        if (!response.hasContext()) {
            throw gone("the context " + target.id() + " was forked, and the fork is gone again");
        }
        return response.getContext().getId();
    }

    /** What a repeat that came late stands for: to it, the answer is as of now. */
    private static ContextNotFoundException gone(String message) {
        return new ContextNotFoundException(
                Failure.of(Status.Code.NOT_FOUND, message)
                        .withReason("CONTEXT_NOT_FOUND", Map.of()));
    }

    /** Brings what changed in a source since a common state into the target. */
    static Pending<Merged> merge(Target target, Target source, MergeOptions options) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    MergeContextRequest.Builder request =
                            MergeContextRequest.newBuilder()
                                    .setSource(source.state())
                                    .setNamespace(target.namespace())
                                    .setTargetContextId(target.id())
                                    .setOnConflict(rule(options.onConflict()))
                                    .setDryRun(options.dryRun())
                                    .setSafetyPoint(options.safetyPoint())
                                    .setWrite(target.write(id));
                    options.ancestor()
                            .ifPresent(
                                    state ->
                                            request.setAncestor(state.target.state()));
                    options.onConflictByKey()
                            .forEach((key, each) -> request.putOnConflictByKey(key, rule(each)));
                    options.ifVersion()
                            .ifPresent(v -> request.addPreconditions(Requests.ifVersion(v)));
                    return target.send(
                                    RecoveryGrpc.getMergeContextMethod(),
                                    request.build(),
                                    id,
                                    response -> merged(response, id))
                            .map(merged -> checked(merged, options));
                });
    }

    private static Merged checked(Merged merged, MergeOptions options) {
        if (!merged.applied() && !options.dryRun()) {
            if (merged.conflictCount() == 0) {
                throw Failures.ofWrite(
                        Failures.newerServer("of a merge that was not made and has no conflict"),
                        merged.requestId());
            }
            throw new MergeConflictsException(merged);
        }
        return merged;
    }

    private static MergeContextRequest.OnConflict rule(OnConflict rule) {
        return switch (rule) {
            case FAIL -> MergeContextRequest.OnConflict.ON_CONFLICT_UNSPECIFIED;
            case TARGET -> MergeContextRequest.OnConflict.ON_CONFLICT_TARGET;
            case SOURCE -> MergeContextRequest.OnConflict.ON_CONFLICT_SOURCE;
        };
    }

    private static Merged merged(MergeContextResponse response, String id) {
        List<MergeConflict> conflicts =
                response.getConflictsList().stream().map(RecoveryCalls::conflict).toList();
        return new Merged(
                response.getApplied(),
                response.getVersion(),
                response.getChangedEntryCount(),
                conflicts,
                response.getConflictCount(),
                response.getSafetyPointId(),
                response.getWrite().getRevision(),
                response.getWrite().getReplayed(),
                id);
    }

    private static MergeConflict conflict(dev.contextd.v1.MergeConflict conflict) {
        return new MergeConflict(
                conflict.getKey(),
                conflict.getInMetadata(),
                entry(conflict.hasAncestor(), conflict.getAncestor()),
                entry(conflict.hasTarget(), conflict.getTarget()),
                entry(conflict.hasSource(), conflict.getSource()));
    }

    static Optional<Entry> entry(boolean present, dev.contextd.v1.Entry entry) {
        return present ? Optional.of(Messages.entry(entry)) : Optional.empty();
    }

    /** The state as it is now, so that its name stands for no other later. */
    private static Pending<Target> fixed(Target target) {
        if (target.at().version() != null || target.at().pointId() != null) {
            return Pending.done(target);
        }
        return EntryReads.info(target).map(info -> target.at(Target.At.version(info.version())));
    }

    /** What differs in a state from another one. */
    static Source<Difference> diff(Target after, Target before, String prefix, boolean values) {
        return new LaterSource<>(
                Pending.start(
                        () -> {
                            RequestRules.check(DiffSource.request(after, before, prefix, values));
                            return fixed(before)
                                    .then(
                                            from ->
                                                    fixed(after)
                                                            .map(
                                                                    to ->
                                                                            new DiffSource(
                                                                                    to,
                                                                                    from,
                                                                                    prefix,
                                                                                    values)));
                        }));
    }

    /** What leads from a version to the newest one. */
    static Pending<Synced> sync(Target target, long haveVersion) {
        return Pending.start(
                () -> {
                    return Source.all(new SyncSource(target, haveVersion))
                            .map(found -> found.get(0));
                });
    }
}
