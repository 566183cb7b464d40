#include "server/services/convert_part.h"

#include <assert.h>
#include <string.h>

#include "core/base/limits.h"
#include "server/services/convert_activity.h"
#include "server/services/convert_policy.h"
#include "server/services/convert_time.h"

/* ---- Labels. ---------------------------------------------------------------- */

static enum cx_status check_label_value(struct cx_conversion *conversion, const struct cx_field *at,
                                        struct cx_bytes value)
{
    return cx_field_check_text(at, "value", value, CX_LABEL_VALUE_SIZE_MAX, conversion->error);
}

/* Says of one pair of a map what is wrong with it; maps have no order to count by. */
static enum cx_status check_label(struct cx_conversion *conversion, const struct cx_field *map,
                                  const struct cx_label *label)
{
    enum cx_status status =
        cx_field_check_name(map, "key", label->key, 1, CX_LABEL_KEY_SIZE_MAX, conversion->error);

    return status != CX_OK ? status : check_label_value(conversion, map, label->value);
}

/* Checks the labels, and sorts them by key. */
static enum cx_status sort_labels(struct cx_conversion *conversion, const struct cx_field *map,
                                  struct cx_label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct cx_label label = labels[i];
        enum cx_status status = check_label(conversion, map, &label);
        size_t place = i;

        if (status != CX_OK) {
            return status;
        }
        for (; place > 0 && cx_bytes_compare(labels[place - 1].key, label.key) > 0; place--) {
            labels[place] = labels[place - 1];
        }
        if (place > 0 && cx_bytes_equal(labels[place - 1].key, label.key)) {
            return cx_field_invalid(map, NULL, conversion->error, "must not have the key %s twice",
                                    (const char *)label.key.data);
        }
        labels[place] = label;
    }
    return CX_OK;
}

enum cx_status cx_convert_label_map(struct cx_conversion *conversion, const struct cx_field *map,
                                    const void *entries, size_t count,
                                    const struct cx_label **ret_labels)
{
    struct cx_label *labels;
    enum cx_status status;

    status = cx_field_check_count(map, NULL, count, 0, CX_LABELS_MAX, conversion->error);
    if (status != CX_OK || count == 0) {
        return status;
    }
    labels = cx_allocator_alloc(&conversion->memory, count * sizeof *labels);
    if (labels == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count; i++) {
        const Label *entry;

        memcpy(&entry, (const char *)entries + i * sizeof entry, sizeof entry);
        labels[i].key = cx_bytes_of(entry->key);
        labels[i].value = cx_bytes_of(entry->value);
    }
    *ret_labels = labels;
    return sort_labels(conversion, map, labels, count);
}

enum cx_status cx_convert_labels(struct cx_conversion *conversion, const struct cx_field *at,
                                 const void *entries, size_t count,
                                 const struct cx_label **ret_labels)
{
    const struct cx_field map = cx_field_of(at, "metadata");

    return cx_convert_label_map(conversion, &map, entries, count, ret_labels);
}

/* ---- New contexts. ---------------------------------------------------------- */

enum cx_status cx_convert_expiry(struct cx_conversion *conversion, const struct cx_field *at,
                                 const SetExpiry *message, int64_t *ret_ttl_us, bool *ret_sliding)
{
    *ret_sliding = message->sliding;
    if (message->ttl == NULL) {
        *ret_ttl_us = 0;
        return CX_OK;
    }
    return cx_convert_duration(conversion, at, "ttl", message->ttl, 1, CX_TTL_US_MAX, ret_ttl_us);
}

