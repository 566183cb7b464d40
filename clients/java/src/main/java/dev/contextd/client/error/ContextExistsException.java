package dev.contextd.client.error;

/** A create found that there is a context already. */
public final class ContextExistsException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public ContextExistsException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the version of the one that exists.
     *
     * @return the version of the one that exists
     */
    public long version() {
        return number("version");
    }
}
