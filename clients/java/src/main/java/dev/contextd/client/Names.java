package dev.contextd.client;

import dev.contextd.client.error.Failure;
import dev.contextd.client.error.InvalidFieldException;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Refuses what the server would refuse, with its words, before anything is sent. */
final class Names {
    static final int ID = 256;
    static final int KEY = 512;
    static final int TYPE = 64;
    static final int CONTENT_TYPE = 128;
    static final int LABEL_KEY = 63;
    static final int LABEL_VALUE = 1024;
    static final int REQUEST_ID = 128;
    static final int POINT_ID = 128;
    static final int LABELS = 64;

    private static final int NAMESPACE = 63;
    private static final int UTF8_BYTES_PER_CHAR_MAX = 3;

    private Names() {}

    static InvalidFieldException invalid(String field, String rule) {
        Failure failure = Failure.of(Status.Code.INVALID_ARGUMENT, field + " " + rule);
        return new InvalidFieldException(
                failure.withReason("INVALID_FIELD", Map.of("field", field, "rule", rule)));
    }

    static void namespace(String field, String name) {
        if (name.isEmpty()) {
            return;
        }
        if (name.getBytes(StandardCharsets.UTF_8).length > NAMESPACE) {
            throw invalid(field, "is longer than its limit");
        }
        name(field, name, 1, NAMESPACE);
        if (!isLowerOrDigit(name.charAt(0))) {
            throw invalid(field, "must begin with one of a-z 0-9");
        }
        for (int i = 0; i < name.length(); i++) {
            if (!isLowerOrDigit(name.charAt(i)) && "-_.".indexOf(name.charAt(i)) < 0) {
                throw invalid(field, "may hold only a-z 0-9 - _ .");
            }
        }
    }

    private static boolean isLowerOrDigit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    }

    /** UTF-8 without control characters, of a number of bytes. */
    static void name(String field, String name, int min, int max) {
        size(field, name, max);
        if (name.length() < min) {
            throw invalid(field, "must not be empty");
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == 0) {
                throw invalid(field, "must be UTF-8 without NUL");
            }
            if (c < ' ' || (c >= 0x7f && c < 0xa0)) {
                throw invalid(field, "must not contain control characters");
            }
            i += surrogates(field, name, i);
        }
    }

    /** UTF-8 without NUL, of at most so many bytes. */
    static void text(String field, String text, int max) {
        size(field, text, max);
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == 0) {
                throw invalid(field, "must be UTF-8 without NUL");
            }
            i += surrogates(field, text, i);
        }
    }

    /** How many characters a pair takes more; UTF-8 cannot hold a half of one. */
    private static int surrogates(String field, String text, int at) {
        char c = text.charAt(at);
        if (!Character.isSurrogate(c)) {
            return 0;
        }
        boolean paired =
                Character.isHighSurrogate(c)
                        && at + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(at + 1));
        if (!paired) {
            throw invalid(field, "must be UTF-8 without NUL");
        }
        return 1;
    }

    private static void size(String field, String text, int max) {
        if (text.length() * UTF8_BYTES_PER_CHAR_MAX > max
                && text.getBytes(StandardCharsets.UTF_8).length > max) {
            throw invalid(field, "must have at most " + max + " bytes");
        }
    }

    static void labels(String field, Map<String, String> labels) {
        if (labels.size() > LABELS) {
            throw invalid(field, "must have at most " + LABELS + " elements");
        }
        labels.forEach(
                (key, value) -> {
                    name(field + ".key", key, 1, LABEL_KEY);
                    text(field + ".value", value, LABEL_VALUE);
                });
    }

    static void count(String field, int count, int min, int max) {
        if (count < min) {
            throw invalid(field, "must not be empty");
        }
        if (count > max) {
            throw invalid(field, "must have at most " + max + " elements");
        }
    }
}
