package dev.contextd.client.conformance;

import dev.contextd.client.Activity;
import dev.contextd.client.ContextInfo;
import dev.contextd.client.Difference;
import dev.contextd.client.Entry;
import dev.contextd.client.Event;
import dev.contextd.client.FileOperation;
import dev.contextd.client.ModelUsage;
import dev.contextd.client.RecoveryPoint;
import dev.contextd.client.ResourceStep;
import dev.contextd.client.Step;
import dev.contextd.client.TrackedFile;
import dev.contextd.client.Value;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Records whose tree is not that of their components. */
final class Records {
    private Records() {}

    static Map<String, Object> tree(Record record) {
        Map<String, Object> made = Results.fields(record);
        if (record instanceof RecoveryPoint point) {
            made.put("attachments", values(point.attachments()));
            made.put("entries", values(point.entries()));
        } else if (record instanceof TrackedFile file) {
            made.putAll(Results.fields(file.lastOperation()));
        } else if (record instanceof Difference difference) {
            made.put("kind", difference.inMetadata() ? "label" : "entry");
            if (difference.inMetadata()) {
                made.put("before", text(difference.before()));
                made.put("after", text(difference.after()));
            }
        } else if (record instanceof Activity activity) {
            ofActivity(made, activity);
        } else if (record instanceof Step step) {
            return ofStep(made, step);
        }
        return made;
    }

    private static Object values(Map<String, Entry> entries) {
        Map<String, Object> made = new LinkedHashMap<>();
        entries.forEach((key, entry) -> made.put(key, Results.value(entry.value())));
        return made;
    }

    private static Object text(Optional<Entry> label) {
        return label.map(entry -> Results.value(entry.value())).orElse(null);
    }

    private static void ofActivity(Map<String, Object> made, Activity activity) {
        made.put("content_type", activity.data().contentType());
        Object detail = activity.detail().orElse(null);
        made.put("file", detail instanceof FileOperation file ? Results.tree(file) : null);
        made.put("model", detail instanceof ModelUsage model ? Results.tree(model) : null);
        made.put("resource", detail instanceof ResourceStep step ? Results.tree(step) : null);
    }

    /** An event, which is no record: it is read out of its message. */
    static Map<String, Object> tree(Event event) {
        Map<String, Object> made = new LinkedHashMap<>();
        made.put("type", Results.tree(event.type()));
        made.put("cursor", event.cursor());
        made.put("revision", event.revision());
        made.put("context_id", event.context().map(ContextInfo::id).orElse(null));
        made.put("version", event.context().map(ContextInfo::version).orElse(null));
        made.put("mutations", Results.tree(event.steps()));
        made.put("entries", Results.tree(event.entries()));
        made.put("reset", event.reset());
        made.put("session_id", event.sessionId());
        made.put("recovery_point_id", event.pointId());
        made.put("trimmed", Results.tree(event.trimmed()));
        return made;
    }

    private static Map<String, Object> ofStep(Map<String, Object> made, Step step) {
        if (step instanceof Step.Record record) {
            made = tree(record.activity());
        } else if (step instanceof Step.SetExpiry set) {
            made = Results.fields(set.expiry());
        }
        if (made.containsKey("value") && !(step instanceof Step.SetLabel)) {
            made.put("content_type", content(step).contentType());
        }
        made.put("kind", kind(step));
        return made;
    }

    private static Value content(Step step) {
        if (step instanceof Step.Put put) {
            return put.value();
        }
        return step instanceof Step.Append append
                ? append.value()
                : ((Step.Splice) step).value();
    }

    private static String kind(Step step) {
        return switch (step.getClass().getSimpleName()) {
            case "Remove" -> "delete";
            case "RemovePrefix" -> "delete_prefix";
            case "SetLabel" -> "set_metadata";
            case "RemoveLabel" -> "delete_metadata";
            case "SetExpiry" -> "set_expiry";
            case "SetRecoveryPolicy" -> "set_recovery_policy";
            case "Record" -> "activity";
            case "Unknown" -> "unknown";
            default -> step.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
        };
    }
}
