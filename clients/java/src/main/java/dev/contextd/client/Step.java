package dev.contextd.client;

import dev.contextd.v1.Mutation;
import java.util.Optional;

/** One step of a change, as an event tells it. Steps were applied in their order. */
public sealed interface Step {
    /**
     * Sets an entry.
     *
     * @param key the entry
     * @param value its value; empty without values
     */
    record Put(String key, Value value) implements Step {}

    /**
     * Adds to the end of an entry, or creates it.
     *
     * @param key the entry
     * @param value what is added; its content type is that of a new entry
     */
    record Append(String key, Value value) implements Step {}

    /**
     * Keeps the beginning of a value, and puts other bytes behind it.
     *
     * @param key the entry
     * @param keptSize how many bytes stay
     * @param value the bytes behind them, and the content type from now on
     */
    record Splice(String key, long keptSize, Value value) implements Step {}

    /**
     * Removes an entry, if there is one.
     *
     * @param key the entry
     */
    record Remove(String key) implements Step {}

    /**
     * Removes every entry whose key begins with a prefix.
     *
     * @param prefix the prefix; empty: every entry
     */
    record RemovePrefix(String prefix) implements Step {}

    /**
     * Sets a label.
     *
     * @param key its key
     * @param value its value
     */
    record SetLabel(String key, String value) implements Step {}

    /**
     * Removes a label, if there is one.
     *
     * @param key its key
     */
    record RemoveLabel(String key) implements Step {}

    /**
     * Sets how long the context lives from then on.
     *
     * @param expiry how long
     */
    record SetExpiry(Expiry expiry) implements Step {}

    /**
     * Sets which recovery points the context gets and keeps.
     *
     * @param policy the policy; empty: the server's
     */
    record SetRecoveryPolicy(Optional<RecoveryPolicy> policy) implements Step {}

    /**
     * Adds to the history.
     *
     * @param activity what happened
     */
    record Record(Activity activity) implements Step {}

    /** A step of a kind that this version of the client does not know: read the context anew. */
    record Unknown() implements Step {}

    /**
     * Reads a step's message.
     *
     * @param step the message
     * @return the step
     */
    static Step of(Mutation step) {
        return switch (step.getKindCase()) {
            case PUT_ENTRY -> {
                var put = step.getPutEntry();
                yield new Put(put.getKey(), Value.of(put.getValue(), put.getContentType()));
            }
            case APPEND_ENTRY -> {
                var add = step.getAppendEntry();
                yield new Append(add.getKey(), Value.of(add.getValue(), add.getContentType()));
            }
            case SPLICE_ENTRY -> {
                var splice = step.getSpliceEntry();
                Value value = Value.of(splice.getValue(), splice.getContentType());
                yield new Splice(splice.getKey(), splice.getKeptSize(), value);
            }
            case DELETE_ENTRY -> new Remove(step.getDeleteEntry().getKey());
            case DELETE_ENTRIES -> new RemovePrefix(step.getDeleteEntries().getPrefix());
            case SET_METADATA ->
                    new SetLabel(step.getSetMetadata().getKey(), step.getSetMetadata().getValue());
            case DELETE_METADATA -> new RemoveLabel(step.getDeleteMetadata().getKey());
            case SET_EXPIRY -> new SetExpiry(Messages.expiry(step.getSetExpiry()));
            case SET_RECOVERY_POLICY -> {
                var set = step.getSetRecoveryPolicy();
                yield new SetRecoveryPolicy(
                        set.hasPolicy()
                                ? Optional.of(Messages.policy(set.getPolicy()))
                                : Optional.empty());
            }
            case RECORD_ACTIVITY -> new Record(Messages.activity(step.getRecordActivity()));
            case KIND_NOT_SET -> new Unknown();
        };
    }
}
