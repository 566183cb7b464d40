package dev.contextd.client;

import dev.contextd.client.error.ConflictException;
import dev.contextd.client.error.ContextNotFoundException;
import dev.contextd.client.error.EntryNotFoundException;
import dev.contextd.client.error.Failure;
import dev.contextd.client.error.ResponseTooLargeException;
import dev.contextd.client.error.StateNotRetainedException;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.ContextView;
import dev.contextd.v1.CreateContextRequest;
import dev.contextd.v1.DeleteContextRequest;
import dev.contextd.v1.GetContextRequest;
import dev.contextd.v1.UpdateContextRequest;
import dev.contextd.v1.UpdateContextResponse;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.Supplier;

/** Every operation on the entries of a context, once for both forms of the client. */
final class EntryCalls {
    private static final MethodDescriptor<byte[], UpdateContextResponse> UPDATE_ENCODED =
            LaneKind.encoded(
                    ContextManagerGrpc.getUpdateContextMethod(),
                    UpdateContextResponse.getDefaultInstance());
    private static final int KEYS_MAX = 10_000;

    private EntryCalls() {}

    private static <T> Pending<T> get(
            Target target,
            ContextView view,
            Collection<String> keys,
            String prefix,
            Function<dev.contextd.v1.Context, T> read) {
        return Pending.start(
                () -> {
                    Names.count("keys", keys.size(), 0, KEYS_MAX);
                    GetContextRequest.Builder request =
                            GetContextRequest.newBuilder()
                                    .setState(target.state())
                                    .setView(view)
                                    .setKeyPrefix(prefix);
                    for (String key : keys) {
                        String field = "keys[" + request.getKeysCount() + "]";
                        Names.name(field, key, 1, Names.KEY);
                        request.addKeys(key);
                    }
                    return target.read(
                            ContextManagerGrpc.getGetContextMethod(),
                            request.build(),
                            response -> read.apply(response.getContext()));
                });
    }

    static Pending<ContextInfo> info(Target target) {
        return get(target, ContextView.CONTEXT_VIEW_BASIC, List.of(), "", Messages::info);
    }

    static Pending<Boolean> contains(Target target, String key) {
        return get(
                target,
                ContextView.CONTEXT_VIEW_KEYS,
                List.of(key),
                "",
                context -> context.getEntriesCount() > 0);
    }

    static Pending<Optional<Entry>> find(Target target, String key) {
        return get(
                target,
                ContextView.CONTEXT_VIEW_FULL,
                List.of(key),
                "",
                context ->
                        context.getEntriesCount() == 0
                                ? Optional.empty()
                                : Optional.of(Messages.entry(context.getEntries(0))));
    }

    static Pending<Entry> entry(Target target, String key) {
        return find(target, key)
                .map(
                        found ->
                                found.orElseThrow(
                                        () -> {
                                            String message = "there is no entry " + key;
                                            return new EntryNotFoundException(
                                                    Failure.of(Status.Code.NOT_FOUND, message)
                                                            .withReason("", Map.of("key", key)));
                                        }));
    }

    static Source<Entry> entries(Target target, EntryQuery query) {
        return new EntrySource(target, query, 0);
    }

    /** A whole state, or some keys of it; in pieces where it does not fit into one message. */
    static Pending<Snapshot> snapshot(Target target, Collection<String> keys, String prefix) {
        boolean nothing = keys != null && keys.isEmpty() && prefix.isEmpty();
        ContextView view =
                nothing ? ContextView.CONTEXT_VIEW_BASIC : ContextView.CONTEXT_VIEW_FULL;
        Collection<String> named = keys == null ? List.of() : keys;
        return get(target, view, named, prefix, Messages::snapshot)
                .recover(
                        error ->
                                error instanceof ResponseTooLargeException
                                        ? large(target, keys, prefix, 0)
                                        : Pending.failed(error));
    }

    private static Pending<Snapshot> large(
            Target target, Collection<String> keys, String prefix, int attempt) {
        Pending<Snapshot> read =
                info(target)
                        .then(
                                info -> {
                                    boolean byPoint = !target.at().pointId().isEmpty();
                                    Target state =
                                            byPoint
                                                    ? target
                                                    : target.at(Target.At.version(info.version()));
                                    return pieces(state, keys, prefix, info.version())
                                            .map(
                                                    entries ->
                                                            Snapshot.of(
                                                                    info.version(),
                                                                    info.metadata(),
                                                                    entries));
                                });
        return read.recover(
                error -> {
                    // So many changes came while it was read that its version is gone.
                    boolean again =
                            error instanceof StateNotRetainedException
                                    && target.at().isNewest()
                                    && attempt + 1 < target.core().retry.attempts();
                    return again
                            ? large(target, keys, prefix, attempt + 1)
                            : Pending.failed(error);
                });
    }

    static Pending<List<Entry>> pieces(
            Target state, Collection<String> keys, String prefix, long version) {
        if (keys == null || !prefix.isEmpty()) {
            EntryQuery query = EntryQuery.prefixed(prefix);
            Pending<List<Entry>> found = Source.all(new EntrySource(state, query, version));
            return keys == null || keys.isEmpty()
                    ? found
                    : found.then(entries -> more(state, new TreeSet<>(keys), entries));
        }
        return more(state, new TreeSet<>(keys), new ArrayList<>());
    }

