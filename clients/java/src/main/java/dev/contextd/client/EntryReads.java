package dev.contextd.client;

import dev.contextd.client.error.EntryNotFoundException;
import dev.contextd.client.error.Failure;
import dev.contextd.client.error.ResponseTooLargeException;
import dev.contextd.client.error.StateNotRetainedException;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.ContextView;
import dev.contextd.v1.GetContextRequest;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;

/** Reads entries, once for both forms of the client: some, or a whole state however large. */
final class EntryReads {
    private EntryReads() {}

    private static <T> Pending<T> get(
            Target target,
            ContextView view,
            Collection<String> keys,
            String prefix,
            Function<dev.contextd.v1.Context, T> read) {
        return Pending.start(
                () -> {
                    GetContextRequest request =
                            GetContextRequest.newBuilder()
                                    .setState(target.state())
                                    .setView(view)
                                    .addAllKeys(keys)
                                    .setKeyPrefix(prefix)
                                    .build();
                    return target.read(
                            ContextManagerGrpc.getGetContextMethod(),
                            request,
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
                                    boolean byPoint = target.at().pointId() != null;
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
}
