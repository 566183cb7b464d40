package dev.contextd.client.conformance;

import dev.contextd.client.Context;
import dev.contextd.client.ForkOptions;
import dev.contextd.client.MergeOptions;
import dev.contextd.client.OnConflict;
import dev.contextd.client.RestoreOptions;
import dev.contextd.client.Restored;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Operations on states: restores, forks, merges, differences. */
final class RecoveryOperations {
    static final Map<String, Function<Call, Object>> ALL =
            Map.of(
                    "restore", RecoveryOperations::restore,
                    "fork", RecoveryOperations::fork,
                    "merge", RecoveryOperations::merge,
                    "diff", RecoveryOperations::diff,
                    "sync", RecoveryOperations::sync);

    private RecoveryOperations() {}

    private static Object restore(Call call) {
        Arguments words = call.words();
        Arguments at = new Arguments(words.take("at"));
        RestoreOptions options =
                new RestoreOptions(
                        words.flag("safety_point"),
                        words.flag("undelete"),
                        words.optionalNumber("if_version"));
        Context context = call.context();
        Restored restored;
        if (at.has("point")) {
            restored = context.restore(at.text("point"), options);
        } else if (at.has("version")) {
            restored = context.restore(at.number("version"), options);
        } else {
            restored =
                    at.has("time")
                            ? context.restore(at.time("time"), options)
                            : context.restore(options);
        }
        Map<String, Object> made = Results.fields(restored);
        made.put("version", restored.info().version());
        return made;
    }

    private static Object fork(Call call) {
        Arguments words = call.words();
        ForkOptions options =
                new ForkOptions(
                        words.flag("with_history"),
                        words.flag("with_points"),
                        Optional.ofNullable(words.take("properties"))
                                .map(tree -> new Arguments(tree).newContext()));
        String to = words.text("to");
        return Map.of("context_id", call.state().fork(to, options).id());
    }

    private static OnConflict rule(Object name) {
        String text = String.valueOf(name);
        return text.equals("raise")
                ? OnConflict.FAIL
                : OnConflict.valueOf(text.toUpperCase(Locale.ROOT));
    }

    private static Object merge(Call call) {
        Arguments words = call.words();
        var source = call.state("source");
        Map<String, OnConflict> byKey = new LinkedHashMap<>();
        words.fields("on_conflict_by_key").forEach((key, name) -> byKey.put(key, rule(name)));
        MergeOptions options =
                new MergeOptions(
                        words.has("on_conflict")
                                ? rule(words.take("on_conflict"))
                                : MergeOptions.PLAIN.onConflict(),
                        byKey,
                        words.has("ancestor")
                                ? Optional.of(call.state("ancestor"))
                                : Optional.empty(),
                        words.flag("dry_run"),
                        words.flag("safety_point"),
                        words.optionalNumber("if_version"));
        return Results.tree(call.context().merge(source, options));
    }

    private static Object diff(Call call) {
        Arguments words = call.words();
        var before = call.state("before_state");
        String prefix = words.text("prefix");
        boolean withValues = !words.flag("without_values");
        return Results.list("differences", call.state().diff(before, prefix, withValues));
    }

    private static Object sync(Call call) {
        long have = call.words().number("have_version");
        var synced = call.context().sync(have);
        Map<String, Object> made = Results.fields(synced);
        made.put("version", synced.info().version());
        return made;
    }
}
