package dev.contextd.client;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.contextd.client.error.CertificateRejectedException;
import dev.contextd.client.error.ClientClosedException;
import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.DeadlineExceededException;
import dev.contextd.client.error.Failure;
import dev.contextd.client.error.InvalidValueException;
import dev.contextd.client.error.NewerServerException;
import dev.contextd.client.error.OverloadedException;
import dev.contextd.client.error.SessionLostException;
import dev.contextd.client.error.UnavailableException;
import dev.contextd.client.error.WrongServerException;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.IOException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/** Makes exceptions of what gRPC and the server's messages tell. */
final class Failures {
    private static final String DOMAIN = "contextd";
    private static final Metadata.Key<byte[]> DETAILS =
            Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

    // What netty says of the first bytes that came, in hexadecimal: those of TLS and of HTTP/1.
    private static final Pattern FIRST_BYTES =
            Pattern.compile("First received frame was not SETTINGS.*: ([0-9a-f]*)");
    // What gRPC says of a connection that ended without a word.
    private static final String CLOSED_EARLY = "Network closed for unknown reason";
    // What gRPC says of a call that never had a connection, and of one that began too late.
    private static final String NO_CONNECTION = "was_still_waiting";
    private static final String BEGAN_LATE = "ClientCall started after CallOptions deadline";
    private static final String TLS_ALERT = "15";
    private static final String BATCH_PATH = "^(requests|operations)\\[\\d+\\]\\.?(create|get|"
            + "update|delete)?\\.?";

    private Failures() {}

    static ContextdException of(Status status, Metadata trailers) {
        String text = Optional.ofNullable(status.getDescription()).orElse("");
        Failure plain = Failure.of(code(status), text).withCause(status.getCause());
        Failure failure = withDetails(plain, trailers == null ? null : trailers.get(DETAILS));
        if (failure.reason().isEmpty()) {
            return withoutReason(failure);
        }
        return ContextdException.of(failure);
    }

    /** Whether an attempt got no further than here: what is known is what failed before it. */
    static boolean neverLeft(ContextdException error) {
        return error.text().contains(NO_CONNECTION) || error.text().contains(BEGAN_LATE);
    }

    // A connection that broke while a call began on it is UNKNOWN to gRPC, with the cause. What a
    // server says has no cause. Where no connection was made, nobody was there to be late.
    private static Status.Code code(Status status) {
        if (status.getCode() == Status.Code.DEADLINE_EXCEEDED
                && String.valueOf(status.getDescription()).contains(NO_CONNECTION)) {
            return Status.Code.UNAVAILABLE;
        }
        boolean broke = status.getCause() instanceof IOException;
        return broke && status.getCode() == Status.Code.UNKNOWN
                ? Status.Code.UNAVAILABLE
                : status.getCode();
    }

    private static Failure withDetails(Failure failure, byte[] details) {
        Failure found = failure;
        if (details == null) {
            return found;
        }
        try {
            for (var detail : com.google.rpc.Status.parseFrom(details).getDetailsList()) {
                if (detail.is(ErrorInfo.class)) {
                    ErrorInfo info = detail.unpack(ErrorInfo.class);
                    if (info.getDomain().equals(DOMAIN)) {
                        found = found.withReason(info.getReason(), info.getMetadataMap());
                    }
                } else if (detail.is(RetryInfo.class)) {
                    found = withDelay(found, detail.unpack(RetryInfo.class).getRetryDelay());
                }
            }
        } catch (InvalidProtocolBufferException unreadable) {
            return found; // Code and message get through in any case.
        }
        return found;
    }

    private static Failure withDelay(Failure failure, com.google.protobuf.Duration delay) {
        return new Failure(
                failure.message(),
                failure.code(),
                failure.reason(),
                failure.details(),
                Optional.of(Duration.ofSeconds(delay.getSeconds(), delay.getNanos())),
                failure.requestId(),
                failure.cause());
    }

    private static ContextdException withoutReason(Failure failure) {
        for (Throwable at = failure.cause(); at != null; at = at.getCause()) {
            if (at instanceof SSLException || at instanceof CertificateException) {
                String message = "the TLS connection was refused: " + at.getMessage();
                return new CertificateRejectedException(failure.withMessage(message));
            }
            var first = FIRST_BYTES.matcher(String.valueOf(at.getMessage()));
            if (first.find()) {
                if (first.group(1).startsWith(TLS_ALERT)) {
                    String message = "the server speaks TLS, and this client is set to plain text";
                    return new CertificateRejectedException(failure.withMessage(message));
                }
                String message = "what answers does not speak HTTP/2: " + at.getMessage();
                return new WrongServerException(failure.withMessage(message));
            }
        }
        boolean http =
                failure.message().startsWith("HTTP status code")
                        || failure.message().contains("invalid content-type");
        boolean gateway = failure.code() == Status.Code.UNAVAILABLE;
        if (failure.code() == Status.Code.UNIMPLEMENTED || (http && !gateway)) {
            String message = "what answers is not contextd: " + failure.message();
            return new WrongServerException(failure.withMessage(message));
        }
        return ContextdException.of(failure);
    }

