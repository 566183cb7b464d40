package dev.contextd.client.conformance;

/** Something is not as a case expects it. */
final class Mismatch extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Mismatch(String text) {
        super(text);
    }

    static Mismatch of(Object expected, Object got, String path) {
        String where = path.isEmpty() ? "the top" : path;
        return new Mismatch(
                "expected " + Trees.shown(expected) + ", got " + Trees.shown(got) + " at " + where);
    }
}
