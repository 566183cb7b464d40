package dev.contextd.client.error;

/** Nobody read the stream for too long. The iterators of this client go on by themselves. */
public final class StreamStalledException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public StreamStalledException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the last key that the server sent.
     *
     * @return the last key that the server sent; empty for a subscription
     */
    public String afterKey() {
        return text("after_key");
    }

    /**
     * Tells the last position that the server sent on a subscription: it may not have arrived.
     *
     * @return the last position that the server sent on a subscription: it may not have arrived
     */
    public String cursor() {
        return text("cursor");
    }
}
