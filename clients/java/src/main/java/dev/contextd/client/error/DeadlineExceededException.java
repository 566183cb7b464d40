package dev.contextd.client.error;

/** There was no answer in time. A write may have been applied: see {@link #requestId()}. */
public final class DeadlineExceededException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public DeadlineExceededException(Failure failure) {
        super(failure);
    }
}
