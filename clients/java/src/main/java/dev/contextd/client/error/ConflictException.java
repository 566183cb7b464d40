package dev.contextd.client.error;

/** Somebody else was faster. Read again, and decide again. */
public class ConflictException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public ConflictException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the version there is now.
     *
     * @return the version there is now; 0 stands for none
     */
    public long currentVersion() {
        return number("current_version");
    }
}
