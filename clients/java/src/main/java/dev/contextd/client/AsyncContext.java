package dev.contextd.client;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Function;

/** One context, to read and to write, with futures: the methods of {@link Context}. */
public class AsyncContext extends AsyncContextState {
    AsyncContext(Target target) {
        super(target);
    }

    @Override
    public AsyncContext withTimeout(Duration timeout) {
        return new AsyncContext(target.timeout(timeout));
    }

    /**
     * See {@link Context#withRequestId}.
     *
     * @param requestId the id of the next write
     * @return the same context, for one write
     */
    public AsyncContext withRequestId(String requestId) {
        return new AsyncContext(target.requestId(requestId));
    }

    /**
     * See {@link Context#createIfMissing}.
     *
     * @param properties how it begins
     * @return the same context, whose writes create it
     */
    public AsyncContext createIfMissing(NewContext properties) {
        return new AsyncContext(target.createIfMissing(properties));
    }

    /**
     * See {@link Context#at}.
     *
     * @param version the number of the state
     * @return the state
     */
    public final AsyncContextState at(long version) {
        return new AsyncContextState(target.at(Target.At.version(version)));
    }

    /**
     * See {@link Context#atPoint}.
     *
     * @param pointId the recovery point
     * @return the state that it keeps
     */
    public final AsyncContextState atPoint(String pointId) {
        return new AsyncContextState(target.at(Target.At.point(pointId)));
    }

    /**
     * See {@link Context#atTime}.
     *
     * @param time the moment
     * @return what was the newest state then
     */
    public final AsyncContextState atTime(Instant time) {
        return new AsyncContextState(target.at(Target.At.time(time)));
    }

    /**
     * See {@link Context#create()}.
     *
     * @return what became of it
     */
    public final CompletableFuture<Written> create() {
        return create(NewContext.PLAIN, new Changes());
    }

    /**
     * See {@link Context#create(NewContext, Changes)}.
     *
     * @param properties how it begins
     * @param first the first steps
     * @return what became of it
     */
    public final CompletableFuture<Written> create(NewContext properties, Changes first) {
        return EntryWrites.createNamed(target, properties, first);
    }

    /**
     * See {@link Context#put(String, Value)}.
     *
     * @param key the entry
     * @param value its value
     * @return what became of it
     */
    public final CompletableFuture<Written> put(String key, Value value) {
        return Pending.start(() -> EntryWrites.update(target, new Changes().put(key, value)));
    }

    /**
     * See {@link Context#put(String, String)}.
     *
     * @param key the entry
     * @param text its value
     * @return what became of it
     */
    public final CompletableFuture<Written> put(String key, String text) {
        return Pending.start(() -> EntryWrites.update(target, new Changes().put(key, text)));
    }

    /**
     * See {@link Context#append(String, Value)}.
     *
     * @param key the entry
     * @param value what is added
     * @return what became of it
     */
    public final CompletableFuture<Written> append(String key, Value value) {
        return Pending.start(() -> EntryWrites.update(target, new Changes().append(key, value)));
    }

    /**
     * See {@link Context#remove}.
     *
     * @param key the entry
     * @return what became of it
     */
    public final CompletableFuture<Written> remove(String key) {
        return Pending.start(() -> EntryWrites.update(target, new Changes().remove(key)));
    }

    /**
     * See {@link Context#update}.
     *
     * @param changes the steps and their conditions
     * @return what became of it
     */
    public final CompletableFuture<Written> update(Changes changes) {
        return EntryWrites.update(target, changes);
    }

    /**
     * See {@link Context#putAll(Map, Changes)}.
     *
     * @param values the values by key
     * @param last what makes them visible, with the conditions of the whole
     * @return what became of the last piece
     */
    public final CompletableFuture<Written> putAll(Map<String, Value> values, Changes last) {
        return PutAll.begin(target, values, last);
    }

    /**
     * See {@link Context#edit}. The function is called by the client's executor.
     *
     * @param key the entry
     * @param change gives the new value for the old one
     * @return what became of it
     */
    public final CompletableFuture<Written> edit(
            String key, Function<Optional<Value>, Optional<Value>> change) {
        return Edits.edit(target, key, change, target.core().executor);
    }

