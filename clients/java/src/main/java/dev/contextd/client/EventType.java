package dev.contextd.client;

import java.util.EnumMap;
import java.util.Map;

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

    private static final Map<dev.contextd.v1.EventType, EventType> BY_MESSAGE =
            new EnumMap<>(dev.contextd.v1.EventType.class);

    static {
        for (EventType type : values()) {
            if (type != UNKNOWN && !type.isPosition()) {
                BY_MESSAGE.put(type.message(), type);
            }
        }
    }

    static EventType of(dev.contextd.v1.EventType type) {
        return BY_MESSAGE.getOrDefault(type, UNKNOWN);
    }

    dev.contextd.v1.EventType message() {
        return dev.contextd.v1.EventType.valueOf("EVENT_TYPE_" + name());
    }

    boolean isPosition() {
        return this == CAUGHT_UP || this == PROGRESS;
    }
}
