package dev.contextd.client.error;

/** Nobody answered until the deadline. A write may have been applied: see {@link #requestId()}. */
public class UnavailableException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public UnavailableException(Failure failure) {
        super(failure);
    }
}