    /**
     * See {@link Context#transact(Function)}. The function is called by the client's executor.
     *
     * @param change works on the draft
     * @param <T> what it gives
     * @return what it gave
     */
    public final <T> CompletableFuture<T> transact(Function<Draft, T> change) {
        return Edits.transact(target, null, change, target.core().executor);
    }

    /**
     * See {@link Context#transact(Collection, Function)}.
     *
     * @param keys the entries that are read and guarded
     * @param change works on the draft
     * @param <T> what it gives
     * @return what it gave
     */
    public final <T> CompletableFuture<T> transact(
            Collection<String> keys, Function<Draft, T> change) {
        return Edits.transact(target, keys, change, target.core().executor);
    }

    /**
     * See {@link Context#delete()}.
     *
     * @return how many contexts are gone
     */
    public final CompletableFuture<Long> delete() {
        return delete(DeleteOptions.PLAIN);
    }

    /**
     * See {@link Context#delete(DeleteOptions)}.
     *
     * @param options how it is deleted
     * @return how many contexts are gone
     */
    public final CompletableFuture<Long> delete(DeleteOptions options) {
        return EntryWrites.delete(target, options);
    }

    /**
     * See {@link Context#status()}.
     *
     * @return who
     */
    public final CompletableFuture<ContextStatus> status() {
        return HistoryCalls.status(target);
    }

    /**
     * See {@link Context#resources()}.
     *
     * @return the resources
     */
    public final Flow.Publisher<HeldResource> resources() {
        return
                new SourcePublisher<>(() -> HistoryCalls.resources(
                        target), target.core().executor);
    }

    /**
     * See {@link Context#restore(RestoreOptions)}.
     *
     * @param options how it is set back
     * @return what became of it
     */
    public final CompletableFuture<Restored> restore(RestoreOptions options) {
        return RecoveryCalls.restore(target, options);
    }

    /**
     * See {@link Context#restore(String, RestoreOptions)}.
     *
     * @param pointId the recovery point
     * @param options how it is set back
     * @return what became of it
     */
    public final CompletableFuture<Restored> restore(String pointId, RestoreOptions options) {
        return RecoveryCalls.restore(target.at(Target.At.point(pointId)), options);
    }

    /**
     * See {@link Context#restore(long, RestoreOptions)}.
     *
     * @param version the version
     * @param options how it is set back
     * @return what became of it
     */
    public final CompletableFuture<Restored> restore(long version, RestoreOptions options) {
        return RecoveryCalls.restore(target.at(Target.At.version(version)), options);
    }

    /**
     * See {@link Context#restore(Instant, RestoreOptions)}.
     *
     * @param time the time
     * @param options how it is set back
     * @return what became of it
     */
    public final CompletableFuture<Restored> restore(Instant time, RestoreOptions options) {
        return RecoveryCalls.restore(target.at(Target.At.time(time)), options);
    }

    /**
     * See {@link Context#sync(long)}.
     *
     * @param haveVersion what the program has; 0: nothing
     * @return the differences
     */
    public final CompletableFuture<Synced> sync(long haveVersion) {
        return RecoveryCalls.sync(target, haveVersion);
    }

    /**
     * See {@link Context#history}.
     *
     * @return the history
     */
    public final AsyncHistory history() {
        return new AsyncHistory(target);
    }

    /**
     * See {@link Context#points}.
     *
     * @return the points
     */
    public final AsyncPoints points() {
        return new AsyncPoints(target);
    }

    /**
     * See {@link Context#merge}.
     *
     * @param source the context, or state of one, that is merged
     * @param options how it goes
     * @return what became of it
     */
    public final CompletableFuture<Merged> merge(
            AsyncContextState source, MergeOptions options) {
        return RecoveryCalls.merge(target, source.target, options);
    }

    /**
     * See {@link Context#branch}. Close it with {@link AsyncBranch#discard}.
     *
     * @param options how it is forked
     * @return the branch
     */
    public final CompletableFuture<AsyncBranch> branch(ForkOptions options) {
        return RecoveryCalls.fork(target, Branch.newId(), options)
                .map(id -> new AsyncBranch(target.other(id), this));
    }
}
