package dev.contextd.client.error;

/** What followed this position is no longer kept: events may have been missed. */
public final class CursorCompactedException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public CursorCompactedException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the oldest position to begin at.
     *
     * @return the oldest position to begin at
     */
    public String oldestCursor() {
        return text("oldest_cursor");
    }
}
