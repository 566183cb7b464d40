package dev.contextd.client;

import com.google.protobuf.Timestamp;
import dev.contextd.v1.EntryCondition;
import dev.contextd.v1.Precondition;
import dev.contextd.v1.SetExpiry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Writes the API's messages, and refuses what the server would refuse. */
final class Requests {
    private Requests() {}

    static com.google.protobuf.Duration length(Duration length) {
        return com.google.protobuf.Duration.newBuilder()
                .setSeconds(length.getSeconds())
                .setNanos(length.getNano())
                .build();
    }

    static Timestamp time(Instant time) {
        return Timestamp.newBuilder()
                .setSeconds(time.getEpochSecond())
                .setNanos(time.getNano())
                .build();
    }

    static boolean isBefore(Timestamp a, Timestamp b) {
        return a.getSeconds() < b.getSeconds()
                || (a.getSeconds() == b.getSeconds() && a.getNanos() < b.getNanos());
    }

    static SetExpiry expiry(Expiry expiry) {
        SetExpiry.Builder made = SetExpiry.newBuilder().setSliding(expiry.sliding());
        expiry.ttl().ifPresent(ttl -> made.setTtl(length(ttl)));
        return made.build();
    }

    static dev.contextd.v1.RetentionPolicy retention(RetentionPolicy policy) {
        dev.contextd.v1.RetentionPolicy.Builder made =
                dev.contextd.v1.RetentionPolicy.newBuilder()
                        .setKeepLast(policy.keepLast())
                        .setKeepEvery(policy.keepEvery());
        policy.keepWithin().ifPresent(within -> made.setKeepWithin(length(within)));
        return made.build();
    }

    static dev.contextd.v1.RecoveryPolicy policy(RecoveryPolicy policy) {
        dev.contextd.v1.RecoveryPolicy.Builder made =
                dev.contextd.v1.RecoveryPolicy.newBuilder()
                        .setPointEveryChanges(policy.pointEveryChanges());
        policy.retention().ifPresent(rules -> made.setRetention(retention(rules)));
        policy.pointEvery().ifPresent(every -> made.setPointEvery(length(every)));
        return made.build();
    }

    static dev.contextd.v1.NewContext newContext(NewContext context) {
        dev.contextd.v1.NewContext.Builder made =
                dev.contextd.v1.NewContext.newBuilder()
                        .setType(context.type())
                        .setParentId(context.parentId())
                        .putAllMetadata(context.metadata())
                        .setCreateParent(context.createParent());
        context.expiry().ifPresent(expiry -> made.setExpiry(expiry(expiry)));
        context.recoveryPolicy().ifPresent(policy -> made.setRecoveryPolicy(policy(policy)));
        return made.build();
    }

    static Precondition ifVersion(long version) {
        return Precondition.newBuilder().setContextVersion(version).build();
    }

    static Precondition ifEntry(String key, long version) {
        EntryCondition entry =
                EntryCondition.newBuilder().setKey(key).setVersion(version).build();
        return Precondition.newBuilder().setEntry(entry).build();
    }

    static dev.contextd.v1.Activity activity(Recordable recordable) {
        Activity activity =
                recordable instanceof Activity whole
                        ? whole
                        : Activity.of((Activity.Detail) recordable);
        dev.contextd.v1.Activity.Builder made =
                dev.contextd.v1.Activity.newBuilder()
                        .setType(activity.type())
                        .setData(activity.data().raw())
                        .setContentType(activity.data().contentType())
                        .putAllMetadata(activity.metadata());
        activity.detail().ifPresent(detail -> detail(made, detail));
        return made.build();
    }

    private static void detail(dev.contextd.v1.Activity.Builder made, Activity.Detail detail) {
        if (detail instanceof FileOperation file) {
            made.getFileBuilder()
                    .setPath(file.path())
                    .setOperation(file.operation())
                    .setSource(file.source());
        } else if (detail instanceof ModelUsage model) {
            made.getModelBuilder()
                    .setProvider(model.provider())
                    .setModel(model.model())
                    .setMode(model.mode())
                    .setInputTokens(model.inputTokens())
                    .setOutputTokens(model.outputTokens())
                    .setCachedTokens(model.cachedTokens())
                    .setCostMicros(model.costMicros())
                    .setCurrency(model.currency())
                    .setLatency(length(model.latency()));
        } else {
            throw Value.invalid("resources are recorded by the server: take one with resource()");
        }
    }

    /** Entries that lie beside a state. */
    static Iterable<dev.contextd.v1.Entry> entries(Map<String, Value> values) {
        List<dev.contextd.v1.Entry> made = new ArrayList<>(values.size());
        values.forEach(
                (key, value) ->
                        made.add(
                                dev.contextd.v1.Entry.newBuilder()
                                        .setKey(key)
                                        .setValue(value.raw())
                                        .setContentType(value.contentType())
                                        .build()));
        return made;
    }
}
