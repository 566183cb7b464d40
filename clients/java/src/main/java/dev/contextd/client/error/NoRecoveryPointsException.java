package dev.contextd.client.error;

/** The newest recovery point was asked for, and the context has none. */
public final class NoRecoveryPointsException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public NoRecoveryPointsException(Failure failure) {
        super(failure);
    }
}
