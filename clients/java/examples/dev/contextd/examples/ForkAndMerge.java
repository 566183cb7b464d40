package dev.contextd.examples;

import dev.contextd.client.Branch;
import dev.contextd.client.Changes;
import dev.contextd.client.Context;
import dev.contextd.client.ForkOptions;
import dev.contextd.client.MergeOptions;
import dev.contextd.client.OnConflict;

/** Tries something in a fork, and merges it back where it was good. */
public final class ForkAndMerge {
    private ForkAndMerge() {}

    /** Plans a trip in a branch while others go on in the trip itself. */
    public static void plan(Context trip) {
        try (Branch attempt = trip.branch(ForkOptions.PLAIN)) {
            attempt.update(new Changes().put("step", "take the train").put("via", "Milan"));
            trip.put("step", "take the bus");
            attempt.mergeBack(MergeOptions.PLAIN.onConflict(OnConflict.SOURCE));
        }
    }
}
