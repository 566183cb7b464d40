package dev.contextd.client;

import dev.contextd.client.error.ContextdException;

/**
 * What became of one of several operations: a value, or an error.
 *
 * @param value the value, or {@code null}
 * @param error why it failed, or {@code null}
 * @param <T> what comes of it
 */
public record Result<T>(T value, ContextdException error) {
    /**
     * Gives the value, or throws the error.
     *
     * @return the value
     */
    public T get() {
        if (error != null) {
            throw error;
        }
        return value;
    }
}
