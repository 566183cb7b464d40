package dev.contextd.client;

import dev.contextd.client.error.ConflictException;
import dev.contextd.client.error.ContextExistsException;
import dev.contextd.client.error.ContextNotFoundException;
import dev.contextd.client.error.EntryConflictException;
import dev.contextd.client.error.HasChildrenException;
import dev.contextd.client.error.SizeMismatchException;
import dev.contextd.client.error.VersionConflictException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * One context, to read and to write: an ordered map with versions, on the server.
 *
 * <p>Made by {@link Client#context}; making one calls nobody, and it holds no state. Every write
 * carries a request id and is repeated where that is safe. Every write may throw {@link
 * ContextNotFoundException}, unless the context was made with {@link #createIfMissing}. Safe to use
 * from many threads.
 */
public class Context extends ContextState {
    Context(Target target) {
        super(target);
    }

    @Override
    public Context withTimeout(Duration timeout) {
        return new Context(target.timeout(timeout));
    }

    /**
     * The same context, for one write with a request id of the program's own, so that the program
     * may repeat it, also after a restart: within the server's {@code request_id_window} it is
     * applied once. Another write needs another id.
     *
     * @param requestId at most 128 bytes, made to be unique
     * @return the context
     */
    public Context withRequestId(String requestId) {
        return new Context(target.requestId(requestId));
    }

    /**
     * The same context, whose writes create it where it is missing.
     *
     * @param properties how it begins
     * @return the context
     */
    public Context createIfMissing(NewContext properties) {
        return new Context(target.createIfMissing(properties));
    }

    /**
     * An earlier state, to read, while the server keeps it.
     *
     * @param version the number of the state, from 1
     * @return the state
     */
    public final ContextState at(long version) {
        return new ContextState(target.at(Target.At.version(version)));
    }

    /**
     * The state that a recovery point keeps.
     *
     * @param pointId the recovery point
     * @return the state
     */
    public final ContextState atPoint(String pointId) {
        return new ContextState(target.at(Target.At.point(pointId)));
    }

    /**
     * What was the newest state at a time.
     *
     * @param time the moment
     * @return the state
     */
    public final ContextState atTime(Instant time) {
        return new ContextState(target.at(Target.At.time(time)));
    }

    /**
     * Creates the context, empty.
     *
     * @return what became of it
     * @throws ContextExistsException if there is one
     */
    public final Written create() {
        return create(NewContext.PLAIN, new Changes());
    }

    /**
     * Creates the context.
     *
     * @param properties how it begins
     * @param first the first steps, without conditions
     * @return what became of it
     * @throws ContextExistsException if there is one
     */
    public final Written create(NewContext properties, Changes first) {
        return Wait.join(EntryWrites.createNamed(target, properties, first));
    }

    /**
     * Sets an entry, whether or not it exists.
     *
     * @param key 1 to 512 bytes of UTF-8
     * @param value up to the server's {@code value_size_max} bytes
     * @return what became of it
     */
    public final Written put(String key, Value value) {
        return update(new Changes().put(key, value));
    }

    /**
     * Sets an entry to text.
     *
     * @param key the entry
     * @param text its value
     * @return what became of it
     */
    public final Written put(String key, String text) {
        return update(new Changes().put(key, text));
    }

    /**
     * Adds bytes to the end of an entry, and creates it where it is missing.
     *
     * @param key the entry
     * @param value what is added; its content type is that of a new entry
     * @return what became of it
     */
    public final Written append(String key, Value value) {
        return update(new Changes().append(key, value));
    }

    /**
     * Removes an entry. A missing one is no error.
     *
     * @param key the entry
     * @return what became of it
     */
    public final Written remove(String key) {
        return update(new Changes().remove(key));
    }

    /**
     * Changes the context in one step: everything, or nothing.
     *
     * @param changes the steps and their conditions
     * @return what became of it
     * @throws VersionConflictException if the context has another version than the condition
     * @throws EntryConflictException if an entry has another version than its condition
     * @throws SizeMismatchException if an append found another size
     */
    public final Written update(Changes changes) {
        return Wait.join(EntryWrites.update(target, changes));
    }

    /**
     * Sets any number of entries, in pieces that fit into messages, one after the other.
     *
     * <p>It is not one step: others see the pieces as they come, and one that broke is finished by
     * calling it again. What {@code last} does (such as a label that says that all is there) is
     * done with the last piece; what must hold, by its conditions, is looked at with the first.
     *
     * @param values the values by key; one that is larger than a message is put in parts
     * @param last what makes them visible, with the conditions of the whole
     * @return what became of the last piece
     */
    public final Written putAll(Map<String, Value> values, Changes last) {
        return Wait.join(PutAll.begin(target, values, last));
    }

    /**
     * Reads a value, changes it, and writes it back, unless somebody else did meanwhile; then it
     * is done again, so that the function may be called more than once and should do nothing else.
     *
     * <pre>{@code
     * chat.edit("count", old -> Optional.of(Value.of(...)));
     * }</pre>
     *
     * @param key the entry
     * @param change gets the value, if there is one, and gives the new one, or nothing to remove it
     * @return what became of it
     * @throws ConflictException if others were faster each time
     */
    public final Written edit(String key, Function<Optional<Value>, Optional<Value>> change) {
        return Wait.running(executor -> Edits.edit(target, key, change, executor));
    }

    /**
     * Reads the context, lets a function work on it, and writes what it did in one step. If the
     * context changed meanwhile it is done again, so that the function may be called more than once
     * and should do nothing else. When it changes nothing, nothing is written.
     *
     * @param change works on the draft
     * @param <T> what it gives
     * @return what it gave
     * @throws ConflictException if others were faster each time
     */
    public final <T> T transact(Function<Draft, T> change) {
        return Wait.running(executor -> Edits.transact(target, null, change, executor));
    }

    /**
     * The same with some entries alone: other writers of other entries do not disturb, unless the
     * function looks at labels.
     *
     * @param keys the entries that are read and guarded
     * @param change works on the draft
     * @param <T> what it gives
     * @return what it gave
     * @throws ConflictException if others were faster each time
     */
    public final <T> T transact(Collection<String> keys, Function<Draft, T> change) {
        return Wait.running(executor -> Edits.transact(target, keys, change, executor));
    }

    /**
     * Deletes the context.
     *
     * @return how many contexts are gone
     * @throws HasChildrenException if contexts name it as their parent
     */
    public final long delete() {
        return delete(DeleteOptions.PLAIN);
    }

    /**
     * Deletes the context.
     *
     * @param options how it is deleted
     * @return how many contexts are gone
     * @throws HasChildrenException if contexts name it as their parent, and are not to go
     * @throws VersionConflictException if it has another version than asked for
     */
    public final long delete(DeleteOptions options) {
        return Wait.join(EntryWrites.delete(target, options));
    }

    /**
     * Tells who has the context active.
     *
     * @return who
     */
    public final ContextStatus status() {
        return Wait.join(HistoryCalls.status(target));
    }

    /**
     * Lists the resources of the context that are held, by name.
     *
     * @return the resources
     */
    public final Iterable<HeldResource> resources() {
        return () -> Source.iterator(HistoryCalls.resources(target));
    }

    /**
     * Sets the context back to its newest recovery point; a deleted one to its last state.
     *
     * @param options how it is set back
     * @return what became of it
     */
    public final Restored restore(RestoreOptions options) {
        return Wait.join(RecoveryCalls.restore(target, options));
    }

    /**
     * Sets the context back to a recovery point, as a new version: nothing between is lost.
     *
     * @param pointId the recovery point
     * @param options how it is set back
     * @return what became of it
     */
    public final Restored restore(String pointId, RestoreOptions options) {
        return Wait.join(RecoveryCalls.restore(target.at(Target.At.point(pointId)), options));
    }

    /**
     * Sets the context back to a version that the server still keeps.
     *
     * @param version the version
     * @param options how it is set back
     * @return what became of it
     */
    public final Restored restore(long version, RestoreOptions options) {
        return Wait.join(RecoveryCalls.restore(target.at(Target.At.version(version)), options));
    }

    /**
     * Sets the context back to the state that it had at a time.
     *
     * @param time the time
     * @param options how it is set back
     * @return what became of it
     */
    public final Restored restore(Instant time, RestoreOptions options) {
        return Wait.join(RecoveryCalls.restore(target.at(Target.At.time(time)), options));
    }

    /**
     * Gets what leads from a version that the program has to the newest, all of it in memory.
     *
     * @param haveVersion what the program has; 0: nothing
     * @return the differences
     */
    public final Synced sync(long haveVersion) {
        return Wait.join(RecoveryCalls.sync(target, haveVersion));
    }

    /**
     * The history of the context, and what it adds up to.
     *
     * @return the history
     */
    public final History history() {
        return new History(target);
    }

    /**
     * The recovery points of the context.
     *
     * @return the points
     */
    public final Points points() {
        return new Points(target);
    }

    /**
     * Brings what changed in another context since a common state into this one. What both
     * changed, each in its own way, is a conflict: unless a rule resolves all of them, nothing
     * is merged.
     *
     * @param source the context, or an earlier state of one, that is merged
     * @param options how it goes
     * @return what became of it
     * @throws MergeConflictsException if nothing was merged
     */
    public final Merged merge(ContextState source, MergeOptions options) {
        return Wait.join(RecoveryCalls.merge(target, source.target, options));
    }

    /**
     * Makes a fork to try something in; closing it deletes it, whether or not it was merged.
     *
     * @param options how it is forked
     * @return the branch
     */
    public final Branch branch(ForkOptions options) {
        String id = Wait.join(RecoveryCalls.fork(target, Branch.newId(), options));
        return new Branch(target.other(id), this);
    }
}
