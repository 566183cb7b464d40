package dev.contextd.client;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;

/** A result that is to come. Cancelling it cancels what it comes from. */
class Pending<T> extends CompletableFuture<T> {
    private volatile CompletableFuture<?> source;

    /** What it comes from now; what was cancelled already is cancelled there. */
    final void from(CompletableFuture<?> other) {
        source = other;
        if (isCancelled()) {
            other.cancel(true);
        }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        CompletableFuture<?> other = source;
        if (cancelled && other != null) {
            other.cancel(true);
        }
        return cancelled;
    }

    static <T> Pending<T> failed(Throwable error) {
        Pending<T> made = new Pending<>();
        made.completeExceptionally(error);
        return made;
    }

    static <T> Pending<T> done(T value) {
        Pending<T> made = new Pending<>();
        made.complete(value);
        return made;
    }

    /** What is begun here; where that throws, it is the failure. */
    static <T> Pending<T> start(Supplier<Pending<T>> begin) {
        try {
            return begin.get();
        } catch (RuntimeException | Error thrown) {
            return failed(thrown);
        }
    }

    /** Takes on what becomes of another. */
    final Pending<T> follow(CompletableFuture<? extends T> other) {
        from(other);
        other.whenComplete(
                (value, error) -> {
                    if (error != null) {
                        completeExceptionally(unwrap(error));
                    } else {
                        complete(value);
                    }
                });
        return this;
    }

    /** What a function makes of the result; where it throws, that is the failure. */
    final <U> Pending<U> map(Function<? super T, ? extends U> change) {
        return then(value -> done(change.apply(value)));
    }

    /** The result of what follows on this one's. */
    final <U> Pending<U> then(Function<? super T, ? extends CompletableFuture<? extends U>> next) {
        return either(next, Pending::failed);
    }

    /** The same, with the function run by an executor. */
    final <U> Pending<U> then(
            Executor executor, Function<? super T, ? extends CompletableFuture<? extends U>> next) {
        return then(
                value -> {
                    Pending<U> result = new Pending<>();
                    executor.execute(
                            () -> {
                                try {
                                    result.follow(next.apply(value));
                                } catch (RuntimeException | Error thrown) {
                                    result.completeExceptionally(thrown);
                                }
                            });
                    return result;
                });
    }

    /** The result of what follows on this one's failure; else this one's. */
    final Pending<T> recover(Function<Throwable, ? extends CompletableFuture<? extends T>> next) {
        return either(Pending::done, next);
    }

    private <U> Pending<U> either(
            Function<? super T, ? extends CompletableFuture<? extends U>> onValue,
            Function<Throwable, ? extends CompletableFuture<? extends U>> onError) {
        Pending<U> result = new Pending<>();
        result.from(this);
        whenComplete(
                (value, error) -> {
                    try {
                        result.follow(
                                error == null
                                        ? onValue.apply(value)
                                        : onError.apply(unwrap(error)));
                    } catch (RuntimeException | Error thrown) {
                        result.completeExceptionally(thrown);
                    }
                });
        return result;
    }

    static Throwable unwrap(Throwable error) {
        return error instanceof CompletionException && error.getCause() != null
                ? error.getCause()
                : error;
    }
}
