package dev.contextd.client;

import dev.contextd.client.error.SessionLostException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How a session begins. Immutable: each method gives a changed copy.
 *
 * @param owner who it stands for, or empty
 * @param ttl how long it lives without being renewed, 1 s to 24 h
 * @param metadata its labels
 * @param defaultContextId activated at once, shared; empty: none
 * @param createIfMissing how contexts begin that are missing when they are activated
 * @param maxActiveContexts 1 to 1,000; 0: 5
 * @param recoveryPointOnLoss whether the server keeps a recovery point of what it holds
 *     exclusively when it is lost
 * @param onLost is told once when it is lost, by the client's executor
 */
public record NewSession(
        String owner,
        Duration ttl,
        Map<String, String> metadata,
        String defaultContextId,
        Optional<NewContext> createIfMissing,
        int maxActiveContexts,
        boolean recoveryPointOnLoss,
        Consumer<SessionLostException> onLost) {
    /** Of nobody, for 60 s. */
    public static final NewSession PLAIN =
            new NewSession(
                    "", Duration.ofSeconds(60), Map.of(), "", Optional.empty(), 0, false,
                    lost -> {});

    /**
     * For somebody.
     *
     * @param name who that is
     * @return the changed copy
     */
    public NewSession owner(String name) {
        return new NewSession(
                name, ttl, metadata, defaultContextId, createIfMissing, maxActiveContexts,
                recoveryPointOnLoss, onLost);
    }

    /**
     * With another time to live.
     *
     * @param time the time
     * @return the changed copy
     */
    public NewSession ttl(Duration time) {
        return new NewSession(
                owner, time, metadata, defaultContextId, createIfMissing, maxActiveContexts,
                recoveryPointOnLoss, onLost);
    }

    /**
     * With labels.
     *
     * @param labels the labels
     * @return the changed copy
     */
    public NewSession metadata(Map<String, String> labels) {
        return new NewSession(
                owner, ttl, labels, defaultContextId, createIfMissing, maxActiveContexts,
                recoveryPointOnLoss, onLost);
    }

    /**
     * With a context that is activated at once.
     *
     * @param id the context
     * @return the changed copy
     */
    public NewSession defaultContext(String id) {
        return new NewSession(
                owner, ttl, metadata, id, createIfMissing, maxActiveContexts, recoveryPointOnLoss,
                onLost);
    }

    /**
     * Creates contexts that are missing.
     *
     * @param properties how they begin
     * @return the changed copy
     */
    public NewSession createIfMissing(NewContext properties) {
        return new NewSession(
                owner, ttl, metadata, defaultContextId, Optional.of(properties),
                maxActiveContexts, recoveryPointOnLoss, onLost);
    }

    /**
     * With another bound of active contexts.
     *
     * @param count 1 to 1,000
     * @return the changed copy
     */
    public NewSession maxActiveContexts(int count) {
        return new NewSession(
                owner, ttl, metadata, defaultContextId, createIfMissing, count,
                recoveryPointOnLoss, onLost);
    }

    /**
     * Keeps recovery points when it is lost.
     *
     * @return the changed copy
     */
    public NewSession recoveryPointsOnLoss() {
        return new NewSession(
                owner, ttl, metadata, defaultContextId, createIfMissing, maxActiveContexts, true,
                onLost);
    }

    /**
     * Tells when it is lost.
     *
     * @param listener is told
     * @return the changed copy
     */
    public NewSession onLost(Consumer<SessionLostException> listener) {
        return new NewSession(
                owner, ttl, metadata, defaultContextId, createIfMissing, maxActiveContexts,
                recoveryPointOnLoss, listener);
    }
}
