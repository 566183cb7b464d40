package dev.contextd.client;

import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads sizes as the server's configuration writes them, such as 4MiB. */
final class Sizes {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,15})(B|KiB|MiB|GiB)?");
    private static final Map<String, Integer> SHIFTS =
            Map.of("B", 0, "KiB", 10, "MiB", 20, "GiB", 30);

    private Sizes() {}

    static OptionalLong parse(String text) {
        Matcher found = SIZE.matcher(text);
        if (!found.matches()) {
            return OptionalLong.empty();
        }
        String unit = found.group(2) == null ? "B" : found.group(2);
        return OptionalLong.of(Long.parseLong(found.group(1)) << SHIFTS.get(unit));
    }
}
