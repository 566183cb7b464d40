package dev.contextd.client;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How a merge goes. Immutable: each method gives a changed copy.
 *
 * @param onConflict what becomes of conflicts
 * @param onConflictByKey what becomes of single entries, whatever the rule
 * @param ancestor the state that both came from; empty: it is found
 * @param dryRun whether it only tells what would be
 * @param safetyPoint whether the state before is kept as a recovery point
 * @param ifVersion the version that the target must have; empty: any
 */
public record MergeOptions(
        OnConflict onConflict,
        Map<String, OnConflict> onConflictByKey,
        Optional<ContextState> ancestor,
        boolean dryRun,
        boolean safetyPoint,
        OptionalLong ifVersion) {
    /** Nothing is merged where there are conflicts. */
    public static final MergeOptions PLAIN =
            new MergeOptions(
                    OnConflict.FAIL, Map.of(), Optional.empty(), false, false,
                    OptionalLong.empty());

    /**
     * With a rule for conflicts.
     *
     * @param rule the rule
     * @return the changed copy
     */
    public MergeOptions onConflict(OnConflict rule) {
        return new MergeOptions(rule, onConflictByKey, ancestor, dryRun, safetyPoint, ifVersion);
    }

    /**
     * With rules for single entries.
     *
     * @param rules the rules by key
     * @return the changed copy
     */
    public MergeOptions onConflictByKey(Map<String, OnConflict> rules) {
        return new MergeOptions(onConflict, rules, ancestor, dryRun, safetyPoint, ifVersion);
    }

    /**
     * Since a state.
     *
     * @param state the state that both came from
     * @return the changed copy
     */
    public MergeOptions ancestor(ContextState state) {
        return new MergeOptions(
                onConflict, onConflictByKey, Optional.of(state), dryRun, safetyPoint, ifVersion);
    }

    /**
     * Only tells what would be.
     *
     * @return the changed copy
     */
    public MergeOptions dry() {
        return new MergeOptions(
                onConflict, onConflictByKey, ancestor, true, safetyPoint, ifVersion);
    }

    /**
     * Keeps the state before as a recovery point.
     *
     * @return the changed copy
     */
    public MergeOptions withSafetyPoint() {
        return new MergeOptions(onConflict, onConflictByKey, ancestor, dryRun, true, ifVersion);
    }

    /**
     * Only if the target has a version.
     *
     * @param version the version
     * @return the changed copy
     */
    public MergeOptions onlyVersion(long version) {
        return new MergeOptions(
                onConflict, onConflictByKey, ancestor, dryRun, safetyPoint,
                OptionalLong.of(version));
    }
}
