package dev.contextd.client;

/**
 * A resource that was taken or given back. Only the server records these.
 *
 * @param name the resource
 * @param type its type, or empty
 * @param kind what happened
 */
public record ResourceStep(String name, String type, Kind kind) implements Activity.Detail {
    /** What happened to a resource. */
    public enum Kind {
        /** Something that this version of the client does not know. */
        UNKNOWN,
        /** It was taken. */
        ACQUIRED,
        /** It was given back. */
        RELEASED,
        /** The session that held it ended without giving it back. */
        RECLAIMED
    }
}
