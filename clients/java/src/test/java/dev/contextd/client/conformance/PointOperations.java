package dev.contextd.client.conformance;

import dev.contextd.client.AsyncContext;
import dev.contextd.client.AsyncPoints;
import dev.contextd.client.Changes;
import dev.contextd.client.NewPoint;
import dev.contextd.client.PointQuery;
import dev.contextd.client.PointUpdate;
import dev.contextd.client.RecoveryPoint;
import dev.contextd.client.Value;
import dev.contextd.client.error.ContextdException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

/** Operations on recovery points. */
final class PointOperations {
    static final Map<String, Function<Call, Object>> ALL =
            Map.of(
                    "checkpoint", PointOperations::create,
                    "point", PointOperations::get,
                    "points", PointOperations::list,
                    "points_of_many", PointOperations::listOfMany,
                    "update_point", PointOperations::update,
                    "attach", PointOperations::attach,
                    "delete_point", PointOperations::delete,
                    "prune_points", PointOperations::prune,
                    "prune_points_of_many", PointOperations::pruneOfMany,
                    "batch_points", PointOperations::batch);

    private PointOperations() {}

    private static NewPoint newPoint(Arguments words) {
        Changes changes =
                words.has("changes")
                        ? new Arguments(words.take("changes")).changes()
                        : new Changes();
        return new NewPoint(
                words.text("point"),
                words.labels("metadata"),
                words.values("attachments"),
                words.has("ttl") ? Optional.of(words.seconds("ttl")) : Optional.empty(),
                words.flag("pinned"),
                words.flag("replace"),
                words.text("from_point"),
                words.conditions(changes),
                words.flag("move_head"));
    }

    private static PointQuery query(Arguments words) {
        return new PointQuery(
                words.labels("metadata"),
                words.text("before_point"),
                words.text("ancestors_of"),
                words.flag("entries"),
                words.flag("attachments"),
                words.texts("keys"));
    }

    private static List<String> removed(Map<String, Object> fields) {
        return fields.entrySet().stream()
                .filter(field -> field.getValue() == null)
                .map(Map.Entry::getKey)
                .toList();
    }

    private static PointUpdate pointUpdate(Arguments words) {
        Map<String, Object> labels = words.fields("metadata");
        Map<String, String> set = new LinkedHashMap<>();
        labels.forEach((key, label) -> set.put(key, (String) label));
        set.values().removeIf(Objects::isNull);
        Map<String, Object> attachments = words.fields("attachments");
        Map<String, Value> put = new LinkedHashMap<>();
        attachments.forEach(
                (key, value) -> {
                    if (value != null) {
                        put.put(key, Arguments.value(value));
                    }
                });
        return new PointUpdate(
                set,
                removed(labels),
                put,
                words.values("add_attachments"),
                removed(attachments),
                words.has("ttl") ? Optional.of(words.seconds("ttl")) : Optional.empty(),
                words.flag("clear_expiry"),
                words.has("pinned") ? Optional.of(words.flag("pinned")) : Optional.empty());
    }

    private static Object create(Call call) {
        NewPoint point = newPoint(call.words());
        return Results.tree(call.context().points().create(point));
    }

    private static Object get(Call call) {
        String id = call.words().text("point");
        PointQuery query = query(call.words());
        return Results.tree(call.context().points().get(id, query));
    }

    private static Object list(Call call) {
        call.words().take("page_size"); // The client chooses it.
        PointQuery query = query(call.words());
        return Results.list("points", call.context().points().list(query));
    }

    private static Object listOfMany(Call call) {
        call.words().take("page_size"); // The client chooses it.
        PointQuery query = query(call.words());
        String prefix = call.words().text("prefix");
        return Results.list("points", call.client().points(prefix, query));
    }

    private static Object update(Call call) {
        String id = call.words().text("point");
        PointUpdate update = pointUpdate(call.words());
        return Results.tree(call.context().points().update(id, update));
    }

    private static Object attach(Call call) {
        String id = call.words().text("point");
        PointUpdate update = pointUpdate(call.words());
        call.context().points().attach(id, update);
        return Map.of();
    }

    private static Object delete(Call call) {
        String id = call.words().text("point");
        call.context().points().delete(id);
        return Map.of();
    }

    private static Object prune(Call call) {
        Arguments words = call.words();
        boolean dry = words.flag("dry_run");
        var points = call.context().points();
        return Results.tree(
                words.has("policy")
                        ? points.prune(Arguments.retention(words.take("policy")), dry)
                        : points.pruneLabelled(words.labels("metadata"), dry));
    }

    private static Object pruneOfMany(Call call) {
        Arguments words = call.words();
        boolean dry = words.flag("dry_run");
        String prefix = words.text("prefix");
        var client = call.client();
        return Results.tree(
                words.has("policy")
                        ? client.prunePoints(
                                prefix, Arguments.retention(words.take("policy")), dry)
                        : client.prunePointsLabelled(prefix, words.labels("metadata"), dry));
    }

    /** What is given at once goes out together: the client for futures has no call for it. */
    private static Object batch(Call call) {
        List<CompletableFuture<?>> running = new ArrayList<>();
        for (Object operation : Trees.list(call.words().take("operations"))) {
            Trees.map(operation)
                    .forEach((kind, tree) -> running.add(begun(kind, call.with(tree))));
        }
        return Map.of("results", running.stream().map(PointOperations::told).toList());
    }

    private static CompletableFuture<?> begun(String kind, Call call) {
        Arguments words = call.words();
        AsyncContext context = call.client().async().context(words.text("context"));
        AsyncPoints points = context.points();
        CompletableFuture<?> made =
                switch (kind) {
                    case "create" -> points.create(newPoint(words));
                    case "get" -> points.get(words.text("point"), query(words));
                    case "update" -> points.update(words.text("point"), pointUpdate(words));
                    default -> points.delete(words.text("point"));
                };
        words.nothingLeft();
        return made;
    }

    private static Map<String, Object> told(CompletableFuture<?> running) {
        Map<String, Object> made = new HashMap<>();
        try {
            made.put("point", running.join() instanceof RecoveryPoint point
                    ? Results.tree(point)
                    : null);
        } catch (CompletionException failed) {
            if (!(failed.getCause() instanceof ContextdException error)) {
                throw failed;
            }
            made.put("error", Results.failure(error));
        }
        return made;
    }
}
