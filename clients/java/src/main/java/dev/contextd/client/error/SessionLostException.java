package dev.contextd.client.error;

/** The program's own session is over although the program did not end it. Begin a new one. */
public final class SessionLostException extends SessionNotFoundException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public SessionLostException(Failure failure) {
        super(failure);
    }
}
