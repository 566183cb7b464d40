package dev.contextd.client;

import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;

/**
 * One state of a context, to read, with futures: see {@link ContextState}, whose methods these are.
 *
 * <p>Futures are completed by the network's own thread: what follows on one must not block, or
 * goes to an executor ({@code thenApplyAsync}). Cancelling a future cancels its call.
 */
public class AsyncContextState {
    final Target target;

    AsyncContextState(Target target) {
        this.target = target;
    }

    /**
     * The id.
     *
     * @return the id
     */
    public final String id() {
        return target.id();
    }

    /**
     * The namespace.
     *
     * @return the namespace
     */
    public final String namespace() {
        return target.namespace();
    }

    /**
     * See {@link ContextState#withTimeout}.
     *
     * @param timeout of each call
     * @return the same state with another timeout
     */
    public AsyncContextState withTimeout(Duration timeout) {
        return new AsyncContextState(target.timeout(timeout));
    }

    /**
     * See {@link ContextState#info}.
     *
     * @return all but the entries
     */
    public final CompletableFuture<ContextInfo> info() {
        return EntryReads.info(target);
    }

    /**
     * See {@link ContextState#contains}.
     *
     * @param key the entry
     * @return whether it is there
     */
    public final CompletableFuture<Boolean> contains(String key) {
        return EntryReads.contains(target, key);
    }

    /**
     * See {@link ContextState#get}.
     *
     * @param key the entry
     * @return its value
     */
    public final CompletableFuture<Value> get(String key) {
        return EntryReads.entry(target, key).map(Entry::value);
    }

    /**
     * See {@link ContextState#getText}.
     *
     * @param key the entry
     * @return its value as text
     */
    public final CompletableFuture<String> getText(String key) {
        return EntryReads.entry(target, key).map(Entry::text);
    }

    /**
     * See {@link ContextState#getJson}.
     *
     * @param key the entry
     * @return its value as JSON
     */
    public final CompletableFuture<String> getJson(String key) {
        return EntryReads.entry(target, key).map(entry -> entry.value().asJson());
    }

    /**
     * See {@link ContextState#find}.
     *
     * @param key the entry
     * @return the entry, if it is there
     */
    public final CompletableFuture<Optional<Entry>> find(String key) {
        return EntryReads.find(target, key);
    }

    /**
     * See {@link ContextState#entries(EntryQuery)}. Each subscriber reads by itself.
     *
     * @param query which entries
     * @return the entries
     */
    public final Flow.Publisher<Entry> entries(EntryQuery query) {
        return new SourcePublisher<>(
                () -> EntryReads.entries(target, query), target.core().executor);
    }

    /**
     * See {@link ContextState#snapshot()}.
     *
     * @return the state
     */
    public final CompletableFuture<Snapshot> snapshot() {
        return EntryReads.snapshot(target, null, "");
    }

    /**
     * See {@link ContextState#snapshot(Collection)}.
     *
     * @param keys which entries
     * @return the state, with these entries alone
     */
    public final CompletableFuture<Snapshot> snapshot(Collection<String> keys) {
        return EntryReads.snapshot(target, keys, "");
    }

    /**
     * See {@link ContextState#snapshotOfPrefix}.
     *
     * @param prefix of the keys
     * @return the state, with these entries alone
     */
    public final CompletableFuture<Snapshot> snapshotOfPrefix(String prefix) {
        return EntryReads.snapshot(target, null, prefix);
    }

    /**
     * See {@link ContextState#fork}.
     *
     * @param contextId the new context; empty: the server makes an id up
     * @param options what comes along
     * @return the new context
     */
    public final CompletableFuture<AsyncContext> fork(String contextId, ForkOptions options) {
        return RecoveryCalls.fork(target, contextId, options)
                .map(id -> new AsyncContext(target.other(id)));
    }

    /**
     * See {@link ContextState#diff}.
     *
     * @param before the other state
     * @param prefix only entries whose keys begin with it
     * @param withValues whether with the values of the entries
     * @return what differs
     */
    public final Flow.Publisher<Difference> diff(
            AsyncContextState before, String prefix, boolean withValues) {
        return new SourcePublisher<>(
                () -> RecoveryCalls.diff(target, before.target, prefix, withValues),
                target.core().executor);
    }

    /** Says id and namespace, without a call. */
    @Override
    public String toString() {
        String state = target.at().isNewest() ? "" : ", " + target.at();
        return getClass().getSimpleName() + "[" + namespace() + "/" + id() + state + "]";
    }
}