enum cx_status cx_convert_new_context(struct cx_conversion *conversion, const struct cx_field *at,
                                      const NewContext *message, struct cx_new_context *ret_context)
{
    const struct cx_field expiry = cx_field_of(at, "expiry");
    const struct cx_field policy = cx_field_of(at, "recovery_policy");
    struct cx_new_context context = {
        .type = cx_bytes_of(message->type),
        .parent_id = cx_bytes_of(message->parent_id),
        .create_parent = message->create_parent,
        .label_count = message->n_metadata,
    };
    enum cx_status status = cx_field_check_name(at, "type", context.type, 0,
                                                CX_CONTEXT_TYPE_SIZE_MAX, conversion->error);

    if (status == CX_OK) {
        status = cx_field_check_name(at, "parent_id", context.parent_id, 0, CX_CONTEXT_ID_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK) {
        status = cx_convert_labels(conversion, at, message->metadata, message->n_metadata,
                                   &context.labels);
    }
    if (status == CX_OK && message->expiry != NULL) {
        status = cx_convert_expiry(conversion, &expiry, message->expiry, &context.ttl_us,
                                   &context.sliding);
    }
    if (status == CX_OK) {
        status = cx_convert_policy(conversion, &policy, message->recovery_policy, &context.policy);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_context = context;
    return CX_OK;
}

/* ---- Mutations. ------------------------------------------------------------- */

static enum cx_status check_key(struct cx_conversion *conversion, const struct cx_field *at,
                                struct cx_bytes key)
{
    return cx_field_check_name(at, "key", key, 1, CX_ENTRY_KEY_SIZE_MAX, conversion->error);
}

static enum cx_status check_label_key(struct cx_conversion *conversion, const struct cx_field *at,
                                      struct cx_bytes key)
{
    return cx_field_check_name(at, "key", key, 1, CX_LABEL_KEY_SIZE_MAX, conversion->error);
}

/* What putting and appending have in common. */
static enum cx_status check_entry(struct cx_conversion *conversion, const struct cx_field *at,
                                  const struct cx_mutation *mutation)
{
    enum cx_status status = check_key(conversion, at, mutation->key);

    return status != CX_OK ? status
                           : cx_field_check_text(at, "content_type", mutation->content_type,
                                                 CX_CONTENT_TYPE_SIZE_MAX, conversion->error);
}

static enum cx_status convert_put(struct cx_conversion *conversion, const struct cx_field *at,
                                  const Mutation *message, struct cx_mutation *ret_mutation)
{
    const struct cx_field field = cx_field_of(at, "put_entry");

    *ret_mutation = (struct cx_mutation){
        .kind = CX_MUTATION_PUT,
        .key = cx_bytes_of(message->put_entry->key),
        .value = cx_bytes_of_data(message->put_entry->value),
        .content_type = cx_bytes_of(message->put_entry->content_type),
    };
    return check_entry(conversion, &field, ret_mutation);
}

static enum cx_status convert_append(struct cx_conversion *conversion, const struct cx_field *at,
                                     const Mutation *message, struct cx_mutation *ret_mutation)
{
    const struct cx_field field = cx_field_of(at, "append_entry");
    const AppendEntry *append = message->append_entry;

    *ret_mutation = (struct cx_mutation){
        .kind = CX_MUTATION_APPEND,
        .key = cx_bytes_of(append->key),
        .value = cx_bytes_of_data(append->value),
        .content_type = cx_bytes_of(append->content_type),
        .has_expected_size = append->expected_size != NULL,
        .expected_size = append->expected_size != NULL ? append->expected_size->bytes : 0,
    };
    return check_entry(conversion, &field, ret_mutation);
}

static enum cx_status convert_delete(struct cx_conversion *conversion, const struct cx_field *at,
                                     const Mutation *message, struct cx_mutation *ret_mutation)
{
    const struct cx_field field = cx_field_of(at, "delete_entry");

    *ret_mutation = (struct cx_mutation){
        .kind = CX_MUTATION_DELETE,
        .key = cx_bytes_of(message->delete_entry->key),
    };
    return check_key(conversion, &field, ret_mutation->key);
}

static enum cx_status convert_delete_prefix(struct cx_conversion *conversion,
                                            const struct cx_field *at, const Mutation *message,
                                            struct cx_mutation *ret_mutation)
{
    const struct cx_field field = cx_field_of(at, "delete_entries");

    *ret_mutation = (struct cx_mutation){
        .kind = CX_MUTATION_DELETE_PREFIX,
        .key = cx_bytes_of(message->delete_entries->prefix),
    };
    return cx_field_check_name(&field, "prefix", ret_mutation->key, 0, CX_ENTRY_KEY_SIZE_MAX,
                               conversion->error);
}

static enum cx_status convert_set_label(struct cx_conversion *conversion, const struct cx_field *at,
                                        const Mutation *message, struct cx_mutation *ret_mutation)
{
    const struct cx_field field = cx_field_of(at, "set_metadata");
    enum cx_status status;

    *ret_mutation = (struct cx_mutation){
        .kind = CX_MUTATION_SET_LABEL,
        .key = cx_bytes_of(message->set_metadata->key),
        .value = cx_bytes_of(message->set_metadata->value),
    };
    status = check_label_key(conversion, &field, ret_mutation->key);
    return status != CX_OK ? status : check_label_value(conversion, &field, ret_mutation->value);
}

static enum cx_status convert_delete_label(struct cx_conversion *conversion,
                                           const struct cx_field *at, const Mutation *message,
                                           struct cx_mutation *ret_mutation)
{
    const struct cx_field field = cx_field_of(at, "delete_metadata");

    *ret_mutation = (struct cx_mutation){
        .kind = CX_MUTATION_DELETE_LABEL,
        .key = cx_bytes_of(message->delete_metadata->key),
    };
    return check_label_key(conversion, &field, ret_mutation->key);
}

static enum cx_status convert_set_expiry(struct cx_conversion *conversion,
                                         const struct cx_field *at, const Mutation *message,
                                         struct cx_mutation *ret_mutation)
{
    const struct cx_field field = cx_field_of(at, "set_expiry");

    *ret_mutation = (struct cx_mutation){.kind = CX_MUTATION_SET_EXPIRY};
    return cx_convert_expiry(conversion, &field, message->set_expiry, &ret_mutation->ttl_us,
                             &ret_mutation->sliding);
}

static enum cx_status convert_record(struct cx_conversion *conversion, const struct cx_field *at,
                                     const Mutation *message, struct cx_mutation *ret_mutation)
{
    const struct cx_field field = cx_field_of(at, "record_activity");
    struct cx_activity_content *content = cx_allocator_alloc(&conversion->memory, sizeof *content);

    if (content == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    *ret_mutation = (struct cx_mutation){.kind = CX_MUTATION_RECORD, .activity = content};
    return cx_convert_activity(conversion, &field, message->record_activity, content);
}

static enum cx_status convert_set_policy(struct cx_conversion *conversion,
                                         const struct cx_field *at, const Mutation *message,
                                         struct cx_mutation *ret_mutation)
{
    const struct cx_field set = cx_field_of(at, "set_recovery_policy");
    const struct cx_field field = cx_field_of(&set, "policy");
    struct cx_recovery_policy *policy = cx_allocator_alloc(&conversion->memory, sizeof *policy);

    if (policy == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    *ret_mutation = (struct cx_mutation){.kind = CX_MUTATION_SET_POLICY, .policy = policy};
    return cx_convert_policy(conversion, &field, message->set_recovery_policy->policy, policy);
}

static enum cx_status convert_mutation(struct cx_conversion *conversion, const struct cx_field *at,
                                       const Mutation *message, struct cx_mutation *ret_mutation)
{
    switch (message->kind_case) {
    case CONTEXTD__V1__MUTATION__KIND_PUT_ENTRY:
        return convert_put(conversion, at, message, ret_mutation);
    case CONTEXTD__V1__MUTATION__KIND_APPEND_ENTRY:
        return convert_append(conversion, at, message, ret_mutation);
    case CONTEXTD__V1__MUTATION__KIND_DELETE_ENTRY:
        return convert_delete(conversion, at, message, ret_mutation);
    case CONTEXTD__V1__MUTATION__KIND_DELETE_ENTRIES:
        return convert_delete_prefix(conversion, at, message, ret_mutation);
    case CONTEXTD__V1__MUTATION__KIND_SET_METADATA:
        return convert_set_label(conversion, at, message, ret_mutation);
    case CONTEXTD__V1__MUTATION__KIND_DELETE_METADATA:
        return convert_delete_label(conversion, at, message, ret_mutation);
    case CONTEXTD__V1__MUTATION__KIND_SET_EXPIRY:
        return convert_set_expiry(conversion, at, message, ret_mutation);
    case CONTEXTD__V1__MUTATION__KIND_RECORD_ACTIVITY:
        return convert_record(conversion, at, message, ret_mutation);
    case CONTEXTD__V1__MUTATION__KIND_SPLICE_ENTRY:
        return cx_field_invalid(at, "splice_entry", conversion->error, "only events have it");
    case CONTEXTD__V1__MUTATION__KIND_SET_RECOVERY_POLICY:
        return convert_set_policy(conversion, at, message, ret_mutation);
    default:
        return cx_field_invalid(at, NULL, conversion->error, "must be set to a known kind");
    }
}

enum cx_status cx_convert_mutations(struct cx_conversion *conversion, const struct cx_field *at,
                                    Mutation *const *messages, size_t count,
                                    const struct cx_mutation **ret_mutations)
{
    struct cx_mutation *mutations;
    enum cx_status status;

    status = cx_field_check_count(at, "mutations", count, 0, CX_MUTATIONS_MAX, conversion->error);
    if (status != CX_OK || count == 0) {
        return status;
    }
    mutations = cx_allocator_alloc(&conversion->memory, count * sizeof *mutations);
    if (mutations == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct cx_field field = cx_field_at(at, "mutations", i);

        status = convert_mutation(conversion, &field, messages[i], &mutations[i]);
        if (status != CX_OK) {
            return status;
        }
    }
    *ret_mutations = mutations;
    return CX_OK;
}

/* ---- Preconditions. --------------------------------------------------------- */

static enum cx_status convert_precondition(struct cx_conversion *conversion,
                                           const struct cx_field *at, const Precondition *message,
                                           struct cx_precondition *ret_precondition)
{
    const struct cx_field entry = cx_field_of(at, "entry");

    switch (message->kind_case) {
    case CONTEXTD__V1__PRECONDITION__KIND_CONTEXT_VERSION:
        *ret_precondition = (struct cx_precondition){
            .kind = CX_PRECONDITION_CONTEXT_VERSION,
            .version = message->context_version,
        };
        return CX_OK;
    case CONTEXTD__V1__PRECONDITION__KIND_ENTRY:
        *ret_precondition = (struct cx_precondition){
            .kind = CX_PRECONDITION_ENTRY_VERSION,
            .key = cx_bytes_of(message->entry->key),
            .version = message->entry->version,
        };
        return check_key(conversion, &entry, ret_precondition->key);
    default:
        return cx_field_invalid(at, NULL, conversion->error, "must be set to a known kind");
    }
}

enum cx_status cx_convert_preconditions(struct cx_conversion *conversion, const struct cx_field *at,
                                        Precondition *const *messages, size_t count,
                                        const struct cx_precondition **ret_preconditions)
{
    struct cx_precondition *preconditions;
    enum cx_status status;

    assert(count > 0);
    status = cx_field_check_count(at, "preconditions", count, 0, CX_PRECONDITIONS_MAX,
                                  conversion->error);
    if (status != CX_OK) {
        return status;
    }
    preconditions = cx_allocator_alloc(&conversion->memory, count * sizeof *preconditions);
    if (preconditions == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct cx_field field = cx_field_at(at, "preconditions", i);

        status = convert_precondition(conversion, &field, messages[i], &preconditions[i]);
        if (status != CX_OK) {
            return status;
        }
    }
    *ret_preconditions = preconditions;
    return CX_OK;
}
