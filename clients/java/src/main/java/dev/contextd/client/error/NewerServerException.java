package dev.contextd.client.error;

/** The answer holds something that this client does not know and must not leave out. */
public final class NewerServerException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public NewerServerException(Failure failure) {
        super(failure);
    }
}
