package dev.contextd.client.error;

/** Another session has the context exclusively. */
public final class ContextBusyException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public ContextBusyException(Failure failure) {
        super(failure);
    }

    /**
     * Tells that session.
     *
     * @return that session
     */
    public String sessionId() {
        return text("session_id");
    }

    /**
     * Tells who it stands for, or empty.
     *
     * @return who it stands for, or empty
     */
    public String owner() {
        return text("owner");
    }
}
