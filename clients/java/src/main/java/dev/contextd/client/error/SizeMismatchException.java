package dev.contextd.client.error;

/** An append found a value of another size than it expected. */
public final class SizeMismatchException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public SizeMismatchException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the entry's key.
     *
     * @return the entry's key
     */
    public String key() {
        return text("key");
    }

    /**
     * Tells the value's size in bytes.
     *
     * @return the value's size in bytes
     */
    public long currentSize() {
        return number("current_size");
    }
}
