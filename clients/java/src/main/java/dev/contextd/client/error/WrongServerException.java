package dev.contextd.client.error;

/** What answers at this address is not contextd. */
public final class WrongServerException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public WrongServerException(Failure failure) {
        super(failure);
    }
}
