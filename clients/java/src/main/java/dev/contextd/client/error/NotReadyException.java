package dev.contextd.client.error;

/** The server is still starting. */
public final class NotReadyException extends UnavailableException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public NotReadyException(Failure failure) {
        super(failure);
    }
}
