package dev.contextd.client;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/**
 * Hands out what a source has as the subscriber asks for it. Each subscriber has a source of its
 * own, and is called by the executor, one call at a time.
 */
final class SourcePublisher<T> implements Flow.Publisher<T> {
    private final Supplier<Source<T>> sources;
    private final Executor executor;

    SourcePublisher(Supplier<Source<T>> sources, Executor executor) {
        this.sources = sources;
        this.executor = executor;
    }

    @Override
    public void subscribe(Flow.Subscriber<? super T> subscriber) {
        if (subscriber == null) {
            throw new NullPointerException("subscriber");
        }
        Source<T> source;
        try {
            source = sources.get();
        } catch (RuntimeException thrown) {
            source = Source.failed(thrown);
        }
        new Reading<T>(source, subscriber, executor).begin();
    }

    private static final class Reading<T> implements Flow.Subscription {
        private final Source<T> source;
        private final Flow.Subscriber<? super T> subscriber;
        private final Executor executor;
        private List<T> lot = List.of();
        private int at;
        private long wanted;
        private boolean busy;
        private boolean over;
        private Throwable failure;

        Reading(Source<T> source, Flow.Subscriber<? super T> subscriber, Executor executor) {
            this.source = source;
            this.subscriber = subscriber;
            this.executor = executor;
        }

        void begin() {
            synchronized (this) {
                busy = true;
            }
            execute(
                    () -> {
                        try {
                            subscriber.onSubscribe(this);
                        } catch (RuntimeException | Error thrown) {
                            cancel(); // By the rules of Flow it never throws.
                            throw thrown;
                        }
                        run();
                    });
        }

        /** An executor that takes nothing more ends the reading: nobody could be told of it. */
        private void execute(Runnable run) {
            try {
                executor.execute(run);
            } catch (RejectedExecutionException over) {
                cancel();
                throw over;
            }
        }

        @Override
        public void request(long count) {
            boolean runs;
            synchronized (this) {
                if (over) {
                    return;
                }
                if (count <= 0) {
                    failure = new IllegalArgumentException("request at least 1, not " + count);
                } else {
                    wanted = wanted + count < 0 ? Long.MAX_VALUE : wanted + count;
                }
                runs = busy;
                busy = true;
            }
            if (count <= 0) {
                source.close(); // Who waits for it gets on, and is told.
            }
            if (!runs) {
                execute(this::run);
            }
        }

        @Override
        public void cancel() {
            synchronized (this) {
                over = true;
            }
            source.close();
        }

        /** Hands out what there is and is wanted; while it is busy, nobody else does. */
        private void run() {
            while (true) {
                T item;
                synchronized (this) {
                    if (over || (failure == null && wanted == 0)) {
                        busy = false;
                        return;
                    }
                    if (failure != null) {
                        over = true;
                        item = null;
                    } else if (at < lot.size()) {
                        item = lot.get(at++);
                        wanted--;
                    } else {
                        break;
                    }
                }
                if (item == null) {
                    source.close();
                    subscriber.onError(failure);
                    return;
                }
                try {
                    subscriber.onNext(item);
                } catch (RuntimeException | Error thrown) {
                    cancel(); // It wants no more: by the rules of Flow it never throws.
                    throw thrown;
                }
            }
            source.next().whenComplete((more, error) -> execute(() -> take(more, error)));
        }

        private void take(List<T> more, Throwable error) {
            boolean ended;
            synchronized (this) {
                if (over) {
                    return;
                }
                if (failure == null && error != null) {
                    failure = Pending.unwrap(error);
                } else if (failure == null && more == null) {
                    over = true;
                } else if (failure == null) {
                    lot = more;
                    at = 0;
                }
                ended = over;
            }
            if (ended) {
                subscriber.onComplete();
            } else {
                run();
            }
        }
    }
}
