#include "server/services/convert_history.h"

#include "core/base/limits.h"
#include "server/services/convert_activity.h"
#include "server/services/convert_part.h"
#include "server/services/convert_time.h"

/* ---- Recording. ------------------------------------------------------------- */

static enum cx_status convert_activities(struct cx_conversion *conversion,
                                         const RecordActivitiesRequest *message,
                                         const struct cx_mutation **ret_mutations)
{
    size_t count = message->n_activities;
    struct cx_activity_content *contents;
    struct cx_mutation *mutations;
    enum cx_status status;

    status =
        cx_field_check_count(NULL, "activities", count, 1, CX_ACTIVITIES_MAX, conversion->error);
    if (status != CX_OK) {
        return status;
    }
    contents = cx_allocator_alloc(&conversion->memory, count * sizeof *contents);
    mutations = cx_allocator_alloc(&conversion->memory, count * sizeof *mutations);
    if (contents == NULL || mutations == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct cx_field field = cx_field_at(NULL, "activities", i);

        status = cx_convert_activity(conversion, &field, message->activities[i], &contents[i]);
        if (status != CX_OK) {
            return status;
        }
        mutations[i] = (struct cx_mutation){.kind = CX_MUTATION_RECORD, .activity = &contents[i]};
    }
    *ret_mutations = mutations;
    return CX_OK;
}

enum cx_status cx_convert_record(struct cx_conversion *conversion,
                                 const RecordActivitiesRequest *message,
                                 struct cx_update_request *ret_request)
{
    struct cx_update_request request = {
        .mutation_count = message->n_activities,
        .wants_sequence = true,
    };
    struct cx_write write;
    enum cx_status status = cx_convert_name(conversion, NULL, message->namespace_,
                                            message->context_id, 1, &request.name);

