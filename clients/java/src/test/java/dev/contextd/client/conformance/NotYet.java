package dev.contextd.client.conformance;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** What this client does not offer yet, with what is missing: operations, and single cases. */
final class NotYet {
    private static final Set<String> ON_THE_WORLD =
            Set.of(
                    "open_client",
                    "close_client",
                    "start_server",
                    "kill_server",
                    "stop_server",
                    "restart_server",
                    "tell",
                    "finish",
                    "repeat",
                    "concurrently",
                    "begin");

    private static final Map<String, String> CASES =
            Map.of(
                    "the-same-request-makes-up-the-same-id",
                    "a request id of a create without an id",
                    "several-contexts-are-changed-together-or-not-at-all",
                    "a request id of changes of several contexts");

    private NotYet() {}

    /** Why a case is expected to fail; null where it is not. */
    static String reason(Case one) {
        String operation = missing(one.steps());
        return operation == null ? CASES.get(one.id()) : operation;
    }

    private static String missing(List<Object> steps) {
        for (Object step : steps) {
            for (Map.Entry<String, Object> word : Trees.map(step).entrySet()) {
                String name = word.getKey();
                Map<String, Object> words = Trees.map(word.getValue());
                String inside = missing(Trees.list(words.get("steps")));
                if (inside != null) {
                    return inside;
                }
                boolean isStepKey = Set.of("expect", "error", "save", "client").contains(name);
                if (!isStepKey && !ON_THE_WORLD.contains(name) && !Operations.has(name)) {
                    return name;
                }
                if (words.containsKey("session") || words.containsKey("activation")) {
                    return "sessions";
                }
            }
        }
        return null;
    }
}
