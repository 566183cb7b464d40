package dev.contextd.client;

import dev.contextd.client.error.InvalidValueException;

/**
 * One named value of a context.
 *
 * @param key its name, 1 to 512 bytes of UTF-8
 * @param value its bytes and their content type; no bytes where only keys were asked for
 * @param version the version of the context that set this value
 */
public record Entry(String key, Value value, long version) {
    /**
     * The value as text.
     *
     * @return the text
     * @throws InvalidValueException if it is no UTF-8
     */
    public String text() {
        return value.text();
    }
}
