package dev.contextd.client;

import com.google.protobuf.Duration;
import dev.contextd.v1.Activity;
import dev.contextd.v1.Entry;
import dev.contextd.v1.ModelUsage;
import dev.contextd.v1.Mutation;
import dev.contextd.v1.NewContext;
import dev.contextd.v1.Precondition;
import dev.contextd.v1.RecoveryPolicy;
import dev.contextd.v1.RetentionPolicy;
import dev.contextd.v1.StateRef;
import dev.contextd.v1.WriteOptions;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** What the parts of requests must be: the server's rules, in its order and with its words. */
final class PartRules {
    private static final int MUTATIONS = 10_000;
    private static final int PRECONDITIONS = 1000;
    private static final int ATTACHMENTS = 10_000;
    private static final int PATH = 2048;
    private static final int SOURCE = 256;
    private static final Pattern CURRENCY = Pattern.compile("([A-Z]{3})?");
    private static final String UNKNOWN = "must be set to a known kind";

    private PartRules() {}

    static void context(String namespace, String id) {
        Names.namespace("namespace", namespace);
        Names.name("context_id", id, 1, Names.ID);
    }

    /** A context that may be left out. */
    static void optionalContext(String namespace, String id) {
        Names.namespace("namespace", namespace);
        Names.name("context_id", id, 0, Names.ID);
    }

    static void session(String id) {
        Names.name("session_id", id, 1, Names.ID);
    }

    static void write(WriteOptions write) {
        Names.text("write.request_id", write.getRequestId(), Names.REQUEST_ID);
        Names.name("write.session_id", write.getSessionId(), 0, Names.ID);
    }

    static void state(String field, StateRef state) {
        Names.inside(
                field,
                () -> {
                    context(state.getNamespace(), state.getContextId());
                    if (state.hasVersion()) {
                        version(state.getVersion());
                    } else if (state.hasRecoveryPointId()) {
                        point(state.getRecoveryPointId());
                    }
                });
    }

    /** The version of a state. The server takes 0 for the newest; here that has its own name. */
    static void version(long version) {
        if (version < 1) {
            throw Names.invalid("version", "must be at least 1");
        }
    }

    /** The recovery point of a state. */
    static void point(String id) {
        Names.name("recovery_point_id", id, 1, Names.POINT_ID);
    }

    /** A state of the namespace of the rest; empty is the default one. */
    static void sameNamespace(String field, StateRef state, String rest) {
        String wanted = rest.isEmpty() ? "default" : rest;
        String namespace = state.getNamespace().isEmpty() ? "default" : state.getNamespace();
        if (!namespace.equals(wanted)) {
            throw Names.invalid(
                    field + ".namespace", "must be the one of the rest: a request concerns one");
        }
    }

    /** How a context begins, if it is said; {@code id} is its own. */
    static void newContext(String field, boolean said, NewContext context, String id) {
        if (!said) {
            return;
        }
        Names.inside(field, () -> newContext(context));
        if (!id.isEmpty() && context.getParentId().equals(id)) {
            throw Names.invalid(field + ".parent_id", "must not be the context itself");
        }
    }

    private static void newContext(NewContext context) {
        Names.name("type", context.getType(), 0, Names.TYPE);
        Names.name("parent_id", context.getParentId(), 0, Names.ID);
        Names.labels("metadata", context.getMetadataMap());
        ttl("expiry.ttl", context.getExpiry().hasTtl(), context.getExpiry().getTtl());
        Names.inside("recovery_policy", () -> policy(context.getRecoveryPolicy()));
    }

    static void ttl(String field, boolean given, Duration ttl) {
        if (given) {
            Names.length(field, ttl, 0, Names.TTL_SECONDS);
        }
    }

    private static void policy(RecoveryPolicy policy) {
        if (policy.hasRetention()) {
            Names.inside("retention", () -> retention(policy.getRetention()));
        }
        ttl("point_every", policy.hasPointEvery(), policy.getPointEvery());
    }

    static void retention(RetentionPolicy rules) {
        ttl("keep_within", rules.hasKeepWithin(), rules.getKeepWithin());
        boolean some =
                rules.getKeepLast() != 0 || rules.getKeepEvery() != 0 || rules.hasKeepWithin();
        if (!some) {
            throw Names.invalid("", "must have at least one rule");
        }
    }

    static void mutations(List<Mutation> steps, int min) {
        Names.count("mutations", steps.size(), min, MUTATIONS);
        Names.each("mutations", steps, PartRules::mutation);
    }

