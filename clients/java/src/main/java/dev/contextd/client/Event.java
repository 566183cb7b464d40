package dev.contextd.client;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What one change did to one context or session. A change of several contexts makes several
 * events of the same revision. Immutable.
 *
 * <p>Threads: any. What is asked for is read out of the message when it is asked for first.
 */
public final class Event {
    private final dev.contextd.v1.Event message;
    private final EventType type;
    private Optional<ContextInfo> context;
    private List<Step> steps;
    private List<Entry> entries;

    private Event(dev.contextd.v1.Event message, EventType type) {
        this.message = message;
        this.type = type;
    }

    static Event of(dev.contextd.v1.Event message) {
        return new Event(message, EventType.of(message.getType()));
    }

    static Event position(EventType type, String namespace, String cursor) {
        return new Event(
                dev.contextd.v1.Event.newBuilder()
                        .setNamespace(namespace)
                        .setCursor(cursor)
                        .build(),
                type);
    }

    /**
     * Activities of one history, both ends included.
     *
     * @param first the first one
     * @param last the last one
     */
    public record SequenceRange(long first, long last) {}

    /**
     * What happened.
     *
     * @return the type
     */
    public EventType type() {
        return type;
    }

    /**
     * The namespace that isolates it.
     *
     * @return the namespace
     */
    public String namespace() {
        return message.getNamespace();
    }

    /**
     * The position right behind it: store it with what you make of the event.
     *
     * @return the cursor
     */
    public String cursor() {
        return message.getCursor();
    }

    /**
     * The position of the change among all changes of the server.
     *
     * @return the revision; 0 of a position
     */
    public long revision() {
        return message.getRevision();
    }

    /**
     * When the change was made.
     *
     * @return the time; empty of a position
     */
    public Optional<Instant> time() {
        return Messages.time(message.hasTime(), message.getTime());
    }

    /**
     * The context after the change; before it, where it is gone.
     *
     * @return all but its entries; empty of events of sessions and of positions
     */
    public Optional<ContextInfo> context() {
        Optional<ContextInfo> known = context;
        if (known == null) {
            known =
                    message.hasContext()
                            ? Optional.of(Messages.info(message.getContext()))
                            : Optional.empty();
            context = known;
        }
        return known;
    }

    /**
     * What was done, as it was applied.
     *
     * @return the steps in order
     */
    public List<Step> steps() {
        List<Step> known = steps;
        if (known == null) {
            known = Messages.each(message.getMutationsList(), Step::of);
            steps = known;
        }
        return known;
    }

    /**
     * The entries of a snapshot as they are.
     *
     * @return the entries by key; empty of other events
     */
    public List<Entry> entries() {
        List<Entry> known = entries;
        if (known == null) {
            known = Messages.entries(message.getEntriesList());
            entries = known;
        }
        return known;
    }

    /**
     * Whether what was done is not told, so that the context must be read anew.
     *
     * @return whether it is so
     */
    public boolean reset() {
        return message.getReset();
    }

    /**
     * Who did it; of activations, whose they are.
     *
     * @return the session, or empty
     */
    public String sessionId() {
        return message.getSessionId();
    }

    /**
     * The session of an event of sessions.
     *
     * @return the session; empty of other events
     */
    public Optional<SessionInfo> session() {
        return message.hasSession()
                ? Optional.of(SessionCalls.session(message.getSession()))
                : Optional.empty();
    }

    /**
     * The activation that began or ended.
     *
     * @return the activation; empty of other events
     */
    public Optional<Activation> activation() {
        return message.hasActivation()
                ? Optional.of(SessionCalls.activation(message.getActivation()))
                : Optional.empty();
    }

    /**
     * The point of an event of recovery points; of a restore, the point that it set back to.
     *
     * @return the point's id, or empty
     */
    public String pointId() {
        return message.getRecoveryPointId();
    }

    /**
     * Of a history that was made smaller: the activities that are gone.
     *
     * @return their sequences in order; empty of other events
     */
    public List<SequenceRange> trimmed() {
        return Messages.each(
                message.getTrimmedList(),
                range -> new SequenceRange(range.getFirst(), range.getLast()));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Event event && type == event.type && message.equals(event.message);
    }

    @Override
    public int hashCode() {
        return message.hashCode();
    }

    @Override
    public String toString() {
        return type + " at " + cursor() + context().map(info -> " of " + info.id()).orElse("");
    }
}
