package dev.contextd.client;

import dev.contextd.client.error.ConflictException;
import dev.contextd.client.error.ContextNotFoundException;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.Supplier;

/** Reads, changes and writes, again while others are faster; once for both forms of the client. */
final class Edits {
    private Edits() {}

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
                        orMissing(target, EntryReads.find(target, key), Optional.<Entry>empty())
                                .then(
                                        executor,
                                        old -> {
                                            Changes changes = new Changes();
                                            change.apply(old.map(Entry::value))
                                                    .ifPresentOrElse(
                                                            value -> changes.put(key, value),
                                                            () -> changes.remove(key));
                                            long version = old.map(Entry::version).orElse(0L);
                                            changes.ifEntry(key, version);
                                            return EntryWrites.update(target, changes);
                                        }),
                0);
    }

    static <T> Pending<T> transact(
            Target target, Collection<String> keys, Function<Draft, T> change, Executor executor) {
        return again(
                target.core(),
                () ->
                        orMissing(target, EntryReads.snapshot(target, keys, ""), Snapshot.EMPTY)
                                .then(
                                        executor,
                                        old -> {
                                            Draft draft = new Draft(old, keys);
                                            T result = change.apply(draft);
                                            Changes changes = draft.changes();
                                            if (changes.isEmpty()) {
                                                return Pending.done(result);
                                            }
                                            draft.guarded(changes);
                                            return EntryWrites.update(target, changes)
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
