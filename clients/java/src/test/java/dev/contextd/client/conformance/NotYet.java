package dev.contextd.client.conformance;

import java.util.Map;

/** Cases of what this client does not offer yet, by id, with what is missing. */
final class NotYet {
    private static final Map<String, String> CASES =
            Map.of(
                    "the-rules-of-page-sizes-are-told",
                    "page sizes: the client chooses them",
                    "a-wrong-name-among-several-touches-no-other",
                    "a batch of points: its operations are calls of their own");

    private NotYet() {}

    /** Why a case is expected to fail; null where it is not. */
    static String reason(Case one) {
        return CASES.get(one.id());
    }
}
