package dev.contextd.client.error;

/** The answer does not fit into one message; read it in pieces. */
public final class ResponseTooLargeException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public ResponseTooLargeException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the answer's size in bytes, at least.
     *
     * @return the answer's size in bytes, at least
     */
    public long size() {
        return number("size");
    }

    /**
     * Tells what fits, in bytes.
     *
     * @return what fits, in bytes
     */
    public long limit() {
        return number("limit");
    }
}
