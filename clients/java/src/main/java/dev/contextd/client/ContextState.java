package dev.contextd.client;

import dev.contextd.client.error.ContextNotFoundException;
import dev.contextd.client.error.EntryNotFoundException;
import dev.contextd.client.error.InvalidValueException;
import dev.contextd.client.error.StateNotRetainedException;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;

/**
 * One state of a context, to read: its newest, or the one that {@link Context#at} named.
 *
 * <p>Every read may throw {@link ContextNotFoundException}, and of an earlier state {@link
 * StateNotRetainedException}. Safe to use from many threads.
 */
public class ContextState {
    final Target target;

    ContextState(Target target) {
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
     * The same state, with another timeout of each call.
     *
     * @param timeout above 0
     * @return the state
     */
    public ContextState withTimeout(Duration timeout) {
        return new ContextState(target.timeout(timeout));
    }

    /**
     * Gets everything but the entries: version, labels, times, sizes.
     *
     * @return all of that
     */
    public final ContextInfo info() {
        return Wait.join(EntryReads.info(target));
    }

    /**
     * Gets the number of the state.
     *
     * @return the version
     */
    public final long version() {
        return info().version();
    }

    /**
     * Asks whether there is an entry, without its value.
     *
     * @param key the entry
     * @return whether it is there
     */
    public final boolean contains(String key) {
        return Wait.join(EntryReads.contains(target, key));
    }

    /**
     * Gets a value.
     *
     * @param key the entry
     * @return its value
     * @throws EntryNotFoundException if there is no such entry
     */
    public final Value get(String key) {
        return Wait.join(EntryReads.entry(target, key)).value();
    }

    /**
     * Gets a value as text.
     *
     * @param key the entry
     * @return the text
     * @throws EntryNotFoundException if there is no such entry
     * @throws InvalidValueException if it is no UTF-8
     */
    public final String getText(String key) {
        return get(key).text();
    }

    /**
     * Gets a value that is JSON, as a text for a JSON library.
     *
     * @param key the entry
     * @return the text
     * @throws EntryNotFoundException if there is no such entry
     * @throws InvalidValueException if it is no JSON
     */
    public final String getJson(String key) {
        return get(key).asJson();
    }

    /**
     * Gets an entry, with its version.
     *
     * @param key the entry
     * @return the entry, if it is there
     */
    public final Optional<Entry> find(String key) {
        return Wait.join(EntryReads.find(target, key));
    }

    /**
     * Streams the entries of one state in the order of their keys, however many there are.
     *
     * <p>All belong to one version, also where the stream breaks and is begun anew. Each iterator
     * reads by itself; one that is not read to its end is given up by the server after a while.
     *
     * @param query which entries
     * @return the entries
     */
    public final Iterable<Entry> entries(EntryQuery query) {
        return () -> Source.iterator(EntryReads.entries(target, query));
    }

    /**
     * Streams all entries. See {@link #entries(EntryQuery)}.
     *
     * @return the entries
     */
    public final Iterable<Entry> entries() {
        return entries(EntryQuery.ALL);
    }

    /**
     * Gets a whole state into memory.
     *
     * @return the state
     */
    public final Snapshot snapshot() {
        return Wait.join(EntryReads.snapshot(target, null, ""));
    }

    /**
     * Gets some entries of one state into memory. Those that do not exist are left out.
     *
     * @param keys which entries
     * @return the state, with these entries alone
     */
    public final Snapshot snapshot(Collection<String> keys) {
        return Wait.join(EntryReads.snapshot(target, keys, ""));
    }

    /**
     * Gets the entries of one state whose keys begin with a prefix into memory.
     *
     * @param prefix of the keys
     * @return the state, with these entries alone
     */
    public final Snapshot snapshotOfPrefix(String prefix) {
        return Wait.join(EntryReads.snapshot(target, null, prefix));
    }

    /**
     * Makes a new context from this state, and shares all of it.
     *
     * @param contextId the new context, in the same namespace; empty: the server makes an id
     *     up
     * @param options what comes along
     * @return the new context
     */
    public final Context fork(String contextId, ForkOptions options) {
        return new Context(
                target.other(Wait.join(RecoveryCalls.fork(target, contextId, options))));
    }

    /**
     * Streams what differs in this state from another, of the same context or of another: labels
     * and entries, each in the order of their keys. It costs what differs, whatever the size.
     *
     * @param before the other state, of the same namespace
     * @param prefix only entries whose keys begin with it
     * @param withValues whether with the values of the entries
     * @return what differs
     */
    public final Iterable<Difference> diff(
            ContextState before, String prefix, boolean withValues) {
        return () ->
                Source.iterator(RecoveryCalls.diff(target, before.target, prefix, withValues));
    }

    /**
     * Streams what differs in this state from another.
     *
     * @param before the other state, of the same namespace
     * @return what differs, with all values
     */
    public final Iterable<Difference> diff(ContextState before) {
        return diff(before, "", true);
    }

    /** Says id and namespace, without a call. */
    @Override
    public String toString() {
        String state = target.at().isNewest() ? "" : ", " + target.at();
        return getClass().getSimpleName() + "[" + namespace() + "/" + id() + state + "]";
    }
}
