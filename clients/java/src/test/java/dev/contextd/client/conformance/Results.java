package dev.contextd.client.conformance;

import dev.contextd.client.Entry;
import dev.contextd.client.Event;
import dev.contextd.client.Snapshot;
import dev.contextd.client.Value;
import dev.contextd.client.error.ContextdException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** What the client gives, as plain trees: records are maps of their components. */
final class Results {
    private static final Set<String> NO_FIELDS =
            Set.of("getClass", "hashCode", "toString", "failure", "text", "code", "retryDelay");

    private Results() {}

    static Object tree(Object thing) {
        if (thing instanceof Optional<?> optional) {
            return optional.map(Results::tree).orElse(null);
        }
        if (thing instanceof OptionalLong optional) {
            return optional.isPresent() ? optional.getAsLong() : null;
        }
        if (thing instanceof Instant time) {
            return ChronoUnit.MICROS.between(Instant.EPOCH, time);
        }
        if (thing instanceof Duration length) {
            return length.toNanos() / 1e9;
        }
        if (thing instanceof Integer number) {
            return number.longValue();
        }
        if (thing instanceof Value value) {
            return value(value);
        }
        if (thing instanceof Entry entry) {
            return entry(entry);
        }
        if (thing instanceof Snapshot snapshot) {
            return snapshot(snapshot);
        }
        return ofContainer(thing);
    }

    private static Object ofContainer(Object thing) {
        if (thing instanceof Map<?, ?> fields) {
            Map<String, Object> made = new LinkedHashMap<>();
            fields.forEach((key, value) -> made.put(String.valueOf(key), tree(value)));
            return made;
        }
        if (thing instanceof Collection<?> elements) {
            List<Object> made = new ArrayList<>();
            elements.forEach(element -> made.add(tree(element)));
            return made;
        }
        if (thing instanceof Enum<?> named) {
            return named.name().toLowerCase(Locale.ROOT);
        }
        if (thing instanceof Event event) {
            return Records.tree(event);
        }
        return thing instanceof Record record ? Records.tree(record) : thing;
    }

    /** A list of results, under its name. */
    static Map<String, Object> list(String name, Iterable<?> rows) {
        List<Object> made = new ArrayList<>();
        rows.forEach(row -> made.add(tree(row)));
        return Map.of(name, made);
    }

    /** The components of a record. */
    static Map<String, Object> fields(Record record) {
        Map<String, Object> made = new LinkedHashMap<>();
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            made.put(snake(component.getName()), tree(called(component.getAccessor(), record)));
        }
        if (made.containsKey("point_id")) {
            made.put("point", made.remove("point_id"));
        }
        return made;
    }

    private static Object called(Method method, Object thing) {
        try {
            return method.invoke(thing);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String snake(String name) {
        return name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    static Object value(Value value) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(value.bytes()))
                    .toString();
        } catch (CharacterCodingException error) {
            return Map.of("hex", HexFormat.of().formatHex(value.bytes()));
        }
    }

    static Map<String, Object> entry(Entry entry) {
        Map<String, Object> made = new LinkedHashMap<>();
        made.put("key", entry.key());
        made.put("value", value(entry.value()));
        made.put("content_type", entry.value().contentType());
        made.put("version", entry.version());
        return made;
    }

    static Map<String, Object> snapshot(Snapshot snapshot) {
        Map<String, Object> entries = new LinkedHashMap<>();
        snapshot.entries().forEach((key, entry) -> entries.put(key, value(entry.value())));
        Map<String, Object> made = new LinkedHashMap<>();
        made.put("version", snapshot.version());
        made.put("metadata", tree(snapshot.metadata()));
        made.put("entries", entries);
        return made;
    }

    /** A failure, with the typed fields of its class. */
    static Map<String, Object> failure(ContextdException error) {
        Map<String, Object> made = new LinkedHashMap<>();
        for (Method method : error.getClass().getMethods()) {
            if (method.getParameterCount() == 0
                    && ContextdException.class.isAssignableFrom(method.getDeclaringClass())
                    && !NO_FIELDS.contains(method.getName())) {
                made.put(snake(method.getName()), tree(called(method, error)));
            }
        }
        List<Object> above = new ArrayList<>();
        for (Class<?> kind = error.getClass(); kind != ContextdException.class; ) {
            above.add(kind.getSimpleName().replace("Exception", ""));
            kind = kind.getSuperclass();
        }
        made.put("class", above.isEmpty() ? "Contextd" : above.remove(0));
        made.put("is", above);
        made.put("message", error.text());
        made.put("status", error.code().name());
        Object requestId = made.get("request_id");
        made.put("request_id", "".equals(requestId) ? null : requestId);
        return made;
    }
}
