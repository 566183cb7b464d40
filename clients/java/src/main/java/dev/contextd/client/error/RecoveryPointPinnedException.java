package dev.contextd.client.error;

/** The recovery point is pinned, and is not replaced. */
public final class RecoveryPointPinnedException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public RecoveryPointPinnedException(Failure failure) {
        super(failure);
    }
}