    /** What became of one part of a batch, told as if it had been alone. */
    static ContextdException of(dev.contextd.v1.Failure failure, String requestId) {
        return of(failure, "", requestId);
    }

    /** The same; its fields are told at the place by which the caller knows the part. */
    static ContextdException of(
            dev.contextd.v1.Failure failure, String place, String requestId) {
        var details = new java.util.HashMap<>(failure.getMetadataMap());
        String message = failure.getMessage();
        String field = details.getOrDefault("field", "");
        String own = field.replaceFirst(BATCH_PATH, place);
        if (!own.equals(field)) {
            details.put("field", own);
            message = message.replace(field, own);
        }
        Failure made =
                Failure.of(Status.fromCodeValue(failure.getCode()).getCode(), message)
                        .withReason(failure.getReason(), details)
                        .withRequestId(requestId);
        return ContextdException.of(
                failure.hasRetryDelay() ? withDelay(made, failure.getRetryDelay()) : made);
    }

    /** The same failure, of the write with this request id. */
    static ContextdException withRequestId(ContextdException error, String requestId) {
        if (requestId.isEmpty()) {
            return error;
        }
        Failure failure = error.failure().withRequestId(requestId).withCause(error);
        return remade(error, failure);
    }

    /** Says how long and how often it was tried, where nobody answered. */
    static ContextdException givenUp(
            ContextdException last, String address, Attempts attempts, String requestId) {
        Failure failure = last.failure().withRequestId(requestId);
        if (last.code() == Status.Code.UNAVAILABLE
                && last.reason().isEmpty()
                && last.getClass() == UnavailableException.class) {
            String message =
                    String.format(
                            Locale.ROOT,
                            "nobody answered at %s in %.1f s and %d attempts, the last one: %s",
                            address,
                            attempts.seconds(),
                            attempts.failed(),
                            lastWords(last));
            failure = failure.withMessage(message);
        }
        return remade(last, failure);
    }

    private static String lastWords(ContextdException error) {
        if (error.text().contains(CLOSED_EARLY)) {
            return error.text() + " (so does a server that wants TLS, or a certificate of ours)";
        }
        Throwable cause = error.getCause();
        if (cause == null || cause.getMessage() == null) {
            return error.text();
        }
        return error.text() + ": " + cause.getMessage();
    }

    /** What this client found itself, as the failure of the write with this request id. */
    static ContextdException ofWrite(ContextdException error, String requestId) {
        return requestId.isEmpty() || !error.requestId().isEmpty()
                ? error
                : remade(error, error.failure().withRequestId(requestId));
    }

    /** An error of the same class; no reason of the server tells those. */
    private static ContextdException remade(ContextdException error, Failure failure) {
        if (error instanceof CertificateRejectedException) {
            return new CertificateRejectedException(failure);
        }
        if (error instanceof WrongServerException) {
            return new WrongServerException(failure);
        }
        if (error instanceof ClientClosedException) {
            return new ClientClosedException(failure);
        }
        if (error instanceof NewerServerException) {
            return new NewerServerException(failure);
        }
        if (error instanceof SessionLostException) {
            return new SessionLostException(failure);
        }
        if (error instanceof InvalidValueException) {
            return new InvalidValueException(failure);
        }
        return ContextdException.of(failure);
    }

    static ContextdException closed(String what) {
        return new ClientClosedException(
                Failure.of(Status.Code.CANCELLED, "the " + what + " was closed"));
    }

    static ContextdException newerServer(String what) {
        String message = "the server told " + what + ", which needs a newer client";
        return new NewerServerException(Failure.of(Status.Code.UNIMPLEMENTED, message));
    }

    static ContextdException late(String requestId) {
        Failure failure = Failure.of(Status.Code.DEADLINE_EXCEEDED, "there was no answer in time");
        return new DeadlineExceededException(failure.withRequestId(requestId));
    }

    static ContextdException overloaded(String message) {
        Failure failure = Failure.of(Status.Code.RESOURCE_EXHAUSTED, message);
        return new OverloadedException(failure.withReason("OVERLOADED", java.util.Map.of()));
    }
}
