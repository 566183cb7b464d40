package dev.contextd.client;

import java.util.List;
import java.util.function.Function;

/** A list that comes in pages. */
final class PageSource<T> implements Source<T> {
    /** A page: its rows, and the token of the next one, or empty. */
    record Page<T>(List<T> rows, String nextToken) {}

    private final Function<String, Pending<Page<T>>> ask;
    private String token = "";
    private volatile boolean over;

    PageSource(Function<String, Pending<Page<T>>> ask) {
        this.ask = ask;
    }

    @Override
    public Pending<List<T>> next() {
        if (over) {
            return Pending.done(null);
        }
        return ask.apply(token)
                .map(
                        page -> {
                            token = page.nextToken();
                            over = over || token.isEmpty();
                            return page.rows();
                        });
    }

    @Override
    public void close() {
        over = true;
    }
}
