package dev.contextd.client;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which events a subscription tells, and where it begins. Immutable: each method gives a
 * changed copy.
 *
 * @param contextIds only of these contexts; empty: of all
 * @param idPrefix only ids that begin with it
 * @param type only contexts of this type
 * @param metadata only contexts with all these labels, before or after the change
 * @param types only events of these types; empty: all
 * @param keyPrefix only changes that touch such an entry, and those of no entry
 * @param begin where it begins
 * @param cursor with {@code Begin.CURSOR}: the position
 * @param withoutValues whether without the values
 * @param withPositions whether positions are handed out too, as events of their types
 * @param progressInterval how long at most the server says nothing, 100 ms to 1 h
 */
public record EventQuery(
        List<String> contextIds,
        String idPrefix,
        String type,
        Map<String, String> metadata,
        Set<EventType> types,
        String keyPrefix,
        Begin begin,
        String cursor,
        boolean withoutValues,
        boolean withPositions,
        Duration progressInterval) {
    /** All that happens from now on. */
    public static final EventQuery ALL =
            new EventQuery(
                    List.of(), "", "", Map.of(), Set.of(), "", Begin.NOW, "", false, false,
                    Duration.ofSeconds(10));

    /**
     * Only of some contexts.
     *
     * @param ids their ids
     * @return the changed copy
     */
    public EventQuery contexts(List<String> ids) {
        return new EventQuery(
                ids, idPrefix, type, metadata, types, keyPrefix, begin, cursor, withoutValues,
                withPositions, progressInterval);
    }

    /**
     * Only ids that begin with a prefix.
     *
     * @param prefix the prefix
     * @return the changed copy
     */
    public EventQuery idPrefix(String prefix) {
        return new EventQuery(
                contextIds, prefix, type, metadata, types, keyPrefix, begin, cursor,
                withoutValues, withPositions, progressInterval);
    }

    /**
     * Only contexts of a type.
     *
     * @param name the type
     * @return the changed copy
     */
    public EventQuery type(String name) {
        return new EventQuery(
                contextIds, idPrefix, name, metadata, types, keyPrefix, begin, cursor,
                withoutValues, withPositions, progressInterval);
    }

    /**
     * Only contexts with labels.
     *
     * @param labels the labels, all of them
     * @return the changed copy
     */
    public EventQuery metadata(Map<String, String> labels) {
        return new EventQuery(
                contextIds, idPrefix, type, labels, types, keyPrefix, begin, cursor,
                withoutValues, withPositions, progressInterval);
    }

    /**
     * Only some types of events.
     *
     * @param kinds the types
     * @return the changed copy
     */
    public EventQuery types(Set<EventType> kinds) {
        return new EventQuery(
                contextIds, idPrefix, type, metadata, kinds, keyPrefix, begin, cursor,
                withoutValues, withPositions, progressInterval);
    }

    /**
     * Only changes of some entries.
     *
     * @param prefix the prefix of their keys
     * @return the changed copy
     */
    public EventQuery keyPrefix(String prefix) {
        return new EventQuery(
                contextIds, idPrefix, type, metadata, types, prefix, begin, cursor, withoutValues,
                withPositions, progressInterval);
    }

    /**
     * Begins behind a position.
     *
     * @param position the cursor of an event
     * @return the changed copy
     */
    public EventQuery after(String position) {
        return new EventQuery(
                contextIds, idPrefix, type, metadata, types, keyPrefix, Begin.CURSOR, position,
                withoutValues, withPositions, progressInterval);
    }

    /**
     * Begins with the oldest event that is kept.
     *
     * @return the changed copy
     */
    public EventQuery fromOldest() {
        return new EventQuery(
                contextIds, idPrefix, type, metadata, types, keyPrefix, Begin.OLDEST, cursor,
                withoutValues, withPositions, progressInterval);
    }

    /**
     * Begins with the contexts as they are.
     *
     * @return the changed copy
     */
    public EventQuery snapshot() {
        return new EventQuery(
                contextIds, idPrefix, type, metadata, types, keyPrefix, Begin.SNAPSHOT, cursor,
                withoutValues, withPositions, progressInterval);
    }

    /**
     * Without the values.
     *
     * @return the changed copy
     */
    public EventQuery keysOnly() {
        return new EventQuery(
                contextIds, idPrefix, type, metadata, types, keyPrefix, begin, cursor, true,
                withPositions, progressInterval);
    }

    /**
     * With positions.
     *
     * @return the changed copy
     */
    public EventQuery positions() {
        return new EventQuery(
                contextIds, idPrefix, type, metadata, types, keyPrefix, begin, cursor,
                withoutValues, true, progressInterval);
    }

    /**
     * With another interval of positions.
     *
     * @param interval the interval
     * @return the changed copy
     */
    public EventQuery progressInterval(Duration interval) {
        return new EventQuery(
                contextIds, idPrefix, type, metadata, types, keyPrefix, begin, cursor,
                withoutValues, withPositions, interval);
    }

    /** Where a subscription begins. */
    public enum Begin {
        /** With what happens from now on. */
        NOW,
        /** Behind a position. */
        CURSOR,
        /** With the oldest event that is kept. */
        OLDEST,
        /** With the contexts as they are. */
        SNAPSHOT
    }
}
