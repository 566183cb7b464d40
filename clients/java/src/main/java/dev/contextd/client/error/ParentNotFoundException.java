package dev.contextd.client.error;

/** The parent does not exist. */
public final class ParentNotFoundException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public ParentNotFoundException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the id that was asked for.
     *
     * @return the id that was asked for
     */
    public String parentId() {
        return text("parent_id");
    }
}
