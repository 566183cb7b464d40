package dev.contextd.client.error;

/** The server's disk failed, and the server ends. A write may have been applied. */
public final class StorageFailedException extends UnavailableException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public StorageFailedException(Failure failure) {
        super(failure);
    }
}
