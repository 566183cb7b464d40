package dev.contextd.client.error;

import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What is known of a call that failed: what every {@link ContextdException} is made of.
 *
 * @param message what happened, for people
 * @param code gRPC's status code
 * @param reason the server's reason, such as {@code VERSION_CONFLICT}; empty when the failure is
 *     not the server's own
 * @param details what the server told with the reason
 * @param retryDelay after which time the server wants to be asked again, if it said
 * @param requestId the id of the write that failed; empty for a read
 * @param cause what it came from, or {@code null}
 */
public record Failure(
        String message,
        Status.Code code,
        String reason,
        Map<String, String> details,
        Optional<Duration> retryDelay,
        String requestId,
        Throwable cause) {

    /**
     * A failure without a reason of the server.
     *
     * @param code gRPC's status code
     * @param message what happened
     * @return the failure
     */
    public static Failure of(Status.Code code, String message) {
        return new Failure(message, code, "", Map.of(), Optional.empty(), "", null);
    }

    /**
     * The same with another message.
     *
     * @param text what happened
     * @return the failure
     */
    public Failure withMessage(String text) {
        return new Failure(text, code, reason, details, retryDelay, requestId, cause);
    }

    /**
     * The same with a reason and its details.
     *
     * @param name the reason
     * @param values its details
     * @return the failure
     */
    public Failure withReason(String name, Map<String, String> values) {
        return new Failure(message, code, name, values, retryDelay, requestId, cause);
    }

    /**
     * The same, of a write.
     *
     * @param id the write's request id
     * @return the failure
     */
    public Failure withRequestId(String id) {
        return new Failure(message, code, reason, details, retryDelay, id, cause);
    }

    /**
     * The same with what it came from.
     *
     * @param from the cause
     * @return the failure
     */
    public Failure withCause(Throwable from) {
        return new Failure(message, code, reason, details, retryDelay, requestId, from);
    }
}
