package dev.contextd.client;

import java.util.List;

/**
 * Who works on a context.
 *
 * @param presence whether anybody does
 * @param version its version
 * @param fence that of its last exclusive activation
 * @param sessionIds the sessions that have it active
 * @param exclusiveSessionId the one that has it exclusively, or empty
 * @param guarded whether that one guards it
 */
public record ContextStatus(
        Presence presence,
        long version,
        long fence,
        List<String> sessionIds,
        String exclusiveSessionId,
        boolean guarded) {
    /** Whether anybody works on a context. */
    public enum Presence {
        /** Something that this version of the client does not know. */
        UNKNOWN,
        /** Some session has it active. */
        ACTIVE,
        /** It is there, and no session has it active. */
        INACTIVE,
        /** There is no such context. */
        NON_EXISTENT
    }
}
