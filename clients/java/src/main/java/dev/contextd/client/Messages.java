package dev.contextd.client;

import com.google.protobuf.Timestamp;
import dev.contextd.v1.GetServerInfoResponse;
import dev.contextd.v1.ListNamespacesResponse;
import dev.contextd.v1.WriteResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Reads the API's messages. */
final class Messages {
    private Messages() {}

    static Optional<Instant> time(boolean present, Timestamp time) {
        return present
                ? Optional.of(Instant.ofEpochSecond(time.getSeconds(), time.getNanos()))
                : Optional.empty();
    }

    static Duration length(com.google.protobuf.Duration length) {
        return Duration.ofSeconds(length.getSeconds(), length.getNanos());
    }

    private static Optional<Duration> length(
            boolean present, com.google.protobuf.Duration length) {
        return present ? Optional.of(length(length)) : Optional.empty();
    }

    /** What a function makes of each; a stream would cost more for the few there mostly are. */
    static <M, T> List<T> each(List<M> messages, Function<M, T> read) {
        if (messages.isEmpty()) {
            return List.of();
        }
        List<T> made = new ArrayList<>(messages.size());
        for (M message : messages) {
            made.add(read.apply(message));
        }
        return Collections.unmodifiableList(made);
    }

    static Entry entry(dev.contextd.v1.Entry entry) {
        return new Entry(
                entry.getKey(),
                Value.of(entry.getValue(), entry.getContentType()),
                entry.getVersion());
    }

    static List<Entry> entries(List<dev.contextd.v1.Entry> entries) {
        return each(entries, Messages::entry);
    }

    static ContextInfo info(dev.contextd.v1.Context context) {
        return new ContextInfo(
                context.getNamespace(),
                context.getId(),
                context.getType(),
                context.getParentId(),
                Map.copyOf(context.getMetadataMap()),
                context.getVersion(),
                context.getRevision(),
                time(context.hasCreateTime(), context.getCreateTime()),
                time(context.hasUpdateTime(), context.getUpdateTime()),
                time(context.hasExpireTime(), context.getExpireTime()),
                time(context.hasDeleteTime(), context.getDeleteTime()),
                context.getEntryCount(),
                context.getSizeBytes(),
                context.getFence(),
                context.hasRecoveryPolicy()
                        ? Optional.of(policy(context.getRecoveryPolicy()))
                        : Optional.empty(),
                context.hasForkedFrom()
                        ? Optional.of(state(context.getForkedFrom()))
                        : Optional.empty());
    }

    static Snapshot snapshot(dev.contextd.v1.Context context) {
        return Snapshot.of(
                context.getVersion(),
                Map.copyOf(context.getMetadataMap()),
                entries(context.getEntriesList()));
    }

    static RecoveryPolicy policy(dev.contextd.v1.RecoveryPolicy policy) {
        Optional<RetentionPolicy> retention = Optional.empty();
        if (policy.hasRetention()) {
            dev.contextd.v1.RetentionPolicy rules = policy.getRetention();
            retention =
                    Optional.of(
                            new RetentionPolicy(
                                    rules.getKeepLast(),
                                    rules.getKeepEvery(),
                                    length(rules.hasKeepWithin(), rules.getKeepWithin())));
        }
        return new RecoveryPolicy(
                retention,
                policy.getPointEveryChanges(),
                length(policy.hasPointEvery(), policy.getPointEvery()));
    }

    static Expiry expiry(dev.contextd.v1.SetExpiry expiry) {
        return new Expiry(length(expiry.hasTtl(), expiry.getTtl()), expiry.getSliding());
    }

    static StateRef state(dev.contextd.v1.StateRef state) {
        return new StateRef(
                state.getNamespace(),
                state.getContextId(),
                state.getVersion(),
                state.getRecoveryPointId(),
                time(state.hasTime(), state.getTime()));
    }

    static Written written(long version, WriteResult write, String requestId) {
        return new Written(version, write.getRevision(), write.getReplayed(), requestId);
    }

    static NamespaceInfo namespace(ListNamespacesResponse.Namespace namespace) {
        return new NamespaceInfo(
                namespace.getName(), namespace.getContextCount(), namespace.getSizeBytes());
    }

    static ServerInfo server(GetServerInfoResponse response) {
        return new ServerInfo(
                response.getVersion(),
                response.getLogId(),
                Map.copyOf(response.getSettingsMap()),
                List.copyOf(response.getFeaturesList()));
    }

    static Activity activity(dev.contextd.v1.Activity activity) {
        return new Activity(
                activity.getType(),
                Value.of(activity.getData(), activity.getContentType()),
                Map.copyOf(activity.getMetadataMap()),
                detail(activity),
                activity.getSequence(),
                time(activity.hasTime(), activity.getTime()),
                activity.getSessionId());
    }

    static FileOperation file(dev.contextd.v1.FileOperation file) {
        return new FileOperation(file.getPath(), file.getOperation(), file.getSource());
    }

    private static Optional<Activity.Detail> detail(dev.contextd.v1.Activity activity) {
        return switch (activity.getDetailCase()) {
            case FILE -> Optional.of(file(activity.getFile()));
            case MODEL -> Optional.of(model(activity.getModel()));
            case RESOURCE -> Optional.of(resource(activity.getResource()));
            case DETAIL_NOT_SET -> Optional.empty();
        };
    }

    private static ModelUsage model(dev.contextd.v1.ModelUsage model) {
        return new ModelUsage(
                model.getProvider(),
                model.getModel(),
                model.getMode(),
                model.getInputTokens(),
                model.getOutputTokens(),
                model.getCachedTokens(),
                model.getCostMicros(),
                model.getCurrency(),
                length(model.getLatency()));
    }

    private static ResourceStep resource(dev.contextd.v1.ResourceEvent event) {
        ResourceStep.Kind kind =
                switch (event.getKind()) {
                    case KIND_ACQUIRED -> ResourceStep.Kind.ACQUIRED;
                    case KIND_RELEASED -> ResourceStep.Kind.RELEASED;
                    case KIND_RECLAIMED -> ResourceStep.Kind.RECLAIMED;
                    default -> ResourceStep.Kind.UNKNOWN;
                };
        return new ResourceStep(event.getName(), event.getType(), kind);
    }
}
