package dev.contextd.client.error;

/** The session does not hold the resource. */
public final class ResourceNotHeldException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public ResourceNotHeldException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the session that does hold it.
     *
     * @return the session that does hold it; empty: none
     */
    public String sessionId() {
        return text("session_id");
    }
}
