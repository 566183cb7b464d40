package dev.contextd.client;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Something that happened while a context was worked on: one line of its history.
 *
 * @param type a name of your choice such as {@code message}, at most 64 bytes
 * @param data what belongs to it; its content type is kept with it
 * @param metadata labels
 * @param detail a file, a model or a resource; empty: none
 * @param sequence its number in the history, from 1; set by the server
 * @param time when it was recorded; set by the server
 * @param sessionId who did it, or empty; set by the server
 */
public record Activity(
        String type,
        Value data,
        Map<String, String> metadata,
        Optional<Detail> detail,
        long sequence,
        Optional<Instant> time,
        String sessionId)
        implements Recordable {
    private static final Value NOTHING = Value.of(new byte[0]);

    /** What the server adds up. */
    public sealed interface Detail permits FileOperation, ModelUsage, ResourceStep {}

    /**
     * An activity that is to be recorded.
     *
     * @param type its type
     * @param data what belongs to it
     * @param metadata its labels
     */
    public Activity(String type, Value data, Map<String, String> metadata) {
        this(type, data, metadata, Optional.empty(), 0, Optional.empty(), "");
    }

    /**
     * An activity that is to be recorded, with text.
     *
     * @param type its type
     * @param text what belongs to it
     */
    public Activity(String type, String text) {
        this(type, Value.of(text), Map.of());
    }

    /**
     * An activity that is to be recorded, about a file or a model.
     *
     * @param detail the file or model
     * @return the activity, of the detail's type
     */
    public static Activity of(Detail detail) {
        return new Activity("", NOTHING, Map.of(), Optional.of(detail), 0, Optional.empty(), "");
    }
}
