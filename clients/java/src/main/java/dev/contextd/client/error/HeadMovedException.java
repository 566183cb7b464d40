package dev.contextd.client.error;

/** The context changed again and again while the server worked on the request. Ask again. */
public final class HeadMovedException extends ConflictException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public HeadMovedException(Failure failure) {
        super(failure);
    }
}
