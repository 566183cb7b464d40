package dev.contextd.client;

import com.google.protobuf.Duration;
import dev.contextd.client.error.Failure;
import dev.contextd.client.error.InvalidFieldException;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** The rules of single values: what the server would refuse is refused with its words. */
final class Names {
    static final int ID = 256;
    static final int KEY = 512;
    static final int TYPE = 64;
    static final int CONTENT_TYPE = 128;
    static final int REQUEST_ID = 128;
    static final int POINT_ID = 128;
    static final int LABEL_KEY = 63;
    static final long TTL_SECONDS = 100L * 365 * 86_400;

    private static final int NAMESPACE = 63;
    private static final int LABEL_VALUE = 1024;
    private static final int LABELS = 64;
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
        count(field, labels.size(), 0, LABELS);
        if (labels.isEmpty()) {
            return;
        }
        // In their order, so that it is always the same one that is told.
        new TreeMap<>(labels)
                .forEach(
                        (key, value) -> inside(field, () -> label(key, value)));
    }

    static void label(String key, String value) {
        name("key", key, 1, LABEL_KEY);
        text("value", value, LABEL_VALUE);
    }

    static void count(String field, int count, int min, int max) {
        if (count < min) {
            throw invalid(field, "must not be empty");
        }
        if (count > max) {
            throw invalid(field, "must have at most " + max + " elements");
        }
    }

    /** A list of names. */
    static void names(String field, List<String> names, int countMax, int max) {
        count(field, names.size(), 0, countMax);
        each(field, names, name -> name("", name, 1, max));
    }

    /** A length of time that is given; the shortest one in milliseconds, 0: it is positive. */
    static void length(String field, Duration length, long minMillis, long maxSeconds) {
        java.time.Duration value =
                java.time.Duration.ofSeconds(length.getSeconds(), length.getNanos());
        if (value.compareTo(java.time.Duration.ofSeconds(maxSeconds)) > 0) {
            throw invalid(field, "must be at most " + maxSeconds + " seconds");
        }
        if (minMillis == 0 && (value.isNegative() || value.isZero())) {
            throw invalid(field, "must be positive");
        }
        if (value.compareTo(java.time.Duration.ofMillis(minMillis)) < 0) {
            boolean whole = minMillis >= 1000;
            String least = whole ? minMillis / 1000 + " seconds" : minMillis + " milliseconds";
            throw invalid(field, "must be at least " + least);
        }
    }

    /** Looks at each of a list; the place of what is wrong is made only then. */
    static <T> void each(String field, List<T> parts, Consumer<T> look) {
        for (int i = 0; i < parts.size(); i++) {
            int at = i;
            inside(field, at, () -> look.accept(parts.get(at)));
        }
    }

    /** Looks at a part, which stands in a field. */
    static void inside(String field, Runnable look) {
        inside(field, -1, look);
    }

    /** The same of one element of a list. */
    static void inside(String field, int index, Runnable look) {
        try {
            look.run();
        } catch (InvalidFieldException wrong) {
            String place = index < 0 ? field : field + "[" + index + "]";
            String inner = wrong.field().isEmpty() ? "" : "." + wrong.field();
            throw invalid(place + inner, wrong.rule());
        }
    }
}
