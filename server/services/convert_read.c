/* Requests that read. */

#include <stdlib.h>

#include "core/base/limits.h"
#include "server/services/convert_part.h"
#include "server/services/convert_time.h"

enum cx_status cx_convert_point_id(struct cx_conversion *conversion, const struct cx_field *at,
                                   const char *name, struct cx_bytes id, size_t size_min)
{
    return cx_field_check_name(at, name, id, size_min, CX_POINT_ID_SIZE_MAX, conversion->error);
}

enum cx_status cx_convert_state(struct cx_conversion *conversion, const struct cx_field *at,
                                const StateRef *message, struct cx_context_name *ret_name,
                                struct cx_state_at *ret_at)
{
    enum cx_status status;

    if (message == NULL) {
        return cx_field_invalid(at, NULL, conversion->error, "must be set");
    }
    status = cx_convert_name(conversion, at, message->namespace_, message->context_id, 1, ret_name);
    if (status != CX_OK) {
        return status;
    }
    *ret_at = (struct cx_state_at){0};
    switch (message->at_case) {
    case CONTEXTD__V1__STATE_REF__AT_VERSION:
        ret_at->version = message->version;
        return CX_OK;
    case CONTEXTD__V1__STATE_REF__AT_RECOVERY_POINT_ID:
        ret_at->point_id = cx_bytes_of(message->recovery_point_id);
        return cx_convert_point_id(conversion, at, "recovery_point_id", ret_at->point_id, 0);
    case CONTEXTD__V1__STATE_REF__AT_TIME:
        return cx_convert_time(conversion, at, "time", message->time, CX_TIME_DOWN,
                               &ret_at->time_us);
    default:
        return CX_OK;
    }
}

static enum cx_status convert_view(struct cx_conversion *conversion, const struct cx_field *at,
                                   ContextView view, enum cx_view unspecified,
                                   enum cx_view *ret_view)
{
    switch ((int)view) {
    case CONTEXTD__V1__CONTEXT_VIEW__CONTEXT_VIEW_UNSPECIFIED:
        *ret_view = unspecified;
        return CX_OK;
    case CONTEXTD__V1__CONTEXT_VIEW__CONTEXT_VIEW_BASIC:
        *ret_view = CX_VIEW_BASIC;
        return CX_OK;
    case CONTEXTD__V1__CONTEXT_VIEW__CONTEXT_VIEW_KEYS:
        *ret_view = CX_VIEW_KEYS;
        return CX_OK;
    case CONTEXTD__V1__CONTEXT_VIEW__CONTEXT_VIEW_FULL:
        *ret_view = CX_VIEW_FULL;
        return CX_OK;
    default:
        return cx_field_invalid(at, "view", conversion->error, "must be a known value");
    }
}

static int compare_keys(const void *a, const void *b)
{
    return cx_bytes_compare(*(const struct cx_bytes *)a, *(const struct cx_bytes *)b);
}

static size_t drop_repeats(struct cx_bytes *keys, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !cx_bytes_equal(keys[i], keys[kept - 1])) {
            keys[kept++] = keys[i];
        }
    }
    return kept;
}

