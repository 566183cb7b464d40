package dev.contextd.client.error;

/** There was too much to do, again and again until the deadline. Nothing was changed. */
public final class OverloadedException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public OverloadedException(Failure failure) {
        super(failure);
    }
}
