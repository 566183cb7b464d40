package dev.contextd.client.error;

/** The server is ending. */
public final class StoppingException extends UnavailableException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public StoppingException(Failure failure) {
        super(failure);
    }
}