enum cx_status cx_convert_keys(struct cx_conversion *conversion, const struct cx_field *at,
                               char *const *texts, size_t count, const struct cx_bytes **ret_keys,
                               size_t *ret_count)
{
    enum cx_status status;
    struct cx_bytes *keys;

    status = cx_field_check_count(at, "keys", count, 0, CX_KEYS_MAX, conversion->error);
    if (status != CX_OK || count == 0) {
        return status;
    }
    keys = cx_allocator_alloc(&conversion->memory, count * sizeof *keys);
    if (keys == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct cx_field key = cx_field_at(at, "keys", i);

        keys[i] = cx_bytes_of(texts[i]);
        status =
            cx_field_check_name(&key, NULL, keys[i], 1, CX_ENTRY_KEY_SIZE_MAX, conversion->error);
        if (status != CX_OK) {
            return status;
        }
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    *ret_keys = keys;
    *ret_count = drop_repeats(keys, count);
    return CX_OK;
}

enum cx_status cx_convert_get(struct cx_conversion *conversion, const struct cx_field *at,
                              const GetContextRequest *message, struct cx_get_query *ret_query)
{
    const struct cx_field state = cx_field_of(at, "state");
    struct cx_get_query query = {
        .key_prefix = cx_bytes_of(message->key_prefix),
        .if_newer_than = message->if_newer_than,
    };
    enum cx_status status;

    status = cx_convert_state(conversion, &state, message->state, &query.name, &query.at);
    if (status == CX_OK) {
        status = convert_view(conversion, at, message->view, CX_VIEW_FULL, &query.view);
    }
    if (status == CX_OK) {
        status = cx_convert_keys(conversion, at, message->keys, message->n_keys, &query.keys,
                                 &query.key_count);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(at, "key_prefix", query.key_prefix, 0, CX_ENTRY_KEY_SIZE_MAX,
                                     conversion->error);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_query = query;
    return CX_OK;
}

enum cx_status cx_convert_read(struct cx_conversion *conversion, const ReadEntriesRequest *message,
                               struct cx_read_query *ret_query)
{
    const struct cx_field state = cx_field_of(NULL, "state");
    struct cx_read_query query = {
        .key_prefix = cx_bytes_of(message->key_prefix),
        .after_key = cx_bytes_of(message->after_key),
        .before_key = cx_bytes_of(message->before_key),
        .reverse = message->reverse,
        .keys_only = message->keys_only,
        .limit = message->limit > 0 ? message->limit : UINT64_MAX,
    };
    enum cx_status status;

    status = cx_convert_state(conversion, &state, message->state, &query.name, &query.at);
    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "key_prefix", query.key_prefix, 0, CX_ENTRY_KEY_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "after_key", query.after_key, 0, CX_ENTRY_KEY_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "before_key", query.before_key, 0, CX_ENTRY_KEY_SIZE_MAX,
                                     conversion->error);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_query = query;
    return CX_OK;
}

/* ---- Lists. ----------------------------------------------------------------- */

enum cx_status cx_convert_page_size(struct cx_conversion *conversion, int32_t page_size,
                                    size_t *ret_count_max)
{
    if (page_size < 0 || page_size > (int32_t)CX_PAGE_SIZE_MAX) {
        return cx_field_invalid(NULL, "page_size", conversion->error,
                                "must be 1 to %u, or 0 for %u", CX_PAGE_SIZE_MAX,
                                CX_PAGE_SIZE_DEFAULT);
    }
    *ret_count_max = page_size > 0 ? (size_t)page_size : CX_PAGE_SIZE_DEFAULT;
    return CX_OK;
}

static enum cx_status check_filters(struct cx_conversion *conversion,
                                    const struct cx_list_query *query)
{
    enum cx_status status = cx_convert_check_namespace(conversion, NULL, query->namespace_id);

    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "id_prefix", query->id_prefix, 0, CX_CONTEXT_ID_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "type", query->type, 0, CX_CONTEXT_TYPE_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "parent_id", query->parent_id, 0, CX_CONTEXT_ID_SIZE_MAX,
                                     conversion->error);
    }
    return status;
}

enum cx_status cx_convert_list(struct cx_conversion *conversion, const ListContextsRequest *message,
                               struct cx_list_query *ret_query, enum cx_view *ret_view)
{
    struct cx_list_query query = {
        .namespace_id = cx_convert_namespace(message->namespace_),
        .id_prefix = cx_bytes_of(message->id_prefix),
        .type = cx_bytes_of(message->type),
        .parent_id = cx_bytes_of(message->parent_id),
        .label_count = message->n_metadata,
        .deleted = message->deleted,
    };
    enum cx_status status;

    status = check_filters(conversion, &query);
    if (status == CX_OK) {
        status = cx_convert_labels(conversion, NULL, message->metadata, message->n_metadata,
                                   &query.labels);
    }
    if (status == CX_OK) {
        status = cx_convert_page_size(conversion, message->page_size, &query.count_max);
    }
    if (status == CX_OK) {
        status = convert_view(conversion, NULL, message->view, CX_VIEW_BASIC, ret_view);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_query = query;
    return CX_OK;
}
