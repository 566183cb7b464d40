package dev.contextd.client.error;

/** The server's disk has no room. Reads go on. */
public final class StorageFullException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public StorageFullException(Failure failure) {
        super(failure);
    }
}
