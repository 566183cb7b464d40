package dev.contextd.client;

/** Where the client says what it does by itself: the logger named {@code dev.contextd.client}. */
final class Log {
    static final System.Logger LOGGER = System.getLogger("dev.contextd.client");

    private Log() {}
}
