package dev.contextd.client.error;

/** The session does not have the context active. */
public final class NotActiveException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public NotActiveException(Failure failure) {
        super(failure);
    }
}