    private static void mutation(Mutation step) {
        switch (step.getKindCase()) {
            case PUT_ENTRY -> {
                var put = step.getPutEntry();
                Names.inside("put_entry", () -> entry(put.getKey(), put.getContentType()));
            }
            case APPEND_ENTRY -> {
                var add = step.getAppendEntry();
                Names.inside("append_entry", () -> entry(add.getKey(), add.getContentType()));
            }
            case DELETE_ENTRY ->
                    Names.name("delete_entry.key", step.getDeleteEntry().getKey(), 1, Names.KEY);
            case DELETE_ENTRIES ->
                    Names.name(
                            "delete_entries.prefix",
                            step.getDeleteEntries().getPrefix(),
                            0,
                            Names.KEY);
            case SET_METADATA -> {
                var set = step.getSetMetadata();
                Names.inside("set_metadata", () -> Names.label(set.getKey(), set.getValue()));
            }
            case DELETE_METADATA ->
                    Names.name(
                            "delete_metadata.key",
                            step.getDeleteMetadata().getKey(),
                            1,
                            Names.LABEL_KEY);
            case SET_EXPIRY -> {
                var expiry = step.getSetExpiry();
                ttl("set_expiry.ttl", expiry.hasTtl(), expiry.getTtl());
            }
            case RECORD_ACTIVITY ->
                    Names.inside("record_activity", () -> activity(step.getRecordActivity()));
            case SET_RECOVERY_POLICY ->
                    Names.inside(
                            "set_recovery_policy.policy",
                            () -> policy(step.getSetRecoveryPolicy().getPolicy()));
            case SPLICE_ENTRY -> throw Names.invalid("splice_entry", "only events have it");
            case KIND_NOT_SET -> throw Names.invalid("", UNKNOWN);
        }
    }

    private static void entry(String key, String contentType) {
        Names.name("key", key, 1, Names.KEY);
        Names.text("content_type", contentType, Names.CONTENT_TYPE);
    }

    static void activity(Activity activity) {
        switch (activity.getDetailCase()) {
            case FILE -> {
                var file = activity.getFile();
                Names.count("file.path", file.getPath().length(), 1, Integer.MAX_VALUE);
                Names.text("file.path", file.getPath(), PATH);
                Names.text("file.operation", file.getOperation(), Names.TYPE);
                Names.text("file.source", file.getSource(), SOURCE);
            }
            case MODEL -> Names.inside("model", () -> model(activity.getModel()));
            default -> {
                if (activity.getType().isEmpty()) {
                    throw Names.invalid("type", "must not be empty without a detail");
                }
            }
        }
        Names.name("type", activity.getType(), 0, Names.TYPE);
        Names.text("content_type", activity.getContentType(), Names.CONTENT_TYPE);
        Names.labels("metadata", activity.getMetadataMap());
    }

    private static void model(ModelUsage usage) {
        Names.name("provider", usage.getProvider(), 0, Names.ID);
        Names.name("model", usage.getModel(), 0, Names.ID);
        Names.name("mode", usage.getMode(), 0, Names.ID);
        if (!CURRENCY.matcher(usage.getCurrency()).matches()) {
            throw Names.invalid("currency", "must be three capital letters, such as EUR");
        }
        Duration latency = usage.getLatency();
        if (latency.getSeconds() < 0 || latency.getNanos() < 0) {
            throw Names.invalid("latency", "must not be negative");
        }
        ttl("latency", latency.getSeconds() > 0, latency);
    }

    static void preconditions(List<Precondition> conditions) {
        Names.count("preconditions", conditions.size(), 0, PRECONDITIONS);
        Names.each("preconditions", conditions, PartRules::precondition);
    }

    private static void precondition(Precondition condition) {
        switch (condition.getKindCase()) {
            case ENTRY -> Names.name("entry.key", condition.getEntry().getKey(), 1, Names.KEY);
            case KIND_NOT_SET -> throw Names.invalid("", UNKNOWN);
            default -> {}
        }
    }

    static void attachments(String field, List<Entry> entries) {
        Names.count(field, entries.size(), 0, ATTACHMENTS);
        Names.each(field, entries, each -> entry(each.getKey(), each.getContentType()));
    }

    static void keysOfAttachments(String field, List<String> keys) {
        Names.names(field, keys, ATTACHMENTS, Names.KEY);
    }

    /** Each is named once, by whichever field; {@code seen} are those of the fields before. */
    static void once(String field, String inner, List<String> keys, Set<String> seen) {
        for (int i = 0; i < keys.size(); i++) {
            if (!seen.add(keys.get(i))) {
                throw Names.invalid(field + "[" + i + "]" + inner, "must not be named twice");
            }
        }
    }
}
