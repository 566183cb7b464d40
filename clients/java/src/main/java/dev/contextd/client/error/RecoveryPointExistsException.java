package dev.contextd.client.error;

/** There is a recovery point of this id already. */
public final class RecoveryPointExistsException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public RecoveryPointExistsException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the sequence of the one that exists.
     *
     * @return the sequence of the one that exists
     */
    public long sequence() {
        return number("sequence");
    }
}
