package dev.contextd.client;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Predicate;

/**
 * Things that come one lot after the other.
 *
 * <p>Threads: one asks at a time; any closes.
 */
interface Source<T> {
    /** What comes next; empty lots are allowed. {@code null}: there is no more. */
    Pending<List<T>> next();

    /** Asks for no more; who waits gets the end. */
    void close();

    /** One that could not be made. */
    static <T> Source<T> failed(RuntimeException error) {
        return new Source<>() {
            @Override
            public Pending<List<T>> next() {
                return Pending.failed(error);
            }

            @Override
            public void close() {}
        };
    }

    /** All of it. */
    static <T> Pending<List<T>> all(Source<T> source) {
        return rest(source, new ArrayList<>());
    }

    private static <T> Pending<List<T>> rest(Source<T> source, List<T> found) {
        while (true) {
            Pending<List<T>> lot = source.next();
            if (!lot.isDone() || lot.isCompletedExceptionally()) {
                return lot.then(more -> add(source, found, more));
            }
            if (lot.join() == null) {
                return Pending.done(found);
            }
            found.addAll(lot.join());
        }
    }

    private static <T> Pending<List<T>> add(Source<T> source, List<T> found, List<T> more) {
        if (more == null) {
            return Pending.done(found);
        }
        found.addAll(more);
        return rest(source, found);
    }

    /** The same without what a test refuses. */
    static <T> Source<T> filtered(Source<T> source, Predicate<T> test) {
        return new Source<>() {
            @Override
            public Pending<List<T>> next() {
                return source.next()
                        .map(lot -> lot == null ? null : lot.stream().filter(test).toList());
            }

            @Override
            public void close() {
                source.close();
            }
        };
    }

    /** Reads it with a thread that waits. */
    static <T> Iterator<T> iterator(Source<T> source) {
        return new Iterator<>() {
            private Iterator<T> lot = List.<T>of().iterator();
            private Pending<List<T>> asked;
            private boolean over;

            @Override
            public boolean hasNext() {
                while (!over && !lot.hasNext()) {
                    asked = asked == null ? source.next() : asked;
                    List<T> more = Wait.joinAgain(asked);
                    asked = null;
                    over = more == null;
                    lot = over ? lot : more.iterator();
                }
                return lot.hasNext();
            }

            @Override
            public T next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return lot.next();
            }
        };
    }
}
