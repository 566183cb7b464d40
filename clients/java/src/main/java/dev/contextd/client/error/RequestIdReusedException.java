package dev.contextd.client.error;

/** The request id was used before, for another request. */
public final class RequestIdReusedException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public RequestIdReusedException(Failure failure) {
        super(failure);
    }
}
