package dev.contextd.client.error;

/** Bytes that the server stored are damaged. */
public final class DamagedException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public DamagedException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the file's name, on the server.
     *
     * @return the file's name, on the server
     */
    public String file() {
        return text("file");
    }

    /**
     * Tells where in the file, in bytes.
     *
     * @return where in the file, in bytes
     */
    public long offset() {
        return number("offset");
    }
}
