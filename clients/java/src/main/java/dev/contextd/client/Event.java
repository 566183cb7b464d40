package dev.contextd.client;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What one change did to one context or session. A change of several contexts makes several
 * events of the same revision.
 *
 * @param type what happened
 * @param namespace the namespace that isolates it
 * @param cursor the position right behind it: store it with what you make of the event
 * @param revision the position of the change among all changes of the server
 * @param time when the change was made
 * @param context the context after the change; before it, where it is gone
 * @param steps what was done, as it was applied
 * @param entries of a snapshot: the entries as they are, by key
 * @param reset what was done is not told: read the context anew
 * @param sessionId who did it, or empty
 * @param session of events of sessions
 * @param activation of activations
 * @param pointId of events of recovery points, and of a restore
 * @param trimmed of a history that was made smaller: the activities that are gone
 */
public record Event(
        EventType type,
        String namespace,
        String cursor,
        long revision,
        Optional<Instant> time,
        Optional<ContextInfo> context,
        List<Step> steps,
        List<Entry> entries,
        boolean reset,
        String sessionId,
        Optional<SessionInfo> session,
        Optional<Activation> activation,
        String pointId,
        List<SequenceRange> trimmed) {
    /**
     * Activities of one history, both ends included.
     *
     * @param first the first one
     * @param last the last one
     */
    public record SequenceRange(long first, long last) {}

    static Event position(EventType type, String namespace, String cursor) {
        return new Event(
                type,
                namespace,
                cursor,
                0,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of(),
                false,
                "",
                Optional.empty(),
                Optional.empty(),
                "",
                List.of());
    }

    static Event of(dev.contextd.v1.EventOrBuilder event) {
        return new Event(
                EventType.of(event.getType()),
                event.getNamespace(),
                event.getCursor(),
                event.getRevision(),
                Messages.time(event.hasTime(), event.getTime()),
                event.hasContext()
                        ? Optional.of(Messages.info(event.getContext()))
                        : Optional.empty(),
                Messages.each(event.getMutationsList(), Step::of),
                Messages.entries(event.getEntriesList()),
                event.getReset(),
                event.getSessionId(),
                event.hasSession()
                        ? Optional.of(SessionCalls.session(event.getSession()))
                        : Optional.empty(),
                event.hasActivation()
                        ? Optional.of(SessionCalls.activation(event.getActivation()))
                        : Optional.empty(),
                event.getRecoveryPointId(),
                Messages.each(
                        event.getTrimmedList(),
                        range -> new SequenceRange(range.getFirst(), range.getLast())));
    }
}
