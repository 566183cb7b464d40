package dev.contextd.client.error;

/** Another session holds the resource. */
public final class ResourceHeldException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public ResourceHeldException(Failure failure) {
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
}
