package dev.contextd.client.conformance;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Plain trees: maps, lists, texts, numbers, true and false, null. */
final class Trees {
    private static final Pattern NAME = Pattern.compile("\\$\\{(\\w+)\\}");
    private static final int SHOWN_MAX = 300;

    private Trees() {}

    static Map<String, Object> map(Object tree) {
        Map<String, Object> made = new LinkedHashMap<>();
        if (tree instanceof Map<?, ?> fields) {
            fields.forEach((key, value) -> made.put(String.valueOf(key), value));
        }
        return made;
    }

    static List<Object> list(Object tree) {
        return tree instanceof List<?> elements ? new ArrayList<>(elements) : new ArrayList<>();
    }

    static String shown(Object tree) {
        String text = tree instanceof String ? "'" + tree + "'" : String.valueOf(tree);
        return text.length() <= SHOWN_MAX
                ? text
                : text.substring(0, SHOWN_MAX) + "... (" + text.length() + " characters)";
    }

    /** The tree with everything in the place of {@code ${name}}, and long texts made. */
    static Object filled(Object tree, Names names) {
        if (tree instanceof String text) {
            return filledText(text, names);
        }
        if (tree instanceof Integer number) {
            return number.longValue();
        }
        if (tree instanceof List<?> elements) {
            List<Object> made = new ArrayList<>();
            elements.forEach(element -> made.add(filled(element, names)));
            return made;
        }
        if (tree instanceof Map<?, ?> fields) {
            Map<String, Object> made = new LinkedHashMap<>();
            fields.forEach(
                    (key, value) ->
                            made.put(
                                    String.valueOf(filled(String.valueOf(key), names)),
                                    filled(value, names)));
            return made.keySet().equals(Set.of("repeat", "bytes")) ? longText(made) : made;
        }
        return tree;
    }

    private static Object filledText(String text, Names names) {
        Matcher whole = NAME.matcher(text);
        if (whole.matches()) {
            return names.get(whole.group(1));
        }
        return NAME.matcher(text)
                .replaceAll(
                        found ->
                                Matcher.quoteReplacement(
                                        String.valueOf(names.get(found.group(1)))));
    }

    private static String longText(Map<String, Object> words) {
        byte[] unit = String.valueOf(words.get("repeat")).getBytes(StandardCharsets.UTF_8);
        byte[] made = new byte[((Number) words.get("bytes")).intValue()];
        for (int i = 0; i < made.length; i++) {
            made[i] = unit[i % unit.length];
        }
        return new String(made, StandardCharsets.UTF_8);
    }

    /** The part of a result that a path of {@code save} names. */
    static Object part(Object tree, String path) {
        Object found = tree;
        for (String name : path.isEmpty() ? new String[0] : path.split("\\.")) {
            if (found instanceof List<?> elements
                    && name.matches("\\d+")
                    && Integer.parseInt(name) < elements.size()) {
                found = elements.get(Integer.parseInt(name));
            } else if (found instanceof Map<?, ?> fields && fields.containsKey(name)) {
                found = fields.get(name);
            } else {
                throw new Mismatch("there is no '" + path + "' in " + shown(tree));
            }
        }
        return found;
    }
}
