package dev.contextd.client;

import java.util.List;

/** A source that something must be asked for first. */
final class LaterSource<T> implements Source<T> {
    private final Pending<? extends Source<T>> source;

    LaterSource(Pending<? extends Source<T>> source) {
        this.source = source;
    }

    @Override
    public Pending<List<T>> next() {
        return source.then(Source::next);
    }

    @Override
    public void close() {
        source.whenComplete(
                (made, error) -> {
                    if (made != null) {
                        made.close();
                    }
                });
    }
}
