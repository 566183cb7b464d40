package dev.contextd.client.error;

/** The server could not read the request. */
public final class MalformedRequestException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public MalformedRequestException(Failure failure) {
        super(failure);
    }
}
