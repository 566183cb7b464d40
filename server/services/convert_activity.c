#include "server/services/convert_activity.h"

#include <assert.h>

#include "core/base/limits.h"
#include "server/services/convert_part.h"
#include "server/services/convert_time.h"

/* ---- Details. --------------------------------------------------------------- */

static enum cx_status convert_file(struct cx_conversion *conversion, const struct cx_field *at,
                                   const FileOperation *message, struct cx_detail *ret_detail)
{
    const struct cx_field field = cx_field_of(at, "file");
    const struct cx_file_operation file = {
        .path = cx_bytes_of(message->path),
        .operation = cx_bytes_of(message->operation),
        .source = cx_bytes_of(message->source),
    };
    enum cx_status status;

    *ret_detail = (struct cx_detail){.kind = CX_DETAIL_FILE, .file = file};
    if (file.path.size == 0) {
        return cx_field_invalid(&field, "path", conversion->error, "must not be empty");
    }
    status =
        cx_field_check_text(&field, "path", file.path, CX_FILE_PATH_SIZE_MAX, conversion->error);
    if (status == CX_OK) {
        status = cx_field_check_text(&field, "operation", file.operation,
                                     CX_FILE_OPERATION_SIZE_MAX, conversion->error);
    }
    if (status == CX_OK) {
        status = cx_field_check_text(&field, "source", file.source, CX_FILE_SOURCE_SIZE_MAX,
                                     conversion->error);
    }
    return status;
}

static bool is_currency(struct cx_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 'A' || text.data[i] > 'Z') {
            return false;
        }
    }
    return text.size == CX_CURRENCY_SIZE;
}

