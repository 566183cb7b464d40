package dev.contextd.client.conformance;

import dev.contextd.client.Change;
import dev.contextd.client.Changes;
import dev.contextd.client.Client;
import dev.contextd.client.ContextQuery;
import dev.contextd.client.ContextState;
import dev.contextd.client.DeleteOptions;
import dev.contextd.client.Entry;
import dev.contextd.client.EntryQuery;
import dev.contextd.client.Result;
import dev.contextd.client.Snapshot;
import dev.contextd.client.Value;
import dev.contextd.client.Written;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.yaml.snakeyaml.Yaml;

/** Each operation of the cases; here are those of contexts. */
final class Operations {
    private static final Map<String, Function<Call, Object>> ALL = new HashMap<>();

    static {
        ALL.put("create", Operations::create);
        ALL.put("create_unnamed", Operations::createUnnamed);
        ALL.put("info", call -> Results.tree(call.state().info()));
        ALL.put("get", Operations::get);
        ALL.put("get_json", Operations::getJson);
        ALL.put("contains", Operations::contains);
        ALL.put("snapshot", Operations::snapshot);
        ALL.put("entries", Operations::entries);
        ALL.put("list_contexts", Operations::listContexts);
        ALL.put("list_namespaces", call -> Results.list("namespaces", call.client().namespaces()));
        ALL.put("server_info", call -> Results.tree(call.client().serverInfo()));
        ALL.put("put", Operations::put);
        ALL.put("put_json", Operations::putJson);
        ALL.put("append", Operations::append);
        ALL.put("remove", call -> tree(call.context().remove(call.words().text("key"))));
        ALL.put("update", Operations::update);
        ALL.put("edit", Operations::edit);
        ALL.put("transact", Operations::transact);
        ALL.put("put_all", Operations::putAll);
        ALL.put("delete", Operations::delete);
        ALL.put("snapshots", Operations::snapshots);
        ALL.put("update_all", Operations::updateAll);
        ALL.putAll(SessionOperations.ALL);
        ALL.putAll(HistoryOperations.ALL);
        ALL.putAll(EventOperations.ALL);
        ALL.putAll(ViewOperations.ALL);
        ALL.putAll(RecoveryOperations.ALL);
        ALL.putAll(PointOperations.ALL);
    }

    private Operations() {}

    static Object perform(String name, Call call) {
        Function<Call, Object> operation = ALL.get(name);
        if (operation == null) {
            throw new IllegalArgumentException("the runner has no operation " + name);
        }
        return operation.apply(call);
    }

    private static Object tree(Written written) {
        return Results.tree(written);
    }

    private static Object create(Call call) {
        var context = call.context();
        var properties = call.words().newContext();
        return tree(context.create(properties, call.words().changes()));
    }

    private static Object createUnnamed(Call call) {
        Client client = call.writer();
        var properties = call.words().newContext();
        Changes first = call.words().changes();
        return Map.of("context_id", client.create("", properties, first).id());
    }

    private static Object get(Call call) {
        ContextState state = call.state();
        String key = call.words().text("key");
        Entry found = state.find(key).orElse(null);
        if (found == null) {
            state.get(key); // Which fails as it should.
            throw new IllegalStateException("an entry that is not there was got");
        }
        return Results.entry(found);
    }

    private static Object getJson(Call call) {
        ContextState state = call.state();
        Map<String, Object> made = new LinkedHashMap<>();
        String json = state.getJson(call.words().text("key"));
        made.put("json", Trees.filled(new Yaml().<Object>load(json), Names.of("")));
        return made;
    }

    private static Object contains(Call call) {
        ContextState state = call.state();
        return Map.of("contains", state.contains(call.words().text("key")));
    }

    private static Object snapshot(Call call) {
        ContextState state = call.state();
        Arguments words = call.words();
        if (words.has("keys") && words.has("prefix")) {
            Snapshot some = state.snapshot(words.texts("keys"));
            Map<String, Entry> both = new LinkedHashMap<>(some.entries());
            both.putAll(state.snapshotOfPrefix(words.text("prefix")).entries());
            return Results.tree(new Snapshot(some.version(), some.metadata(), both));
        }
        if (words.has("keys")) {
            return Results.tree(state.snapshot(words.texts("keys")));
        }
        if (words.has("prefix")) {
            return Results.tree(state.snapshotOfPrefix(words.text("prefix")));
        }
        return Results.tree(state.snapshot());
    }

