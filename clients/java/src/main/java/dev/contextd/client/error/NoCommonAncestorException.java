package dev.contextd.client.error;

/** The two contexts have no state in common that is known. Name the ancestor. */
public final class NoCommonAncestorException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public NoCommonAncestorException(Failure failure) {
        super(failure);
    }
}
