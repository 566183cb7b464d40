package dev.contextd.client.error;

/** The exclusive activation that the write belongs to is not in force; nothing was written. */
public final class StaleFenceException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public StaleFenceException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the context's fence now, that of its last exclusive activation.
     *
     * @return the context's fence now, that of its last exclusive activation; 0: there was none
     */
    public long currentFence() {
        return number("current_fence");
    }
}
