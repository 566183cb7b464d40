package dev.contextd.client.conformance;

import dev.contextd.client.Activity;
import dev.contextd.client.History;
import dev.contextd.client.HistoryQuery;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Operations on what was done in a context. */
final class HistoryOperations {
    static final Map<String, Function<Call, Object>> ALL =
            Map.of(
                    "status", call -> Results.tree(call.context().status()),
                    "record", HistoryOperations::record,
                    "history", HistoryOperations::list,
                    "truncate_history", HistoryOperations::truncate,
                    "optimize_history", HistoryOperations::optimize,
                    "files", HistoryOperations::files,
                    "usage", HistoryOperations::usage,
                    "resources", HistoryOperations::resources);

    private HistoryOperations() {}

    private static Object record(Call call) {
        List<Activity> activities = call.words().activities();
        return Results.tree(call.context().history().recordAll(activities));
    }

    private static Object list(Call call) {
        Arguments words = call.words();
        words.take("page_size"); // The client chooses it.
        HistoryQuery query =
                new HistoryQuery(
                        words.texts("types"),
                        Optional.ofNullable(words.time("start")),
                        Optional.ofNullable(words.time("end")),
                        words.flag("newest_first"),
                        words.number("from_sequence"));
        return Results.list("activities", call.context().history().list(query));
    }

    private static Object truncate(Call call) {
        Arguments words = call.words();
        History history = call.context().history();
        long removed =
                words.has("from_time")
                        ? history.truncateBefore(words.time("from_time"))
                        : history.truncate(words.number("from_sequence"));
        return Map.of("removed_count", removed);
    }

    private static Object optimize(Call call) {
        Arguments words = call.words();
        return Results.tree(
                call.context()
                        .history()
                        .optimize(
                                words.number("max_bytes"),
                                words.number("max_count"),
                                words.flag("deduplicate"),
                                words.flag("dry_run")));
    }

    private static Object files(Call call) {
        call.words().take("page_size"); // The client chooses it.
        String prefix = call.words().text("prefix");
        return Results.list("files", call.context().history().files(prefix));
    }

    private static Object usage(Call call) {
        boolean ofOne = call.words().has("context") || call.words().has("activation");
        return Results.list(
                "totals", ofOne ? call.context().history().usage() : call.client().usage());
    }

    private static Object resources(Call call) {
        call.words().take("page_size"); // The client chooses it.
        return Results.list("resources", call.context().resources());
    }
}
