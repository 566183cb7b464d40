package dev.contextd.client;

import com.google.protobuf.ByteString;
import dev.contextd.client.error.ContextNotFoundException;
import dev.contextd.client.error.CursorCompactedException;
import dev.contextd.client.error.NewerServerException;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * Contexts in memory, kept as the server has them by a subscription of its own. Made by {@link
 * Client#view}.
 *
 * <p>It begins with a snapshot, and begins anew by itself where events were lost: {@link
 * #beginnings} counts that. What an event does not tell whole is read. It ends with an error where
 * a subscription does, and with {@link NewerServerException} for an event that this client does not
 * know.
 *
 * <p>What always holds: a context's entries and labels are those of one version. Threads: any.
 */
public final class View implements AutoCloseable {
    private static final Set<EventType> ENDS = EnumSet.of(EventType.DELETED, EventType.EXPIRED);

    // What there is to know of a context may begin with one of these.
    private static final Set<EventType> CHANGES =
            EnumSet.of(
                    EventType.CREATED,
                    EventType.UPDATED,
                    EventType.RESTORED,
                    EventType.FORKED,
                    EventType.MERGED);

    // Recovery points lie beside the state.
    private static final Set<EventType> BESIDE =
            EnumSet.of(
                    EventType.RECOVERY_POINT_CREATED,
                    EventType.RECOVERY_POINT_UPDATED,
                    EventType.RECOVERY_POINT_DELETED);

    private static final class Known {
        private final Map<String, Entry> entries = new TreeMap<>();
        private ContextInfo info;
    }

    private final Target target;
    private final EventQuery query;
    private final Map<String, Known> contexts = new HashMap<>();
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private EventSource source;
    private long beginnings;
    private boolean closed;

    View(Target target, EventQuery query) {
        if (query.withoutValues() || !query.types().isEmpty()) {
            throw new IllegalArgumentException("a view needs events of all types, with values");
        }
        this.target = target;
        this.query = query.snapshot();
        begin();
    }

    private void begin() {
        synchronized (this) {
            if (closed) {
                return;
            }
            beginnings++;
            contexts.clear();
            source = new EventSource(target, query);
        }
        readOn(source);
    }

    private void readOn(EventSource from) {
        from.next()
                .whenComplete(
                        (lot, error) ->
                                orFail(
                                        () ->
                                                target.core()
                                                        .executor
                                                        .execute(() -> take(from, lot, error))));
    }

    /** Whatever goes wrong ends the view: it never stands still in silence. */
    private void orFail(Runnable run) {
        try {
            run.run();
        } catch (RuntimeException thrown) {
            failed(thrown);
        }
    }

    private void take(EventSource from, List<Event> lot, Throwable error) {
        if (error != null) {
            failed(Pending.unwrap(error));
        } else if (lot == null) {
            close();
        } else {
            orFail(() -> takeAll(from, lot, 0));
        }
    }

    private void failed(Throwable error) {
        if (error instanceof CursorCompactedException) {
            begin();
            return;
        }
        ready.completeExceptionally(error);
        ended.completeExceptionally(error);
        close();
    }

    private void takeAll(EventSource from, List<Event> lot, int first) {
        for (int i = first; i < lot.size(); i++) {
            Event event = lot.get(i);
            if (event.type() == EventType.UNKNOWN) {
                failed(Failures.newerServer("an event of another kind"));
                return;
            }
            if (event.type() == EventType.CAUGHT_UP) {
                ready.complete(null);
            }
            boolean told;
            synchronized (this) {
                told = take(event);
            }
            if (!told) {
                int next = i + 1;
                read(event)
                        .whenComplete(
                                (done, error) -> {
                                    if (error != null) {
                                        failed(Pending.unwrap(error));
                                    } else {
                                        orFail(() -> takeAll(from, lot, next));
                                    }
                                });
                return;
            }
        }
        readOn(from);
    }

    /** Reads the context of an event that does not tell what became of it. */
    private Pending<Void> read(Event event) {
        ContextInfo info = event.context().orElseThrow();
        return EntryReads.snapshot(target.other(info.id()), null, query.keyPrefix())
                .map(Optional::of)
                .recover(
                        error ->
                                error instanceof ContextNotFoundException
                                        ? Pending.done(Optional.empty())
                                        : Pending.failed(error))
                .map(
                        found -> {
                            takeRead(info, found);
                            return null;
                        });
    }

    private synchronized void takeRead(ContextInfo told, Optional<Snapshot> found) {
        if (found.isEmpty() || !selects(found.get().metadata())) {
            contexts.remove(told.id());
            return;
        }
        Snapshot snapshot = found.get();
        set(withState(told, snapshot), snapshot.entries().values());
    }

    private static ContextInfo withState(ContextInfo told, Snapshot snapshot) {
        return new ContextInfo(
                told.namespace(),
                told.id(),
                told.type(),
                told.parentId(),
                snapshot.metadata(),
                snapshot.version(),
                told.revision(),
                told.createTime(),
                told.updateTime(),
                told.expireTime(),
                told.deleteTime(),
                told.entryCount(),
                told.sizeBytes(),
                told.fence(),
                told.recoveryPolicy(),
                told.forkedFrom());
    }

    /** Does what an event tells. False: nothing was done, the context must be read. */
    private boolean take(Event event) {
        ContextInfo info = event.context().orElse(null);
        if (info == null) {
            return true;
        }
        Known known = contexts.get(info.id());
        if (event.type() == EventType.SNAPSHOT) {
            set(info, event.entries());
        } else if (known != null && info.version() < known.info.version()) {
            return true; // It is in what was read.
        } else if (ENDS.contains(event.type())) {
            contexts.remove(info.id());
        } else if (known != null && info.version() == known.info.version()) {
            known.info = info;
        } else if (BESIDE.contains(event.type()) && event.steps().isEmpty() && !event.reset()) {
            return true;
        } else if (!selects(info.metadata())) {
            contexts.remove(info.id());
        } else if (event.type() == EventType.CREATED || known != null) {
            return change(event, info);
        } else {
            return !CHANGES.contains(event.type());
        }
        return true;
    }

    private boolean change(Event event, ContextInfo info) {
        boolean unknown = event.steps().stream().anyMatch(step -> step instanceof Step.Unknown);
        if (event.reset() || event.type() == EventType.FORKED || unknown) {
            return false;
        }
        if (event.type() == EventType.CREATED) {
            set(info, List.of());
        }
        Known known = contexts.get(info.id());
        event.steps().forEach(step -> apply(step, known.entries, info.version()));
        known.info = info;
        return true;
    }

    private void apply(Step step, Map<String, Entry> entries, long version) {
        if (step instanceof Step.RemovePrefix remove) {
            entries.keySet().removeIf(key -> key.startsWith(remove.prefix()));
        } else if (step instanceof Step.Remove remove) {
            entries.remove(remove.key());
        } else if (step instanceof Step.Put put) {
            set(entries, put.key(), put.value(), version);
        } else if (step instanceof Step.Append append) {
            Entry old = entries.get(append.key());
            Value added = append.value();
            Value value = old == null ? added : join(old.value(), Long.MAX_VALUE, added);
            String type = (old == null ? added : old.value()).contentType();
            set(entries, append.key(), value.withContentType(type), version);
        } else if (step instanceof Step.Splice splice) {
            Entry old = entries.get(splice.key());
            if (old != null) {
                Value value = join(old.value(), splice.keptSize(), splice.value());
                set(entries, splice.key(), value, version);
            }
        }
    }

    private static Value join(Value old, long kept, Value added) {
        ByteString begin = old.raw().substring(0, (int) Math.min(kept, old.size()));
        return Value.of(begin.concat(added.raw()), added.contentType());
    }

    private void set(Map<String, Entry> entries, String key, Value value, long version) {
        if (key.startsWith(query.keyPrefix())) {
            entries.put(key, new Entry(key, value, version));
        }
    }

    private void set(ContextInfo info, Iterable<Entry> entries) {
        Known known = new Known();
        known.info = info;
        entries.forEach(entry -> set(known.entries, entry.key(), entry.value(), entry.version()));
        contexts.put(info.id(), known);
    }

    private boolean selects(Map<String, String> labels) {
        return labels.entrySet().containsAll(query.metadata().entrySet());
    }

    /**
     * Gives a context as it is in the view.
     *
     * @param id the context
     * @return its state, if the view selects it
     */
    public synchronized Optional<Snapshot> get(String id) {
        return Optional.ofNullable(contexts.get(id))
                .map(
                        known ->
                                Snapshot.of(
                                        known.info.version(),
                                        known.info.metadata(),
                                        List.copyOf(known.entries.values())));
    }

    /**
     * Gives all but the entries of a context as it is in the view.
     *
     * @param id the context
     * @return that, if the view selects it
     */
    public synchronized Optional<ContextInfo> info(String id) {
        return Optional.ofNullable(contexts.get(id)).map(known -> known.info);
    }

    /**
     * The contexts in the view.
     *
     * @return their ids, as they are now
     */
    public synchronized Set<String> ids() {
        return Set.copyOf(contexts.keySet());
    }

    /**
     * How often it began with a snapshot.
     *
     * @return 1, and one more each time that events were lost
     */
    public synchronized long beginnings() {
        return beginnings;
    }

    /**
     * Is completed when the view holds all contexts for the first time.
     *
     * @return nothing, or why it ended before
     */
    public CompletableFuture<Void> ready() {
        return ready.copy();
    }

    /**
     * Is completed when the view was closed, and fails where it ended by itself.
     *
     * @return nothing, or why it ended
     */
    public CompletableFuture<Void> ended() {
        return ended.copy();
    }

    /** Ends it; what it holds stays as it is. */
    @Override
    public void close() {
        EventSource open;
        synchronized (this) {
            closed = true;
            open = source;
        }
        open.close();
        ready.completeExceptionally(Failures.closed("view"));
        ended.complete(null);
    }
}
