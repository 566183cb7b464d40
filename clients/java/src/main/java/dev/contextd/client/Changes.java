package dev.contextd.client;

import dev.contextd.v1.AppendEntry;
import dev.contextd.v1.DeleteEntries;
import dev.contextd.v1.DeleteEntry;
import dev.contextd.v1.DeleteMetadata;
import dev.contextd.v1.ExpectedSize;
import dev.contextd.v1.Mutation;
import dev.contextd.v1.Precondition;
import dev.contextd.v1.PutEntry;
import dev.contextd.v1.SetMetadata;
import dev.contextd.v1.SetRecoveryPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The steps of one change of a context, and what must hold for it: everything, or nothing. The
 * steps are applied in the order in which they are given.
 *
 * <pre>{@code
 * chat.update(new Changes().put("title", "Flight").label("user", "mia").ifVersion(3));
 * }</pre>
 *
 * <p>Threads: one, as with any builder.
 */
public final class Changes {
    private final List<Mutation> steps = new ArrayList<>(1);
    private final List<Precondition> conditions = new ArrayList<>(0);

    /** Nothing yet. */
    public Changes() {}

    /**
     * Sets an entry, whether or not it exists.
     *
     * @param key 1 to 512 bytes of UTF-8
     * @param value the value
     * @return this
     */
    public Changes put(String key, Value value) {
        PutEntry put =
                PutEntry.newBuilder()
                        .setKey(key)
                        .setValue(value.raw())
                        .setContentType(value.contentType())
                        .build();
        return step(Mutation.newBuilder().setPutEntry(put).build());
    }

    /**
     * Sets an entry to text.
     *
     * @param key the entry
     * @param text its value
     * @return this
     */
    public Changes put(String key, String text) {
        return put(key, Value.of(text));
    }

    /**
     * Sets several entries.
     *
     * @param values the values by key
     * @return this
     */
    public Changes putAll(Map<String, Value> values) {
        values.forEach(this::put);
        return this;
    }

    /**
     * Adds bytes to the end of an entry, and creates it where it is missing.
     *
     * @param key the entry
     * @param value what is added; its content type is that of a new entry
     * @return this
     */
    public Changes append(String key, Value value) {
        return append(key, value, null);
    }

    /**
     * Adds bytes to the end of an entry of a known size.
     *
     * @param key the entry
     * @param value what is added
     * @param expectedSize the bytes that the entry must have before
     * @return this
     */
    public Changes append(String key, Value value, long expectedSize) {
        return append(key, value, ExpectedSize.newBuilder().setBytes(expectedSize).build());
    }

    private Changes append(String key, Value value, ExpectedSize size) {
        AppendEntry.Builder append =
                AppendEntry.newBuilder()
                        .setKey(key)
                        .setValue(value.raw())
                        .setContentType(value.contentType());
        if (size != null) {
            append.setExpectedSize(size);
        }
        return step(Mutation.newBuilder().setAppendEntry(append).build());
    }

    /**
     * Removes an entry. A missing one is no error.
     *
     * @param key the entry
     * @return this
     */
    public Changes remove(String key) {
        DeleteEntry delete = DeleteEntry.newBuilder().setKey(key).build();
        return step(Mutation.newBuilder().setDeleteEntry(delete).build());
    }

    /**
     * Removes every entry whose key begins with a prefix.
     *
     * @param prefix the prefix; empty: every entry
     * @return this
     */
    public Changes removePrefix(String prefix) {
        DeleteEntries delete = DeleteEntries.newBuilder().setPrefix(prefix).build();
        return step(Mutation.newBuilder().setDeleteEntries(delete).build());
    }

    /**
     * Sets a label.
     *
     * @param key its key, 1 to 63 bytes
     * @param value its value, up to 1,024 bytes
     * @return this
     */
    public Changes label(String key, String value) {
        SetMetadata set = SetMetadata.newBuilder().setKey(key).setValue(value).build();
        return step(Mutation.newBuilder().setSetMetadata(set).build());
    }

    /**
     * Removes a label. A missing one is no error.
     *
     * @param key its key
     * @return this
     */
    public Changes removeLabel(String key) {
        DeleteMetadata delete = DeleteMetadata.newBuilder().setKey(key).build();
        return step(Mutation.newBuilder().setDeleteMetadata(delete).build());
    }

    /**
     * Sets how long the context lives from now on.
     *
     * @param expiry how long
     * @return this
     */
    public Changes expiry(Expiry expiry) {
        return step(Mutation.newBuilder().setSetExpiry(Requests.expiry(expiry)).build());
    }

    /**
     * Adds to the history, in the same step.
     *
     * @param activity what happened
     * @return this
     */
    public Changes record(Recordable activity) {
        return step(
                Mutation.newBuilder().setRecordActivity(Requests.activity(activity)).build());
    }

    /**
     * Sets which recovery points the context gets and keeps.
     *
     * @param policy the policy
     * @return this
     */
    public Changes recoveryPolicy(RecoveryPolicy policy) {
        SetRecoveryPolicy set =
                SetRecoveryPolicy.newBuilder().setPolicy(Requests.policy(policy)).build();
        return step(Mutation.newBuilder().setSetRecoveryPolicy(set).build());
    }

    /**
     * Gives the context the server's recovery policy again.
     *
     * @return this
     */
    public Changes serverRecoveryPolicy() {
        SetRecoveryPolicy set = SetRecoveryPolicy.getDefaultInstance();
        return step(Mutation.newBuilder().setSetRecoveryPolicy(set).build());
    }

    /**
     * Only if the context has a version.
     *
     * @param version the version; 0: the context must not exist
     * @return this
     */
    public Changes ifVersion(long version) {
        conditions.add(Requests.ifVersion(version));
        return this;
    }

    /**
     * Only if an entry was set by a version.
     *
     * @param key the entry
     * @param version the version; 0: the entry must not exist
     * @return this
     */
    public Changes ifEntry(String key, long version) {
        conditions.add(Requests.ifEntry(key, version));
        return this;
    }

    /**
     * Whether there is no step.
     *
     * @return whether it changes nothing
     */
    public boolean isEmpty() {
        return steps.isEmpty();
    }

    List<Mutation> steps() {
        return steps;
    }

    List<Precondition> conditions() {
        return conditions;
    }

    private Changes step(Mutation step) {
        steps.add(step);
        return this;
    }
}
