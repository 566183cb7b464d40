package dev.contextd.client.error;

/** The call was cancelled on its way. */
public final class CancelledException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public CancelledException(Failure failure) {
        super(failure);
    }
}
