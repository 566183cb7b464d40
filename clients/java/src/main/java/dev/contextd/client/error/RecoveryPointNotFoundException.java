package dev.contextd.client.error;

/** There is no such recovery point: it was deleted, expired, or dropped by a policy. */
public final class RecoveryPointNotFoundException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public RecoveryPointNotFoundException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the oldest one that there is.
     *
     * @return the oldest one that there is; empty: there is none
     */
    public String oldestId() {
        return text("oldest_id");
    }
}
