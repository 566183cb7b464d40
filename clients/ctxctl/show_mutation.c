#include "clients/ctxctl/show_mutation.h"

#include <inttypes.h>

#include "clients/ctxctl/output.h"
#include "clients/ctxctl/policy.h"
#include "clients/ctxctl/show_session.h"

/* ---- Text. ----------------------------------------------------------------- */

char *ctl_value_text(struct ctl_pool *pool, const char *key, const ProtobufCBinaryData *value,
                     bool with_values)
{
    if (!with_values) {
        return ctl_text_line(pool, key);
    }
    return ctl_pool_format(pool, "%s=%s (%s)", ctl_text_line(pool, key),
                           ctl_text_escape(pool, value->data, value->len, CTL_PREVIEW_WIDTH),
                           ctl_text_size(pool, value->len));
}

static char *expiry_text(struct ctl_pool *pool, const SetExpiry *expiry)
{
    return ctl_pool_format(pool, "ttl %s%s",
                           expiry->ttl != NULL ? ctl_text_duration(pool, expiry->ttl) : "never",
                           expiry->sliding ? " sliding" : "");
}

static char *policy_text(struct ctl_pool *pool, const Contextd__V1__SetRecoveryPolicy *step)
{
    return step->policy != NULL
               ? ctl_pool_format(pool, "policy %s", ctl_policy_text(pool, step->policy))
               : ctl_pool_format(pool, "policy of the server");
}

static char *activity_text(struct ctl_pool *pool, const Activity *activity)
{
    const char *about = ctl_activity_text(pool, activity);

    return ctl_pool_format(pool, "record %" PRIu64 " %s%s%s", activity->sequence,
                           ctl_text_line(pool, activity->type), about[0] != '\0' ? " " : "", about);
}

static char *splice_text(struct ctl_pool *pool, const Contextd__V1__SpliceEntry *splice,
                         bool with_values)
{
    return ctl_pool_format(pool, "put %s behind its first %s",
                           ctl_value_text(pool, splice->key, &splice->value, with_values),
                           ctl_text_size(pool, splice->kept_size));
}

char *ctl_mutation_text(struct ctl_pool *pool, const Mutation *mutation, bool with_values)
{
    switch (mutation->kind_case) {
    case CONTEXTD__V1__MUTATION__KIND_PUT_ENTRY:
        return ctl_pool_format(pool, "put %s",
                               ctl_value_text(pool, mutation->put_entry->key,
                                              &mutation->put_entry->value, with_values));
    case CONTEXTD__V1__MUTATION__KIND_APPEND_ENTRY:
        return ctl_pool_format(pool, "append %s",
                               ctl_value_text(pool, mutation->append_entry->key,
                                              &mutation->append_entry->value, with_values));
    case CONTEXTD__V1__MUTATION__KIND_SPLICE_ENTRY:
        return splice_text(pool, mutation->splice_entry, with_values);
    case CONTEXTD__V1__MUTATION__KIND_DELETE_ENTRY:
        return ctl_pool_format(pool, "delete %s", ctl_text_line(pool, mutation->delete_entry->key));
    case CONTEXTD__V1__MUTATION__KIND_DELETE_ENTRIES:
        return mutation->delete_entries->prefix[0] == '\0'
                   ? ctl_pool_format(pool, "delete all")
                   : ctl_pool_format(pool, "delete-prefix %s",
                                     ctl_text_line(pool, mutation->delete_entries->prefix));
    case CONTEXTD__V1__MUTATION__KIND_SET_METADATA:
        return ctl_pool_format(pool, "label %s=%s",
                               ctl_text_line(pool, mutation->set_metadata->key),
                               ctl_text_line(pool, mutation->set_metadata->value));
    case CONTEXTD__V1__MUTATION__KIND_DELETE_METADATA:
        return ctl_pool_format(pool, "unlabel %s",
                               ctl_text_line(pool, mutation->delete_metadata->key));
    case CONTEXTD__V1__MUTATION__KIND_SET_EXPIRY:
        return expiry_text(pool, mutation->set_expiry);
    case CONTEXTD__V1__MUTATION__KIND_RECORD_ACTIVITY:
        return activity_text(pool, mutation->record_activity);
    case CONTEXTD__V1__MUTATION__KIND_SET_RECOVERY_POLICY:
        return policy_text(pool, mutation->set_recovery_policy);
    default:
        return "a step that this ctxctl does not know";
    }
}

