package dev.contextd.client.error;

/** A limit that is configured in the server, or that adds up. */
public final class LimitReachedException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public LimitReachedException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the limit's name.
     *
     * @return the limit's name, such as {@code value_size_max}
     */
    public String limit() {
        return text("limit");
    }

    /**
     * Tells what the limit is set to.
     *
     * @return what the limit is set to
     */
    public long value() {
        return number("value");
    }
}
