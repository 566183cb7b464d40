package dev.contextd.client;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
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
        new Reading<T>(sources.get(), subscriber, executor).begin();
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
            executor.execute(
                    () -> {
                        subscriber.onSubscribe(this);
                        run();
                    });
        }

        @Override
        public void request(long count) {
            synchronized (this) {
                if (count <= 0 && !over) {
                    failure = new IllegalArgumentException("request at least 1, not " + count);
                }
                wanted = wanted + count < 0 ? Long.MAX_VALUE : wanted + count;
                if (busy) {
                    return;
                }
                busy = true;
            }
            executor.execute(this::run);
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
            source.next().whenComplete((more, error) -> executor.execute(() -> take(more, error)));
        }

        private void take(List<T> more, Throwable error) {
            synchronized (this) {
                if (over) {
                    return;
                }
                if (error != null) {
                    failure = Pending.unwrap(error);
                } else if (more == null) {
                    over = true;
                } else {
                    lot = more;
                    at = 0;
                }
            }
            if (error == null && more == null) {
                subscriber.onComplete();
            } else {
                run();
            }
        }
    }
}
