package dev.contextd.client.error;

/** The server does not have this feature. */
public final class NotSupportedException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public NotSupportedException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the field that asks for it, or the method.
     *
     * @return the field that asks for it, or the method
     */
    public String field() {
        return text("field");
    }
}
