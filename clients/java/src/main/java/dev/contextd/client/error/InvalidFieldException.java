package dev.contextd.client.error;

/** A field of the request breaks one of the rules of the API. */
public final class InvalidFieldException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public InvalidFieldException(Failure failure) {
        super(failure);
    }

    /**
     * Tells which field.
     *
     * @return which field, such as {@code mutations[3].put_entry.key}
     */
    public String field() {
        return text("field");
    }

    /**
     * Tells the rule that it breaks.
     *
     * @return the rule that it breaks
     */
    public String rule() {
        return text("rule");
    }
}