static enum cx_status check_model_names(struct cx_conversion *conversion, const struct cx_field *at,
                                        const struct cx_model_usage *model)
{
    enum cx_status status = cx_field_check_name(at, "provider", model->provider, 0,
                                                CX_MODEL_NAME_SIZE_MAX, conversion->error);

    if (status == CX_OK) {
        status = cx_field_check_name(at, "model", model->model, 0, CX_MODEL_NAME_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(at, "mode", model->mode, 0, CX_MODEL_NAME_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK && !is_currency(model->currency)) {
        status = cx_field_invalid(at, "currency", conversion->error,
                                  "must be three capital letters, such as EUR");
    }
    return status;
}

static enum cx_status convert_model(struct cx_conversion *conversion, const struct cx_field *at,
                                    const ModelUsage *message, struct cx_detail *ret_detail)
{
    const struct cx_field field = cx_field_of(at, "model");
    struct cx_model_usage model = {
        .provider = cx_bytes_of(message->provider),
        .model = cx_bytes_of(message->model),
        .mode = cx_bytes_of(message->mode),
        .currency = cx_bytes_of(message->currency[0] != '\0' ? message->currency : "USD"),
        .input_tokens = message->input_tokens,
        .output_tokens = message->output_tokens,
        .cached_tokens = message->cached_tokens,
        .cost_micros = message->cost_micros,
    };
    enum cx_status status = check_model_names(conversion, &field, &model);

    if (status == CX_OK && message->latency != NULL) {
        status = cx_convert_duration(conversion, &field, "latency", message->latency, 0,
                                     CX_TTL_US_MAX, &model.latency_us);
    }
    *ret_detail = (struct cx_detail){.kind = CX_DETAIL_MODEL, .model = model};
    return status;
}

static enum cx_status convert_detail(struct cx_conversion *conversion, const struct cx_field *at,
                                     const ActivityMessage *message, struct cx_detail *ret_detail)
{
    switch (message->detail_case) {
    case CONTEXTD__V1__ACTIVITY__DETAIL_FILE:
        return convert_file(conversion, at, message->file, ret_detail);
    case CONTEXTD__V1__ACTIVITY__DETAIL_MODEL:
        return convert_model(conversion, at, message->model, ret_detail);
    case CONTEXTD__V1__ACTIVITY__DETAIL_RESOURCE:
        return cx_field_invalid(at, "resource", conversion->error,
                                "must not be set: only the server writes it");
    default:
        *ret_detail = (struct cx_detail){.kind = CX_DETAIL_NONE};
        return CX_OK;
    }
}

/* ---- Requests. -------------------------------------------------------------- */

/* The type of an activity that names none. Empty: it must. */
static const char *default_type(const ActivityMessage *message)
{
    switch (message->detail_case) {
    case CONTEXTD__V1__ACTIVITY__DETAIL_FILE:
        return "file_operation";
    case CONTEXTD__V1__ACTIVITY__DETAIL_MODEL:
        return "model_usage";
    default:
        return "";
    }
}

static enum cx_status check_type(struct cx_conversion *conversion, const struct cx_field *at,
                                 struct cx_bytes type)
{
    if (type.size == 0) {
        return cx_field_invalid(at, "type", conversion->error,
                                "must not be empty without a detail");
    }
    return cx_field_check_name(at, "type", type, 1, CX_ACTIVITY_TYPE_SIZE_MAX, conversion->error);
}

/* What an answer has room for beside an activity as the client sent it. */
enum { SPARE_SIZE = 4096 };

enum cx_status cx_convert_check_fits(struct cx_conversion *conversion, uint64_t packed_size)
{
    if (conversion->message_size_max == 0 ||
        packed_size + SPARE_SIZE <= conversion->message_size_max) {
        return CX_OK;
    }
    return cx_error_limit(conversion->error, "message_size_max", conversion->message_size_max);
}

/* Measures only what may come near the limit: most activities are small. */
static enum cx_status check_size(struct cx_conversion *conversion, const ActivityMessage *message)
{
    const uint64_t label_size_max = CX_LABEL_KEY_SIZE_MAX + CX_LABEL_VALUE_SIZE_MAX + 16;
    const uint64_t rest_size_max = 8 * CX_KIB;
    uint64_t size = message->data.len + message->n_metadata * label_size_max + rest_size_max;

    if (size + SPARE_SIZE > conversion->message_size_max) {
        size = protobuf_c_message_get_packed_size(&message->base);
    }
    return cx_convert_check_fits(conversion, size);
}

enum cx_status cx_convert_activity(struct cx_conversion *conversion, const struct cx_field *at,
                                   const ActivityMessage *message,
                                   struct cx_activity_content *ret_content)
{
    struct cx_activity_content content = {
        .type = cx_bytes_of(message->type[0] != '\0' ? message->type : default_type(message)),
        .content_type = cx_bytes_of(message->content_type),
        .data = cx_bytes_of_data(message->data),
        .label_count = message->n_metadata,
    };
    enum cx_status status = convert_detail(conversion, at, message, &content.detail);

    if (status == CX_OK) {
        status = check_type(conversion, at, content.type);
    }
    if (status == CX_OK) {
        status = cx_field_check_text(at, "content_type", content.content_type,
                                     CX_CONTENT_TYPE_SIZE_MAX, conversion->error);
    }
    if (status == CX_OK) {
        status = cx_convert_labels(conversion, at, message->metadata, message->n_metadata,
                                   &content.labels);
    }
    if (status == CX_OK) {
        status = check_size(conversion, message);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_content = content;
    return CX_OK;
}

/* ---- Responses. ------------------------------------------------------------- */

FileOperation *cx_file_operation_message(struct cx_draft *draft,
                                         const struct cx_file_operation *operation)
{
    FileOperation *message = cx_draft_alloc(draft, sizeof *message);

    if (message == NULL) {
        return NULL;
    }
    *message = (FileOperation)CONTEXTD__V1__FILE_OPERATION__INIT;
    message->path = cx_draft_text(draft, operation->path);
    message->operation = cx_draft_text(draft, operation->operation);
    message->source = cx_draft_text(draft, operation->source);
    return message;
}

static ModelUsage *model_message(struct cx_draft *draft, const struct cx_model_usage *model)
{
    ModelUsage *message = cx_draft_alloc(draft, sizeof *message);
    Duration *latency = cx_draft_alloc(draft, sizeof *latency);

    if (message == NULL || latency == NULL) {
        return NULL;
    }
    *message = (ModelUsage)CONTEXTD__V1__MODEL_USAGE__INIT;
    message->provider = cx_draft_text(draft, model->provider);
    message->model = cx_draft_text(draft, model->model);
    message->mode = cx_draft_text(draft, model->mode);
    message->currency = cx_draft_text(draft, model->currency);
    message->input_tokens = model->input_tokens;
    message->output_tokens = model->output_tokens;
    message->cached_tokens = model->cached_tokens;
    message->cost_micros = model->cost_micros;
    message->latency = cx_duration_message(latency, (uint64_t)model->latency_us);
    return message;
}

static_assert((int)CX_RESOURCE_ACQUIRED == CONTEXTD__V1__RESOURCE_EVENT__KIND__KIND_ACQUIRED &&
                  (int)CX_RESOURCE_RELEASED == CONTEXTD__V1__RESOURCE_EVENT__KIND__KIND_RELEASED &&
                  (int)CX_RESOURCE_RECLAIMED == CONTEXTD__V1__RESOURCE_EVENT__KIND__KIND_RECLAIMED,
              "the steps of a resource have the same numbers");

static ResourceEvent *resource_message(struct cx_draft *draft,
                                       const struct cx_resource_event *event)
{
    ResourceEvent *message = cx_draft_alloc(draft, sizeof *message);

    if (message == NULL) {
        return NULL;
    }
    *message = (ResourceEvent)CONTEXTD__V1__RESOURCE_EVENT__INIT;
    message->name = cx_draft_text(draft, event->name);
    message->type = cx_draft_text(draft, event->type);
    message->kind = (Contextd__V1__ResourceEvent__Kind)event->step;
    return message;
}

static void add_detail(struct cx_draft *draft, const struct cx_detail *detail,
                       ActivityMessage *message)
{
    switch (detail->kind) {
    case CX_DETAIL_FILE:
        message->file = cx_file_operation_message(draft, &detail->file);
        message->detail_case = CONTEXTD__V1__ACTIVITY__DETAIL_FILE;
        break;
    case CX_DETAIL_MODEL:
        message->model = model_message(draft, &detail->model);
        message->detail_case = CONTEXTD__V1__ACTIVITY__DETAIL_MODEL;
        break;
    case CX_DETAIL_RESOURCE:
        message->resource = resource_message(draft, &detail->resource);
        message->detail_case = CONTEXTD__V1__ACTIVITY__DETAIL_RESOURCE;
        break;
    case CX_DETAIL_NONE:
        break;
    }
}

ActivityMessage *cx_activity_message(struct cx_draft *draft, const struct cx_activity_view *view)
{
    ActivityMessage *message = cx_draft_alloc(draft, sizeof *message);

    if (message == NULL) {
        return NULL;
    }
    *message = (ActivityMessage)CONTEXTD__V1__ACTIVITY__INIT;
    message->sequence = view->sequence;
    message->time = cx_draft_time(draft, view->time_us);
    message->type = cx_draft_text(draft, view->type);
    message->data.len = (size_t)view->data_size;
    message->content_type = cx_draft_text(draft, view->content_type);
    message->metadata = cx_draft_labels(draft, &contextd__v1__activity__metadata_entry__descriptor,
                                        view->labels, view->label_count, &message->n_metadata);
    message->session_id = cx_draft_text(draft, view->session_id);
    add_detail(draft, &view->detail, message);
    return message;
}

void cx_activity_message_fill(struct cx_draft *draft, const struct cx_activity_view *view,
                              ActivityMessage *message)
{
    if (view->data_size == 0) {
        return;
    }
    message->data.data = cx_draft_alloc(draft, (size_t)view->data_size);
    if (message->data.data != NULL) {
        cx_activity_data_copy(view, message->data.data);
    }
}
