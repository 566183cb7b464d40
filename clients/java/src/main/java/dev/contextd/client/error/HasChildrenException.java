package dev.contextd.client.error;

/** A context with children is deleted only when the delete is recursive. */
public final class HasChildrenException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public HasChildrenException(Failure failure) {
        super(failure);
    }

    /**
     * Tells how many contexts name this one as their parent.
     *
     * @return how many contexts name this one as their parent
     */
    public long childCount() {
        return number("child_count");
    }
}
