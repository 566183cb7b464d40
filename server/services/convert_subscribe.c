#include "server/services/convert_subscribe.h"

#include "core/base/limits.h"
#include "server/services/convert_part.h"
#include "server/services/convert_time.h"

/* ---- The filter. ------------------------------------------------------------ */

static enum cx_status convert_ids(struct cx_conversion *conversion, const SubscribeRequest *message,
                                  struct cx_event_filter *filter)
{
    size_t count = message->n_context_ids;
    struct cx_bytes *ids =
        cx_allocator_alloc(&conversion->memory, (count + 1) * sizeof(struct cx_bytes));
    enum cx_status status =
        cx_field_check_count(NULL, "context_ids", count, 0, CX_FILTER_IDS_MAX, conversion->error);

    if (status == CX_OK && ids == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count && status == CX_OK; i++) {
        const struct cx_field field = cx_field_at(NULL, "context_ids", i);

        ids[i] = cx_bytes_of(message->context_ids[i]);
        status =
            cx_field_check_name(&field, NULL, ids[i], 1, CX_CONTEXT_ID_SIZE_MAX, conversion->error);
    }
    filter->context_ids = ids;
    filter->context_id_count = count;
    return status;
}

static enum cx_status convert_event_types(struct cx_conversion *conversion,
                                          const SubscribeRequest *message, uint32_t *ret_types)
{
    enum cx_status status = cx_field_check_count(NULL, "event_types", message->n_event_types, 0,
                                                 CX_FILTER_EVENT_TYPES_MAX, conversion->error);
    uint32_t types = 0;

    for (size_t i = 0; i < message->n_event_types && status == CX_OK; i++) {
        const struct cx_field field = cx_field_at(NULL, "event_types", i);
        int type = (int)message->event_types[i];

        if (type <= 0 || protobuf_c_enum_descriptor_get_value(&contextd__v1__event_type__descriptor,
                                                              type) == NULL) {
            return cx_field_invalid(&field, NULL, conversion->error,
                                    "must be a type of events that this server knows, not %d",
                                    type);
        }
        types |= 1u << type;
    }
    *ret_types = types;
    return status;
}

static enum cx_status convert_filter(struct cx_conversion *conversion,
                                     const SubscribeRequest *message,
                                     struct cx_event_filter *filter)
{
    struct cx_error *error = conversion->error;
    enum cx_status status = cx_convert_check_namespace(conversion, NULL, filter->namespace_id);

    if (status == CX_OK) {
        status = convert_ids(conversion, message, filter);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "id_prefix", filter->id_prefix, 0,
                                     CX_CONTEXT_ID_SIZE_MAX, error);
    }
    if (status == CX_OK) {
        status =
            cx_field_check_name(NULL, "type", filter->type, 0, CX_CONTEXT_TYPE_SIZE_MAX, error);
    }
    if (status == CX_OK) {
        status = cx_convert_labels(conversion, NULL, message->metadata, message->n_metadata,
                                   &filter->labels);
        filter->label_count = message->n_metadata;
    }
    if (status == CX_OK) {
        status = convert_event_types(conversion, message, &filter->event_types);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "key_prefix", filter->key_prefix, 0,
                                     CX_ENTRY_KEY_SIZE_MAX, error);
    }
    return status;
}

/* ---- Where it begins. ------------------------------------------------------- */

static enum cx_status convert_cursor(struct cx_conversion *conversion, const char *text,
                                     const struct cx_token_scope *cursors,
                                     struct cx_subscribe_request *request)
{
    struct cx_cursor cursor;
    enum cx_status status = cx_cursor_decode(
        conversion, cursors, cx_event_filter_digest(request->feed.filter), text, &cursor);

    if (status != CX_OK) {
        return status;
    }
    if (cursor.position.revision == 0) {
        return cx_error_set(conversion->error, CX_REASON_CURSOR_COMPACTED,
                            "the cursor is from before a loss of data that was accepted: begin "
                            "with `oldest_cursor`, or read the contexts anew");
    }
    request->feed.has_position = true;
    request->feed.position = cursor.position;
    request->with_snapshot = cursor.in_snapshot;
    request->place = cursor.place;
    return CX_OK;
}

static enum cx_status convert_start(struct cx_conversion *conversion,
                                    const SubscribeRequest *message,
                                    const struct cx_token_scope *cursors,
                                    struct cx_subscribe_request *request)
{
    switch (message->start_case) {
    case CONTEXTD__V1__SUBSCRIBE_REQUEST__START_CURSOR:
        return convert_cursor(conversion, message->cursor, cursors, request);
    case CONTEXTD__V1__SUBSCRIBE_REQUEST__START_FROM_OLDEST:
        request->feed.has_position = message->from_oldest;
        return CX_OK;
    case CONTEXTD__V1__SUBSCRIBE_REQUEST__START_WITH_SNAPSHOT:
        request->with_snapshot = message->with_snapshot;
        return CX_OK;
    default:
        return CX_OK;
    }
}

enum cx_status cx_convert_subscribe(struct cx_conversion *conversion,
                                    const SubscribeRequest *message,
                                    const struct cx_token_scope *cursors,
                                    struct cx_event_filter *ret_filter,
                                    struct cx_subscribe_request *ret_request)
{
    enum cx_status status;

    *ret_filter = (struct cx_event_filter){
        .namespace_id = cx_convert_namespace(message->namespace_),
        .id_prefix = cx_bytes_of(message->id_prefix),
        .type = cx_bytes_of(message->type),
        .key_prefix = cx_bytes_of(message->key_prefix),
    };
    *ret_request = (struct cx_subscribe_request){
        .feed =
            {
                .filter = ret_filter,
                .without_values = message->without_values,
                .progress_interval_us = CX_PROGRESS_INTERVAL_US_DEFAULT,
            },
    };
    status = convert_filter(conversion, message, ret_filter);
    if (status == CX_OK && message->progress_interval != NULL) {
        status =
            cx_convert_duration(conversion, NULL, "progress_interval", message->progress_interval,
                                CX_PROGRESS_INTERVAL_US_MIN, CX_PROGRESS_INTERVAL_US_MAX,
                                &ret_request->feed.progress_interval_us);
    }
    return status == CX_OK ? convert_start(conversion, message, cursors, ret_request) : status;
}
