package dev.contextd.client.error;

/** A value that cannot be written, or that is not what was asked for. */
public final class InvalidValueException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public InvalidValueException(Failure failure) {
        super(failure);
    }
}
