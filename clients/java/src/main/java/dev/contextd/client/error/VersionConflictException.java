package dev.contextd.client.error;

/** The context has another version than the write expected. */
public final class VersionConflictException extends ConflictException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public VersionConflictException(Failure failure) {
        super(failure);
    }
}
