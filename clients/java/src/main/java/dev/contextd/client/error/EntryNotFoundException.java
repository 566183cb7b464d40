package dev.contextd.client.error;

/** The context has no such entry. */
public final class EntryNotFoundException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public EntryNotFoundException(Failure failure) {
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
