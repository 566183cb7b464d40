package dev.contextd.client.error;

import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * A call failed.
 *
 * <p>The class follows the server's reason ({@code VERSION_CONFLICT} is a {@link
 * VersionConflictException}), and has the reason's values. A reason that this version does not
 * know, from a newer server, is a plain {@code ContextdException} with {@link #reason()} and
 * {@link #details()}.
 */
public class ContextdException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What happened, for people. */
    private final String text;

    /** gRPC's status code. */
    private final Status.Code code;

    /** The server's reason, or empty. */
    private final String reason;

    /** What the server told with the reason. */
    private final TreeMap<String, String> details;

    /** After which time to ask again, or null. */
    private final Duration retryDelay;

    /** The id of the write, or empty. */
    private final String requestId;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public ContextdException(Failure failure) {
        super(
                (failure.reason().isEmpty() ? failure.code().name() : failure.reason())
                        + ": "
                        + failure.message(),
                failure.cause());
        text = failure.message();
        code = failure.code();
        reason = failure.reason();
        details = new TreeMap<>(failure.details());
        retryDelay = failure.retryDelay().orElse(null);
        requestId = failure.requestId();
    }

    /**
     * Makes the exception of the class that the reason, or else the status, stands for.
     *
     * @param failure what is known
     * @return the exception
     */
    public static ContextdException of(Failure failure) {
        var made = Reasons.CLASSES.get(failure.reason());
        if (made != null) {
            return made.apply(failure);
        }
        return switch (failure.code()) {
            case UNAVAILABLE -> new UnavailableException(failure);
            case DEADLINE_EXCEEDED -> new DeadlineExceededException(failure);
            case CANCELLED -> new CancelledException(failure);
            default -> new ContextdException(failure);
        };
    }

    /**
     * What happened, for people, without the reason that {@link #getMessage()} begins with.
     *
     * @return the text
     */
    public final String text() {
        return text;
    }

    /**
     * gRPC's status code.
     *
     * @return the code
     */
    public final Status.Code code() {
        return code;
    }

    /**
     * The server's reason, such as {@code VERSION_CONFLICT}.
     *
     * @return the reason; empty when the failure is not the server's own
     */
    public final String reason() {
        return reason;
    }

    /**
     * What the server told with the reason, as it came.
     *
     * @return the details by name
     */
    public final Map<String, String> details() {
        return Map.copyOf(details);
    }

    /**
     * After which time the server wants to be asked again.
     *
     * @return the time, if the server said one
     */
    public final Optional<Duration> retryDelay() {
        return Optional.ofNullable(retryDelay);
    }

    /**
     * The id of the write that failed: repeating the same write with it is safe, and tells what
     * became of it.
     *
     * @return the id; empty for a read
     */
    public final String requestId() {
        return requestId;
    }

    /**
     * What it was made of.
     *
     * @return the failure
     */
    public final Failure failure() {
        return new Failure(text, code, reason, details, retryDelay(), requestId, getCause());
    }

    final String text(String name) {
        return details.getOrDefault(name, "");
    }

    final long number(String name) {
        return optionalNumber(name).orElse(0);
    }

    final OptionalLong optionalNumber(String name) {
        try {
            return OptionalLong.of(Long.parseUnsignedLong(text(name)));
        } catch (NumberFormatException notOne) {
            return OptionalLong.empty();
        }
    }
}
