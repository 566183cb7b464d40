package dev.contextd.client;

import java.time.Duration;
import java.util.Optional;

/**
 * How long a context lives from now on.
 *
 * @param ttl the time until the server deletes it; empty: it lives for ever
 * @param sliding whether the time begins again with every change of the context
 */
public record Expiry(Optional<Duration> ttl, boolean sliding) {
    /** For ever. */
    public static final Expiry NEVER = new Expiry(Optional.empty(), false);

    /**
     * A time from now.
     *
     * @param ttl the time, up to 100 years
     * @return the expiry
     */
    public static Expiry after(Duration ttl) {
        return new Expiry(Optional.of(ttl), false);
    }

    /**
     * A time from the last change of the context.
     *
     * @param ttl the time, up to 100 years
     * @return the expiry
     */
    public static Expiry afterLastChange(Duration ttl) {
        return new Expiry(Optional.of(ttl), true);
    }
}
