package dev.contextd.client;

import java.util.OptionalLong;

/**
 * How a context is set back. Immutable: each method gives a changed copy.
 *
 * @param safetyPoint whether the state before is kept as a recovery point
 * @param undelete whether a deleted context is brought back
 * @param ifVersion the version that the context must have; empty: any
 */
public record RestoreOptions(boolean safetyPoint, boolean undelete, OptionalLong ifVersion) {
    /** Just set back. */
    public static final RestoreOptions PLAIN =
            new RestoreOptions(false, false, OptionalLong.empty());

    /**
     * Keeps the state before as a recovery point.
     *
     * @return the changed copy
     */
    public RestoreOptions withSafetyPoint() {
        return new RestoreOptions(true, undelete, ifVersion);
    }

    /**
     * Brings a deleted context back.
     *
     * @return the changed copy
     */
    public RestoreOptions undeleting() {
        return new RestoreOptions(safetyPoint, true, ifVersion);
    }

    /**
     * Only if the context has a version.
     *
     * @param version the version
     * @return the changed copy
     */
    public RestoreOptions onlyVersion(long version) {
        return new RestoreOptions(safetyPoint, undelete, OptionalLong.of(version));
    }
}