/* ---- JSON. ----------------------------------------------------------------- */

static json_t *key_json(const char *key)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "key", key);
    return object;
}

static json_t *value_json(const char *key, const ProtobufCBinaryData *value,
                          const char *content_type, bool with_values)
{
    json_t *object = key_json(key);

    if (with_values) {
        json_object_set_new(object, "value", ctl_json_bytes(value->data, value->len));
    }
    ctl_json_set_text(object, "content_type", content_type);
    return object;
}

static json_t *splice_json(const Contextd__V1__SpliceEntry *splice, bool with_values)
{
    json_t *object = value_json(splice->key, &splice->value, splice->content_type, with_values);

    ctl_json_set_number(object, "kept_size", splice->kept_size);
    return object;
}

static json_t *expiry_json(const SetExpiry *expiry)
{
    json_t *object = json_pack("{s:b}", "sliding", expiry->sliding);

    if (expiry->ttl != NULL) {
        ctl_json_set_number(object, "ttl_us", (uint64_t)ctl_duration_us(expiry->ttl));
    }
    return object;
}

static json_t *policy_json(const Contextd__V1__SetRecoveryPolicy *step)
{
    return step->policy != NULL ? json_pack("{s:o}", "policy", ctl_policy_json(step->policy))
                                : json_object();
}

/* What the step says, and what its kind is called. */
static json_t *body_json(const Mutation *mutation, bool with_values, const char **ret_kind)
{
    switch (mutation->kind_case) {
    case CONTEXTD__V1__MUTATION__KIND_PUT_ENTRY:
        *ret_kind = "put_entry";
        return value_json(mutation->put_entry->key, &mutation->put_entry->value,
                          mutation->put_entry->content_type, with_values);
    case CONTEXTD__V1__MUTATION__KIND_APPEND_ENTRY:
        *ret_kind = "append_entry";
        return value_json(mutation->append_entry->key, &mutation->append_entry->value,
                          mutation->append_entry->content_type, with_values);
    case CONTEXTD__V1__MUTATION__KIND_SPLICE_ENTRY:
        *ret_kind = "splice_entry";
        return splice_json(mutation->splice_entry, with_values);
    case CONTEXTD__V1__MUTATION__KIND_DELETE_ENTRY:
        *ret_kind = "delete_entry";
        return key_json(mutation->delete_entry->key);
    case CONTEXTD__V1__MUTATION__KIND_DELETE_ENTRIES:
        *ret_kind = "delete_entries";
        return json_pack("{s:s}", "prefix", mutation->delete_entries->prefix);
    case CONTEXTD__V1__MUTATION__KIND_SET_METADATA:
        *ret_kind = "set_metadata";
        return json_pack("{s:s, s:s}", "key", mutation->set_metadata->key, "value",
                         mutation->set_metadata->value);
    case CONTEXTD__V1__MUTATION__KIND_DELETE_METADATA:
        *ret_kind = "delete_metadata";
        return key_json(mutation->delete_metadata->key);
    case CONTEXTD__V1__MUTATION__KIND_SET_EXPIRY:
        *ret_kind = "set_expiry";
        return expiry_json(mutation->set_expiry);
    case CONTEXTD__V1__MUTATION__KIND_RECORD_ACTIVITY:
        *ret_kind = "record_activity";
        return ctl_activity_json(mutation->record_activity);
    case CONTEXTD__V1__MUTATION__KIND_SET_RECOVERY_POLICY:
        *ret_kind = "set_recovery_policy";
        return policy_json(mutation->set_recovery_policy);
    default:
        *ret_kind = "unknown";
        return json_object();
    }
}

json_t *ctl_mutation_json(const Mutation *mutation, bool with_values)
{
    const char *kind;
    json_t *body = body_json(mutation, with_values, &kind);

    return json_pack("{s:o}", kind, body);
}
