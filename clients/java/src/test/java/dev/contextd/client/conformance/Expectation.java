package dev.contextd.client.conformance;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Compares a result with what is expected. */
final class Expectation {
    private static final double CLOSE_ENOUGH = 1e-6;

    private Expectation() {}

    /** Fails with {@link Mismatch} where something is not as expected. */
    static void check(Object expected, Object got, String path) {
        if (expected instanceof Map<?, ?>) {
            Map<String, Object> wanted = Trees.map(expected);
            if (!wanted.isEmpty() && wanted.keySet().stream().allMatch(n -> n.startsWith("$"))) {
                wanted.forEach((name, than) -> checkCondition(name, than, got, path));
            } else {
                checkFields(wanted, got, path);
            }
        } else if (expected instanceof List<?> wanted) {
            if (!(got instanceof List<?> found) || found.size() != wanted.size()) {
                throw Mismatch.of(expected, got, path);
            }
            for (int i = 0; i < wanted.size(); i++) {
                check(wanted.get(i), found.get(i), path + "." + i);
            }
        } else if (!isEqual(expected, got)) {
            throw Mismatch.of(expected, got, path);
        }
    }

    private static boolean isEqual(Object expected, Object got) {
        if (expected instanceof Number wanted
                && got instanceof Number found
                && (expected instanceof Double || got instanceof Double)) {
            return Math.abs(wanted.doubleValue() - found.doubleValue()) <= CLOSE_ENOUGH;
        }
        return Objects.equals(expected, got);
    }

    private static void checkFields(Map<String, Object> wanted, Object got, String path) {
        wanted.forEach(
                (name, value) -> {
                    if (!(got instanceof Map<?, ?> fields) || !fields.containsKey(name)) {
                        throw Mismatch.of(Map.of(name, String.valueOf(value)), got, path);
                    }
                    check(value, fields.get(name), path + "." + name);
                });
    }

    static boolean fits(Object expected, Object got) {
        try {
            check(expected, got, "");
            return true;
        } catch (Mismatch wrong) {
            return false;
        }
    }

    private static void checkCondition(String name, Object than, Object got, String path) {
        if (name.equals("$size") && sizeOf(got) >= 0) {
            check(than, sizeOf(got), path + ".$size");
        } else if (name.equals("$only")
                && got instanceof Map<?, ?> fields
                && fields.keySet().equals(Trees.map(than).keySet())) {
            checkFields(Trees.map(than), got, path);
        } else if (!holds(name, than, got)) {
            throw Mismatch.of(name + " " + than, got, path);
        }
    }

    private static long sizeOf(Object tree) {
        if (tree instanceof String text) {
            return text.getBytes(StandardCharsets.UTF_8).length;
        }
        if (tree instanceof List<?> elements) {
            return elements.size();
        }
        return tree instanceof Map<?, ?> fields ? fields.size() : -1;
    }

    private static boolean holds(String name, Object than, Object got) {
        return switch (name) {
            case "$has" -> has(than, got);
            case "$unordered" -> hasAll(Trees.list(than), got);
            case "$not" -> !fits(than, got);
            case "$one_of" -> Trees.list(than).stream().anyMatch(one -> fits(one, got));
            case "$any" -> Objects.equals(than, isSomething(got));
            default -> isCompared(name, than, got);
        };
    }

    private static boolean isSomething(Object tree) {
        if (tree instanceof Number number) {
            return number.doubleValue() != 0;
        }
        return tree != null && !Boolean.FALSE.equals(tree) && sizeOf(tree) != 0;
    }

    private static boolean isCompared(String name, Object than, Object got) {
        if (!(than instanceof Number bound) || !(got instanceof Number value)) {
            return false;
        }
        int order = Double.compare(value.doubleValue(), bound.doubleValue());
        return switch (name) {
            case "$gt" -> order > 0;
            case "$gte" -> order >= 0;
            case "$lt" -> order < 0;
            case "$lte" -> order <= 0;
            default -> false;
        };
    }

    private static boolean has(Object than, Object got) {
        if (got instanceof List<?> elements) {
            return elements.stream().anyMatch(element -> fits(than, element));
        }
        if (got instanceof String text) {
            return than instanceof String part && text.contains(part);
        }
        return got instanceof Map<?, ?> fields && fields.containsKey(than);
    }

    private static boolean hasAll(List<Object> wanted, Object got) {
        List<Object> left = new ArrayList<>(Trees.list(got));
        if (!(got instanceof List<?>) || left.size() != wanted.size()) {
            return false;
        }
        for (Object one : wanted) {
            int index = 0;
            while (index < left.size() && !fits(one, left.get(index))) {
                index++;
            }
            if (index == left.size()) {
                return false;
            }
            left.remove(index);
        }
        return true;
    }
}
