#include "server/services/convert_recovery.h"

#include <stdlib.h>

#include "core/base/limits.h"
#include "server/services/convert_part.h"
#include "server/services/convert_time.h"

/* Takes the field `name`, a state of the namespace that the request is about. */
static enum cx_status convert_state_of(struct cx_conversion *conversion, const char *name,
                                       const StateRef *message, struct cx_bytes namespace_id,
                                       struct cx_context_name *ret_name, struct cx_state_at *ret_at)
{
    const struct cx_field field = cx_field_of(NULL, name);
    enum cx_status status = cx_convert_state(conversion, &field, message, ret_name, ret_at);

    if (status == CX_OK && !cx_bytes_equal(ret_name->namespace_id, namespace_id)) {
        status = cx_field_invalid(&field, "namespace", conversion->error,
                                  "must be the one of the rest: a request concerns one");
    }
    return status;
}

/* ---- Restore. --------------------------------------------------------------- */

static enum cx_status convert_target(struct cx_conversion *conversion,
                                     const RestoreContextRequest *message,
                                     struct cx_state_at *ret_at)
{
    switch (message->target_case) {
    case CONTEXTD__V1__RESTORE_CONTEXT_REQUEST__TARGET_RECOVERY_POINT_ID:
        ret_at->point_id = cx_bytes_of(message->recovery_point_id);
        return cx_convert_point_id(conversion, NULL, "recovery_point_id", ret_at->point_id, 0);
    case CONTEXTD__V1__RESTORE_CONTEXT_REQUEST__TARGET_VERSION:
        ret_at->version = message->version;
        return CX_OK;
    case CONTEXTD__V1__RESTORE_CONTEXT_REQUEST__TARGET_TIME:
        return cx_convert_time(conversion, NULL, "time", message->time, CX_TIME_DOWN,
                               &ret_at->time_us);
    default:
        return CX_OK;
    }
}

enum cx_status cx_convert_restore(struct cx_conversion *conversion,
                                  const RestoreContextRequest *message,
                                  struct cx_restore_request *ret_request)
{
    struct cx_restore_request request = {
        .safety_point = message->safety_point,
        .undelete = message->undelete,
        .precondition_count = message->n_preconditions,
    };
    struct cx_write write;
    enum cx_status status = cx_convert_name(conversion, NULL, message->namespace_,
                                            message->context_id, 1, &request.name);

    if (status == CX_OK) {
        status = convert_target(conversion, message, &request.at);
    }
    if (status == CX_OK && message->n_preconditions > 0) {
        status = cx_convert_preconditions(conversion, NULL, message->preconditions,
                                          message->n_preconditions, &request.preconditions);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, NULL, message->write, &write);
    }
    if (status != CX_OK) {
        return status;
    }
    request.author = write.author;
    request.request_id = write.request_id;
    *ret_request = request;
    return CX_OK;
}

/* ---- Fork. ------------------------------------------------------------------ */

enum cx_status cx_convert_fork(struct cx_conversion *conversion, const ForkContextRequest *message,
                               struct cx_fork_request *ret_request)
{
    const struct cx_field source = cx_field_of(NULL, "source");
    const struct cx_field properties = cx_field_of(NULL, "properties");
    struct cx_fork_request request = {
        .id = cx_bytes_of(message->context_id),
        .with_history = message->with_history,
        .with_points = message->with_recovery_points,
    };
    struct cx_write write;
    enum cx_status status =
        cx_convert_state(conversion, &source, message->source, &request.source, &request.at);

    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "context_id", request.id, 0, CX_CONTEXT_ID_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK && message->properties != NULL) {
        status = cx_convert_properties(conversion, &properties, message->properties, request.id,
                                       &request.properties);
    }
    if (status == CX_OK) {
        status = cx_convert_write_unfenced(conversion, NULL, message->write, &write);
    }
    if (status != CX_OK) {
        return status;
    }
    request.author = write.author;
    request.request_id = write.request_id;
    *ret_request = request;
    return CX_OK;
}

/* ---- Merge. ----------------------------------------------------------------- */

static enum cx_status convert_on_conflict(struct cx_conversion *conversion,
                                          const struct cx_field *at, const char *name,
                                          OnConflict value, enum cx_on_conflict *ret_rule)
{
    switch ((int)value) {
    case CONTEXTD__V1__MERGE_CONTEXT_REQUEST__ON_CONFLICT__ON_CONFLICT_UNSPECIFIED:
        *ret_rule = CX_CONFLICT_REPORT;
        return CX_OK;
    case CONTEXTD__V1__MERGE_CONTEXT_REQUEST__ON_CONFLICT__ON_CONFLICT_TARGET:
        *ret_rule = CX_CONFLICT_TAKE_TARGET;
        return CX_OK;
    case CONTEXTD__V1__MERGE_CONTEXT_REQUEST__ON_CONFLICT__ON_CONFLICT_SOURCE:
        *ret_rule = CX_CONFLICT_TAKE_SOURCE;
        return CX_OK;
    default:
        return cx_field_invalid(at, name, conversion->error, "must be a known value");
    }
}

