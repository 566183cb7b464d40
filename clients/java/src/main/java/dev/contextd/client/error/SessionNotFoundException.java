package dev.contextd.client.error;

/** There is no such session, or it has ended. */
public class SessionNotFoundException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public SessionNotFoundException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the id that was asked for.
     *
     * @return the id that was asked for
     */
    public String sessionId() {
        return text("session_id");
    }
}
