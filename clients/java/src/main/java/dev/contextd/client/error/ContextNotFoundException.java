package dev.contextd.client.error;

import java.util.OptionalLong;

/** There is no such context. */
public final class ContextNotFoundException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public ContextNotFoundException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the last version that it had, if there was one and it was deleted.
     *
     * @return the last version that it had, if there was one and it was deleted
     */
    public OptionalLong deletedVersion() {
        return optionalNumber("deleted_version");
    }
}
