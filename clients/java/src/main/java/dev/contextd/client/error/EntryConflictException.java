package dev.contextd.client.error;

/** An entry was set by another version than the write expected. */
public final class EntryConflictException extends ConflictException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public EntryConflictException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the entry's key.
     *
     * @return the entry's key
     */
    public String key() {
        return text("key");
    }
}
