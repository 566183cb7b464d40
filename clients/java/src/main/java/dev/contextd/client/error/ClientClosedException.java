package dev.contextd.client.error;

/** The client, the session or the subscription was closed. */
public final class ClientClosedException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public ClientClosedException(Failure failure) {
        super(failure);
    }
}