    if (status == CX_OK) {
        status = convert_activities(conversion, message, &request.mutations);
    }
    if (status == CX_OK && message->create_if_missing != NULL) {
        status = cx_convert_create_if_missing(conversion, NULL, message->create_if_missing,
                                              request.name.id, &request.create_if_missing);
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

/* ---- Lists. ----------------------------------------------------------------- */

static enum cx_status convert_types(struct cx_conversion *conversion, char *const *texts,
                                    size_t count, const struct cx_bytes **ret_types)
{
    struct cx_bytes *types;
    enum cx_status status;

    status =
        cx_field_check_count(NULL, "types", count, 0, CX_ACTIVITY_TYPES_MAX, conversion->error);
    if (status != CX_OK || count == 0) {
        return status;
    }
    types = cx_allocator_alloc(&conversion->memory, count * sizeof *types);
    if (types == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct cx_field type = cx_field_at(NULL, "types", i);

        types[i] = cx_bytes_of(texts[i]);
        status = cx_field_check_name(&type, NULL, types[i], 1, CX_ACTIVITY_TYPE_SIZE_MAX,
                                     conversion->error);
        if (status != CX_OK) {
            return status;
        }
    }
    *ret_types = types;
    return CX_OK;
}

/* Activities have whole microseconds: what lies between two counts as the later one, at
 * either end. */
static enum cx_status convert_times(struct cx_conversion *conversion,
                                    const ListActivitiesRequest *message,
                                    struct cx_activity_query *query)
{
    enum cx_status status = CX_OK;

    if (message->start_time != NULL) {
        status = cx_convert_time(conversion, NULL, "start_time", message->start_time, CX_TIME_UP,
                                 &query->start_time_us);
    }
    if (status == CX_OK && message->end_time != NULL) {
        status = cx_convert_time(conversion, NULL, "end_time", message->end_time, CX_TIME_UP,
                                 &query->end_time_us);
    }
    if (status == CX_OK && message->end_time != NULL && query->end_time_us < query->start_time_us) {
        return cx_field_invalid(NULL, "end_time", conversion->error,
                                "must not be before start_time");
    }
    return status;
}

enum cx_status cx_convert_activity_list(struct cx_conversion *conversion,
                                        const ListActivitiesRequest *message,
                                        struct cx_activity_query *ret_query)
{
    struct cx_activity_query query = {
        .type_count = message->n_types,
        .newest_first = message->newest_first,
        .from_sequence = message->from_sequence,
    };
    enum cx_status status =
        cx_convert_name(conversion, NULL, message->namespace_, message->context_id, 1, &query.name);

    if (status == CX_OK) {
        status = cx_convert_page_size(conversion, message->page_size, &query.count_max);
    }
    if (status == CX_OK) {
        status = convert_types(conversion, message->types, message->n_types, &query.types);
    }
    if (status == CX_OK) {
        status = convert_times(conversion, message, &query);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_query = query;
    return CX_OK;
}

enum cx_status cx_convert_file_list(struct cx_conversion *conversion,
                                    const ListFilesRequest *message,
                                    struct cx_tracked_query *ret_query)
{
    struct cx_tracked_query query = {.prefix = cx_bytes_of(message->path_prefix)};
    enum cx_status status =
        cx_convert_name(conversion, NULL, message->namespace_, message->context_id, 1, &query.name);

    if (status == CX_OK) {
        status = cx_field_check_text(NULL, "path_prefix", query.prefix, CX_FILE_PATH_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK) {
        status = cx_convert_page_size(conversion, message->page_size, &query.count_max);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_query = query;
    return CX_OK;
}

enum cx_status cx_convert_resource_list(struct cx_conversion *conversion,
                                        const ListResourcesRequest *message,
                                        struct cx_tracked_query *ret_query)
{
    struct cx_tracked_query query = {0};
    enum cx_status status =
        cx_convert_name(conversion, NULL, message->namespace_, message->context_id, 1, &query.name);

    if (status == CX_OK) {
        status = cx_convert_page_size(conversion, message->page_size, &query.count_max);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_query = query;
    return CX_OK;
}

/* ---- Making a history smaller. ---------------------------------------------- */

enum cx_status cx_convert_optimize(struct cx_conversion *conversion,
                                   const OptimizeHistoryRequest *message,
                                   struct cx_optimize_request *ret_request)
{
    struct cx_optimize_request request = {
        .max_bytes = message->max_bytes,
        .max_count = message->max_count,
        .deduplicate = message->deduplicate,
        .dry_run = message->dry_run,
    };
    struct cx_write write;
    enum cx_status status = cx_convert_name(conversion, NULL, message->namespace_,
                                            message->context_id, 1, &request.name);

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

static enum cx_status convert_keep(struct cx_conversion *conversion,
                                   const TruncateHistoryRequest *message,
                                   struct cx_truncate_request *request)
{
    switch (message->keep_case) {
    case CONTEXTD__V1__TRUNCATE_HISTORY_REQUEST__KEEP_FROM_SEQUENCE:
        if (message->from_sequence == 0) {
            return cx_field_invalid(NULL, "from_sequence", conversion->error, "must be positive");
        }
        request->from_sequence = message->from_sequence;
        return CX_OK;
    case CONTEXTD__V1__TRUNCATE_HISTORY_REQUEST__KEEP_FROM_TIME:
        return cx_convert_time(conversion, NULL, "from_time", message->from_time, CX_TIME_UP,
                               &request->from_time_us);
    default:
        return cx_field_invalid(NULL, "keep", conversion->error,
                                "must be set: from_sequence or from_time");
    }
}

enum cx_status cx_convert_truncate(struct cx_conversion *conversion,
                                   const TruncateHistoryRequest *message,
                                   struct cx_truncate_request *ret_request)
{
    struct cx_truncate_request request = {0};
    struct cx_write write;
    enum cx_status status = cx_convert_name(conversion, NULL, message->namespace_,
                                            message->context_id, 1, &request.name);

    if (status == CX_OK) {
        status = convert_keep(conversion, message, &request);
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