static int compare_rules(const void *a, const void *b)
{
    return cx_bytes_compare(((const struct cx_conflict_rule *)a)->key,
                            ((const struct cx_conflict_rule *)b)->key);
}

static enum cx_status convert_rule(struct cx_conversion *conversion, const OnConflictEntry *message,
                                   struct cx_conflict_rule *ret_rule)
{
    const struct cx_field map = cx_field_of(NULL, "on_conflict_by_key");
    enum cx_status status;

    ret_rule->key = cx_bytes_of(message->key);
    status = cx_field_check_name(&map, "key", ret_rule->key, 1, CX_ENTRY_KEY_SIZE_MAX,
                                 conversion->error);
    return status != CX_OK
               ? status
               : convert_on_conflict(conversion, &map, "value", message->value, &ret_rule->rule);
}

static enum cx_status convert_rules(struct cx_conversion *conversion,
                                    OnConflictEntry *const *messages, size_t count,
                                    const struct cx_conflict_rule **ret_rules)
{
    static const char name[] = "on_conflict_by_key";
    struct cx_conflict_rule *rules;
    enum cx_status status =
        cx_field_check_count(NULL, name, count, 0, CX_KEYS_MAX, conversion->error);

    if (status != CX_OK || count == 0) {
        return status;
    }
    rules = cx_allocator_alloc(&conversion->memory, count * sizeof *rules);
    if (rules == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count && status == CX_OK; i++) {
        status = convert_rule(conversion, messages[i], &rules[i]);
    }
    if (status != CX_OK) {
        return status;
    }
    qsort(rules, count, sizeof *rules, compare_rules);
    for (size_t i = 1; i < count; i++) {
        if (cx_bytes_equal(rules[i - 1].key, rules[i].key)) {
            return cx_field_invalid(NULL, name, conversion->error, "must not have the key %s twice",
                                    (const char *)rules[i].key.data);
        }
    }
    *ret_rules = rules;
    return CX_OK;
}

/* The three states. */
static enum cx_status convert_sides(struct cx_conversion *conversion,
                                    const MergeContextRequest *message,
                                    struct cx_merge_request *request)
{
    const struct cx_bytes namespace_id = cx_convert_namespace(message->namespace_);
    enum cx_status status = cx_convert_check_namespace(conversion, NULL, namespace_id);

    request->target =
        (struct cx_context_name){namespace_id, cx_bytes_of(message->target_context_id)};
    if (status == CX_OK) {
        status = convert_state_of(conversion, "source", message->source, namespace_id,
                                  &request->source, &request->source_at);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "target_context_id", request->target.id, 1,
                                     CX_CONTEXT_ID_SIZE_MAX, conversion->error);
    }
    if (status == CX_OK && message->ancestor != NULL) {
        status = convert_state_of(conversion, "ancestor", message->ancestor, namespace_id,
                                  &request->ancestor, &request->ancestor_at);
    }
    return status;
}

enum cx_status cx_convert_merge(struct cx_conversion *conversion,
                                const MergeContextRequest *message,
                                struct cx_merge_request *ret_request)
{
    struct cx_merge_request request = {
        .rule_count = message->n_on_conflict_by_key,
        .dry_run = message->dry_run,
        .safety_point = message->safety_point,
        .precondition_count = message->n_preconditions,
    };
    struct cx_write write;
    enum cx_status status = convert_sides(conversion, message, &request);

    if (status == CX_OK) {
        status = convert_on_conflict(conversion, NULL, "on_conflict", message->on_conflict,
                                     &request.on_conflict);
    }
    if (status == CX_OK) {
        status = convert_rules(conversion, message->on_conflict_by_key,
                               message->n_on_conflict_by_key, &request.rules);
    }
    if (status == CX_OK && message->n_preconditions > 0) {
        status = cx_convert_preconditions(conversion, NULL, message->preconditions,
                                          message->n_preconditions, &request.preconditions);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, NULL, message->write, &write);
    }
    if (status != CX_OK) {
        return status;
    }
    request.author = write.author;
    request.request_id = write.request_id;
    *ret_request = request;
    return CX_OK;
}

/* ---- Differences. ----------------------------------------------------------- */

enum cx_status cx_convert_diff(struct cx_conversion *conversion, const DiffStatesRequest *message,
                               struct cx_diff_query *ret_query)
{
    const struct cx_field before = cx_field_of(NULL, "before");
    struct cx_diff_query query = {
        .key_prefix = cx_bytes_of(message->key_prefix),
        .without_values = message->without_values,
    };
    enum cx_status status =
        cx_convert_state(conversion, &before, message->before, &query.before, &query.before_at);

    if (status == CX_OK) {
        status = convert_state_of(conversion, "after", message->after, query.before.namespace_id,
                                  &query.after, &query.after_at);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "key_prefix", query.key_prefix, 0, CX_ENTRY_KEY_SIZE_MAX,
                                     conversion->error);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_query = query;
    return CX_OK;
}

enum cx_status cx_convert_sync(struct cx_conversion *conversion, const SyncContextRequest *message,
                               struct cx_context_name *ret_name)
{
    return cx_convert_name(conversion, NULL, message->namespace_, message->context_id, 1, ret_name);
}