    private static Pending<List<Entry>> more(
            Target state, TreeSet<String> keys, List<Entry> found) {
        found.forEach(entry -> keys.remove(entry.key()));
        if (keys.isEmpty()) {
            return Pending.done(found);
        }
        String key = keys.pollFirst();
        return find(state, key)
                .then(
                        entry -> {
                            entry.ifPresent(found::add);
                            return more(state, keys, found);
                        });
    }

    static Pending<Written> update(Target target, Changes changes) {
        return Pending.start(
                () -> {
                    target.check();
                    Names.count("mutations", changes.steps().size(), 1, Integer.MAX_VALUE);
                    String id = target.nextRequestId();
                    UpdateContextRequest.Builder request =
                            UpdateContextRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .addAllMutations(changes.steps())
                                    .addAllPreconditions(changes.conditions())
                                    .setWrite(target.write(id));
                    if (target.create() != null) {
                        request.setCreateIfMissing(
                                Requests.newContext("create_if_missing", target.create()));
                    }
                    return send(target, request.build(), id);
                });
    }

    private static Pending<Written> send(Target target, UpdateContextRequest request, String id) {
        Lane lane = target.core().updates;
        if (lane == null) {
            return target.send(
                    ContextManagerGrpc.getUpdateContextMethod(),
                    request,
                    id,
                    response -> written(response, id));
        }
        return target.submit(
                lane,
                new LaneOperation<>(
                        new LaneOperation.Key(target.namespace(), target.id()),
                        UPDATE_ENCODED,
                        0,
                        request.toByteArray(),
                        id,
                        target.deadline(),
                        response -> written((UpdateContextResponse) response, id)));
    }

    private static Written written(UpdateContextResponse response, String id) {
        return Messages.written(response.getVersion(), response.getWrite(), id);
    }

    /** What was created: its id, which the server makes up where none was given. */
    record Created(String id, Written written) {}

    static Pending<Created> create(Target target, NewContext properties, Changes first) {
        return Pending.start(
                () -> {
                    Names.namespace("namespace", target.namespace());
                    Names.name("context_id", target.id(), 0, Names.ID);
                    if (!first.conditions().isEmpty()) {
                        throw new IllegalArgumentException(
                                "a create has no conditions: it fails where there is a context");
                    }
                    String id = target.nextRequestId();
                    CreateContextRequest request =
                            CreateContextRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setProperties(Requests.newContext("properties", properties))
                                    .addAllMutations(first.steps())
                                    .setWrite(target.write(id, false))
                                    .build();
                    return target.send(
                            ContextManagerGrpc.getCreateContextMethod(),
                            request,
                            id,
                            response ->
                                    new Created(
                                            response.getContext().getId(),
                                            Messages.written(
                                                    response.getContext().getVersion(),
                                                    response.getWrite(),
                                                    id)));
                });
    }

    static Pending<Long> delete(Target target, DeleteOptions options) {
        return Pending.start(
                () -> {
                    target.check();
                    String id = target.nextRequestId();
                    DeleteContextRequest.Builder request =
                            DeleteContextRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setAllowMissing(options.allowMissing())
                                    .setRecursive(options.recursive())
                                    .setPurge(options.purge())
                                    .setWrite(target.write(id));
                    options.ifVersion()
                            .ifPresent(v -> request.addPreconditions(Requests.ifVersion(v)));
                    return target.send(
                            ContextManagerGrpc.getDeleteContextMethod(),
                            request.build(),
                            id,
                            response -> response.getDeletedCount());
                });
    }

    /** What is changed is there, or may be created. */
    private static <T> Pending<T> orMissing(Target target, Pending<T> read, T missing) {
        return read.recover(
                error ->
                        error instanceof ContextNotFoundException && target.create() != null
                                ? Pending.done(missing)
                                : Pending.failed(error));
    }

    static Pending<Written> edit(
            Target target,
            String key,
            Function<Optional<Value>, Optional<Value>> change,
            Executor executor) {
        return again(
                target.core(),
                () ->
                        orMissing(target, find(target, key), Optional.<Entry>empty())
                                .then(
                                        executor,
                                        old -> {
                                            Changes changes = new Changes();
                                            change.apply(old.map(Entry::value))
                                                    .ifPresentOrElse(
                                                            value -> changes.put(key, value),
                                                            () -> changes.remove(key));
                                            long version = old.map(Entry::version).orElse(0L);
                                            return update(target, changes.ifEntry(key, version));
                                        }),
                0);
    }

    static <T> Pending<T> transact(
            Target target, Collection<String> keys, Function<Draft, T> change, Executor executor) {
        return again(
                target.core(),
                () ->
                        orMissing(target, snapshot(target, keys, ""), Snapshot.EMPTY)
                                .then(
                                        executor,
                                        old -> {
                                            Draft draft = new Draft(old, keys);
                                            T result = change.apply(draft);
                                            Changes changes = draft.changes();
                                            return changes.isEmpty()
                                                    ? Pending.done(result)
                                                    : update(target, draft.guarded(changes))
                                                            .map(written -> result);
                                        }),
                0);
    }

    /** Does something until nobody else was faster. */
    static <T> Pending<T> again(Core core, Supplier<Pending<T>> attempt, int lost) {
        return attempt.get()
                .recover(
                        error -> {
                            if (!(error instanceof ConflictException)
                                    || lost + 1 >= core.retry.attempts()) {
                                return Pending.failed(error);
                            }
                            double random = ThreadLocalRandom.current().nextDouble();
                            Pending<T> next = new Pending<>();
                            core.timers.after(
                                    core.retry.conflictDelayNanos(lost, random),
                                    next,
                                    () -> next.follow(again(core, attempt, lost + 1)));
                            return next;
                        });
    }
}
