package dev.contextd.client;

/** What happened. docs/events.md of the project says what each event holds. */
public enum EventType {
    /** Something that this version of the client does not know. */
    UNKNOWN,
    /** A context was created. */
    CREATED,
    /** A context was changed. */
    UPDATED,
    /** A context was deleted. */
    DELETED,
    /** A context was deleted by its time to live. */
    EXPIRED,
    /** A context was set back or brought back. */
    RESTORED,
    /** A context was made from a state of another one; what it holds is to be read. */
    FORKED,
    /** A context got what changed in another one. */
    MERGED,
    /** Activities were recorded by themselves. */
    ACTIVITY,
    /** A context was activated. */
    ACTIVATED,
    /** A context was deactivated. */
    DEACTIVATED,
    /** A recovery point is new, or was replaced. */
    RECOVERY_POINT_CREATED,
    /** A recovery point is gone. */
    RECOVERY_POINT_DELETED,
    /** A context as it is, for a subscription that begins with a snapshot. */
    SNAPSHOT,
    /** A session began. */
    SESSION_STARTED,
    /** A session was ended. */
    SESSION_ENDED,
    /** A session was not renewed in time. */
    SESSION_LOST,
    /** Activities are gone. */
    HISTORY_TRIMMED,
    /** A recovery point was changed. */
    RECOVERY_POINT_UPDATED,
    /** A session made another context its current one. */
    SESSION_SWITCHED,
    /** No event, only a position: what had happened has been told, what follows is live. */
    CAUGHT_UP,
    /** No event, only a position: there was nothing to tell up to here. */
    PROGRESS;

    static EventType of(dev.contextd.v1.EventType type) {
        return switch (type) {
            case EVENT_TYPE_UNSPECIFIED, UNRECOGNIZED -> UNKNOWN;
            default -> valueOf(type.name().substring("EVENT_TYPE_".length()));
        };
    }

    dev.contextd.v1.EventType message() {
        return dev.contextd.v1.EventType.valueOf("EVENT_TYPE_" + name());
    }

    boolean isPosition() {
        return this == CAUGHT_UP || this == PROGRESS;
    }
}
