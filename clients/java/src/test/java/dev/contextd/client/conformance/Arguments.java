package dev.contextd.client.conformance;

import dev.contextd.client.Activity;
import dev.contextd.client.Changes;
import dev.contextd.client.Expiry;
import dev.contextd.client.FileOperation;
import dev.contextd.client.ModelUsage;
import dev.contextd.client.NewContext;
import dev.contextd.client.RecoveryPolicy;
import dev.contextd.client.RetentionPolicy;
import dev.contextd.client.Value;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The arguments of an operation. What is left at its end is a mistake of the runner. */
final class Arguments {
    private final Map<String, Object> left;

    Arguments(Object tree) {
        left = Trees.map(tree);
    }

    boolean has(String name) {
        return left.containsKey(name);
    }

    Object take(String name) {
        return left.remove(name);
    }

    String text(String name) {
        Object found = take(name);
        return found == null ? "" : (String) found;
    }

    long number(String name) {
        return take(name) instanceof Number number ? number.longValue() : 0;
    }

    OptionalLong optionalNumber(String name) {
        return has(name) ? OptionalLong.of(number(name)) : OptionalLong.empty();
    }

    /** A time; null where it is absent. */
    Instant time(String name) {
        return has(name) ? Instant.EPOCH.plus(number(name), ChronoUnit.MICROS) : null;
    }

    boolean flag(String name) {
        return Boolean.TRUE.equals(take(name));
    }

    Duration seconds(String name) {
        return length(take(name));
    }

    List<String> texts(String name) {
        return Trees.list(take(name)).stream().map(String::valueOf).toList();
    }

    Map<String, Object> fields(String name) {
        return Trees.map(take(name));
    }

    Map<String, String> labels(String name) {
        Map<String, String> made = new LinkedHashMap<>();
        fields(name).forEach((key, value) -> made.put(key, (String) value));
        return made;
    }

    Map<String, Value> values(String name) {
        Map<String, Value> made = new LinkedHashMap<>();
        fields(name).forEach((key, value) -> made.put(key, value(value)));
        return made;
    }

    void nothingLeft() {
        if (!left.isEmpty()) {
            throw new IllegalArgumentException("the runner does not use " + left.keySet());
        }
    }

    static Duration length(Object seconds) {
        return Duration.ofNanos(Math.round(((Number) seconds).doubleValue() * 1e9));
    }

    private static Optional<Duration> optionalLength(Object seconds) {
        return Optional.ofNullable(seconds).map(Arguments::length);
    }

    static Value value(Object written) {
        if (written instanceof String text) {
            return Value.of(text);
        }
        Map<String, Object> fields = Trees.map(written);
        if (fields.containsKey("hex")) {
            return Value.of(HexFormat.of().parseHex((String) fields.get("hex")));
        }
        return value(fields.get("value")).withContentType((String) fields.get("content_type"));
    }

    static Expiry expiry(Object written) {
        Arguments words = new Arguments(written);
        return new Expiry(optionalLength(words.take("ttl")), words.flag("sliding"));
    }

    static RetentionPolicy retention(Object written) {
        Arguments rules = new Arguments(written);
        return new RetentionPolicy(
                rules.number("keep_last"),
                rules.number("keep_every"),
                optionalLength(rules.take("keep_within")));
    }

    static RecoveryPolicy policy(Object written) {
        Arguments words = new Arguments(written);
        return new RecoveryPolicy(
                Optional.ofNullable(words.take("retention")).map(Arguments::retention),
                words.number("point_every_changes"),
                optionalLength(words.take("point_every")));
    }

    /** Takes those arguments that say how a context begins. */
    NewContext newContext() {
        return new NewContext(
                text("type"),
                text("parent_id"),
                labels("metadata"),
                Optional.ofNullable(take("expiry")).map(Arguments::expiry),
                Optional.ofNullable(take("recovery_policy")).map(Arguments::policy),
                flag("create_parent"));
    }

    /** Takes the steps of a change: first what goes, then what comes. */
    Changes changes() {
        Changes made = new Changes();
        texts("delete_prefixes").forEach(made::removePrefix);
        texts("deletes").forEach(made::remove);
        values("puts").forEach(made::put);
        values("appends").forEach(made::append);
        labels("metadata")
                .forEach(
                        (key, label) -> {
                            if (label == null) {
                                made.removeLabel(key);
                            } else {
                                made.label(key, label);
                            }
                        });
        if (has("expiry")) {
            made.expiry(expiry(take("expiry")));
        }
        if (has("recovery_policy")) {
            made.recoveryPolicy(policy(take("recovery_policy")));
        }
        activities().forEach(made::record);
        return conditions(made);
    }

    /** Takes the conditions of a change. */
    Changes conditions(Changes made) {
        fields("if_entries").forEach((key, of) -> made.ifEntry(key, ((Number) of).longValue()));
        if (has("if_version")) {
            made.ifVersion(number("if_version"));
        }
        return made;
    }

    List<Activity> activities() {
        return Trees.list(take("activities")).stream().map(Arguments::activity).toList();
    }

    private static Activity activity(Object written) {
        Arguments words = new Arguments(written);
        if (words.has("file")) {
            Arguments file = new Arguments(words.take("file"));
            return Activity.of(
                    new FileOperation(
                            file.text("path"), file.text("operation"), file.text("source")));
        }
        if (words.has("model")) {
            Arguments model = new Arguments(words.take("model"));
            return Activity.of(
                    new ModelUsage(
                            model.text("provider"),
                            model.text("model"),
                            model.text("mode"),
                            model.number("input_tokens"),
                            model.number("output_tokens"),
                            model.number("cached_tokens"),
                            model.number("cost_micros"),
                            model.text("currency"),
                            model.has("latency") ? model.seconds("latency") : Duration.ZERO));
        }
        Value data = words.has("data") ? value(words.take("data")) : Value.of(new byte[0]);
        if (words.has("content_type")) {
            data = data.withContentType(words.text("content_type"));
        }
        return new Activity(words.text("type"), data, words.labels("metadata"));
    }
}