    private static Object entries(Call call) {
        ContextState state = call.state();
        Arguments words = call.words();
        EntryQuery query =
                new EntryQuery(
                        words.text("prefix"),
                        words.text("after"),
                        words.text("before"),
                        words.flag("reverse"),
                        words.number("limit"),
                        words.flag("keys_only"));
        return Results.list("entries", state.entries(query));
    }

    private static Object listContexts(Call call) {
        Client client = call.client();
        Arguments words = call.words();
        words.take("page_size"); // The client chooses it.
        ContextQuery query =
                new ContextQuery(
                        words.text("prefix"),
                        words.text("type"),
                        words.text("parent_id"),
                        words.labels("metadata"),
                        words.flag("deleted"));
        return Results.list("contexts", client.contexts(query));
    }

    private static Object put(Call call) {
        var context = call.context();
        Arguments words = call.words();
        Value value = Arguments.value(words.take("value"));
        if (words.has("content_type")) {
            value = value.withContentType(words.text("content_type"));
        }
        return tree(context.put(words.text("key"), value));
    }

    private static Object putJson(Call call) {
        var context = call.context();
        String json = json(call.words().take("value"));
        return tree(context.put(call.words().text("key"), Value.json(json)));
    }

    private static String json(Object tree) {
        if (tree instanceof Map<?, ?> fields) {
            List<String> made = new ArrayList<>();
            fields.forEach((key, value) -> made.add(json(key) + ":" + json(value)));
            return "{" + String.join(",", made) + "}";
        }
        if (tree instanceof List<?> elements) {
            return "[" + String.join(",", elements.stream().map(Operations::json).toList()) + "]";
        }
        return tree instanceof String text ? '"' + text + '"' : String.valueOf(tree);
    }

    private static Object append(Call call) {
        var context = call.context();
        Arguments words = call.words();
        Value value = Arguments.value(words.take("value"));
        String key = words.text("key");
        return tree(
                words.has("expected_size")
                        ? context.update(
                                new Changes().append(key, value, words.number("expected_size")))
                        : context.append(key, value));
    }

    private static Object update(Call call) {
        var context = call.context();
        return tree(context.update(call.words().changes()));
    }

    private static Value plus(Value old, long add) {
        long before = old == null ? 0 : Long.parseLong(old.text());
        return Value.of(Long.toString(before + add));
    }

    private static Object edit(Call call) {
        var context = call.context();
        long add = call.words().number("add");
        return tree(
                context.edit(
                        call.words().text("key"),
                        old -> java.util.Optional.of(plus(old.orElse(null), add))));
    }

    private static Object transact(Call call) {
        var context = call.context();
        Arguments words = call.words();
        Map<String, Object> added = words.fields("add_each");
        Map<String, Value> set = words.values("set");
        Function<dev.contextd.client.Draft, Boolean> change =
                draft -> {
                    added.forEach(
                            (key, add) ->
                                    draft.put(
                                            key,
                                            plus(
                                                    draft.get(key).orElse(null),
                                                    ((Number) add).longValue())));
                    set.forEach(draft::put);
                    return true;
                };
        if (words.has("keys")) {
            context.transact(words.texts("keys"), change);
        } else {
            context.transact(change);
        }
        return Map.of();
    }

    private static Object putAll(Call call) {
        var context = call.context();
        Map<String, Value> puts = call.words().values("puts");
        return tree(context.putAll(puts, call.words().changes()));
    }

    private static Object delete(Call call) {
        var context = call.context();
        Arguments words = call.words();
        DeleteOptions options =
                new DeleteOptions(
                        words.flag("recursive"),
                        words.flag("purge"),
                        words.flag("allow_missing"),
                        words.optionalNumber("if_version"));
        return Map.of("deleted_count", context.delete(options));
    }

    private static Object snapshots(Call call) {
        List<Object> made = new ArrayList<>();
        for (Result<Snapshot> one : call.client().snapshots(call.words().texts("contexts"))) {
            made.add(
                    one.error() == null
                            ? Results.tree(one.value())
                            : Map.of("error", Results.failure(one.error())));
        }
        return Map.of("results", made);
    }

    private static Object updateAll(Call call) {
        Client client = call.writer();
        List<Change> changes = new ArrayList<>();
        for (Object one : Trees.list(call.words().take("updates"))) {
            Arguments words = new Arguments(one);
            changes.add(new Change(words.text("context"), words.changes()));
        }
        return Results.list("results", client.updateAll(changes));
    }
}
