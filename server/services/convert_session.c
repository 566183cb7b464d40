#include "server/services/convert_session.h"

#include "core/base/limits.h"
#include "server/services/convert_activity.h"
#include "server/services/convert_part.h"
#include "server/services/convert_time.h"

/* ---- Sessions. -------------------------------------------------------------- */

enum cx_status cx_convert_session_name(struct cx_conversion *conversion, const char *namespace_id,
                                       const char *id, struct cx_session_name *ret_name)
{
    const struct cx_session_name name = {cx_convert_namespace(namespace_id), cx_bytes_of(id)};
    enum cx_status status = cx_convert_check_namespace(conversion, NULL, name.namespace_id);

    if (status == CX_OK) {
        status = cx_convert_session_id(conversion, NULL, name.id, 1);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_name = name;
    return CX_OK;
}

static enum cx_status convert_active_max(struct cx_conversion *conversion, uint32_t count,
                                         uint64_t *ret_count)
{
    if (count > CX_SESSION_CONTEXTS_MAX) {
        return cx_field_invalid(NULL, "max_active_contexts", conversion->error,
                                "must be 1 to %u, or 0 for %u", CX_SESSION_CONTEXTS_MAX,
                                CX_SESSION_CONTEXTS_DEFAULT);
    }
    *ret_count = count > 0 ? count : CX_SESSION_CONTEXTS_DEFAULT;
    return CX_OK;
}

/* What the new session is like. */
static enum cx_status convert_properties(struct cx_conversion *conversion,
                                         const StartSessionRequest *message,
                                         struct cx_session_start_request *request)
{
    enum cx_status status =
        cx_field_check_name(NULL, "owner", request->owner, 0, CX_OWNER_SIZE_MAX, conversion->error);

    if (status == CX_OK) {
        status = cx_convert_labels(conversion, NULL, message->metadata, message->n_metadata,
                                   &request->labels);
    }
    if (status == CX_OK && message->ttl != NULL) {
        status = cx_convert_duration(conversion, NULL, "ttl", message->ttl, CX_SESSION_TTL_US_MIN,
                                     CX_SESSION_TTL_US_MAX, &request->ttl_us);
    }
    return status;
}

/* How it comes by contexts. */
static enum cx_status convert_contexts(struct cx_conversion *conversion,
                                       const StartSessionRequest *message,
                                       struct cx_session_start_request *request)
{
    enum cx_status status =
        cx_field_check_name(NULL, "default_context_id", request->default_context_id, 0,
                            CX_CONTEXT_ID_SIZE_MAX, conversion->error);

    if (status == CX_OK && message->create_if_missing != NULL) {
        status =
            cx_convert_create_if_missing(conversion, NULL, message->create_if_missing,
                                         request->default_context_id, &request->create_if_missing);
    }
    if (status == CX_OK) {
        status = convert_active_max(conversion, message->max_active_contexts,
                                    &request->max_active_contexts);
    }
    return status;
}

static enum cx_status convert_start_write(struct cx_conversion *conversion,
                                          const WriteOptions *message,
                                          struct cx_bytes *ret_request_id)
{
    struct cx_write write;
    enum cx_status status = cx_convert_write_unfenced(conversion, NULL, message, &write);

    if (status == CX_OK && write.author.session_id.size > 0) {
        return cx_field_invalid(NULL, "write.session_id", conversion->error,
                                "must be empty: the session begins with this call");
    }
    *ret_request_id = write.request_id;
    return status;
}

enum cx_status cx_convert_session_start(struct cx_conversion *conversion,
                                        const StartSessionRequest *message,
                                        struct cx_session_start_request *ret_request)
{
    struct cx_session_start_request request = {
        .name = {.namespace_id = cx_convert_namespace(message->namespace_)},
        .owner = cx_bytes_of(message->owner),
        .label_count = message->n_metadata,
        .ttl_us = CX_SESSION_TTL_US_DEFAULT,
        .default_context_id = cx_bytes_of(message->default_context_id),
        .point_on_loss = message->recovery_point_on_loss,
    };
    enum cx_status status = cx_convert_check_namespace(conversion, NULL, request.name.namespace_id);

    if (status == CX_OK) {
        status = convert_properties(conversion, message, &request);
    }
    if (status == CX_OK) {
        status = convert_contexts(conversion, message, &request);
    }
    if (status == CX_OK) {
        status = convert_start_write(conversion, message->write, &request.request_id);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_request = request;
    return CX_OK;
}

/* A call that names a session itself may name that one again as its writer. */
static enum cx_status check_writer(struct cx_conversion *conversion, const struct cx_write *write,
                                   struct cx_bytes session_id)
{
    if (write->author.session_id.size == 0 ||
        cx_bytes_equal(write->author.session_id, session_id)) {
        return CX_OK;
    }
    return cx_field_invalid(NULL, "write.session_id", conversion->error,
                            "must be empty, or the session_id of the request");
}

enum cx_status cx_convert_session_end(struct cx_conversion *conversion,
                                      const EndSessionRequest *message,
                                      struct cx_session_end_request *ret_request)
{
    struct cx_session_end_request request = {0};
    struct cx_write write;
    enum cx_status status = cx_convert_session_name(conversion, message->namespace_,
                                                    message->session_id, &request.name);

    if (status == CX_OK) {
        status = cx_convert_write_unfenced(conversion, NULL, message->write, &write);
    }
    if (status == CX_OK) {
        status = check_writer(conversion, &write, request.name.id);
    }
    if (status != CX_OK) {
        return status;
    }
    request.request_id = write.request_id;
    *ret_request = request;
    return CX_OK;
}

enum cx_status cx_convert_session_list(struct cx_conversion *conversion,
                                       const ListSessionsRequest *message,
                                       struct cx_session_query *ret_query)
{
    struct cx_session_query query = {
        .namespace_id = cx_convert_namespace(message->namespace_),
        .owner = cx_bytes_of(message->owner),
    };
    enum cx_status status = cx_convert_check_namespace(conversion, NULL, query.namespace_id);

    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "owner", query.owner, 0, CX_OWNER_SIZE_MAX,
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

/* ---- Contexts of a session. ------------------------------------------------- */

/* What all requests about a context and a session have. */
static enum cx_status convert_names(struct cx_conversion *conversion, const char *namespace_id,
                                    const char *context_id, struct cx_bytes session_id,
                                    const WriteOptions *options, struct cx_context_name *ret_name,
                                    struct cx_write *ret_write)
{
    enum cx_status status =
        cx_convert_name(conversion, NULL, namespace_id, context_id, 1, ret_name);

    if (status == CX_OK) {
        status = cx_convert_session_id(conversion, NULL, session_id, 1);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, NULL, options, ret_write);
    }
    if (status == CX_OK) {
        status = check_writer(conversion, ret_write, session_id);
    }
    return status;
}

static enum cx_status convert_activation(struct cx_conversion *conversion, const char *namespace_id,
                                         const char *context_id, const char *session_id,
                                         const WriteOptions *options,
                                         struct cx_activation_request *ret_request)
{
    struct cx_activation_request request = {.session_id = cx_bytes_of(session_id)};
    struct cx_write write;
    enum cx_status status = convert_names(conversion, namespace_id, context_id, request.session_id,
                                          options, &request.name, &write);

    if (status != CX_OK) {
        return status;
    }
    request.fence = write.author.fence;
    request.request_id = write.request_id;
    *ret_request = request;
    return CX_OK;
}

enum cx_status cx_convert_activate(struct cx_conversion *conversion,
                                   const ActivateContextRequest *message,
                                   struct cx_activation_request *ret_request)
{
    static const char rule[] = "must not be set without `exclusive`";
    enum cx_status status = convert_activation(conversion, message->namespace_, message->context_id,
                                               message->session_id, message->write, ret_request);

    if (status != CX_OK) {
        return status;
    }
    if (message->takeover && !message->exclusive) {
        return cx_field_invalid(NULL, "takeover", conversion->error, rule);
    }
    if (message->guard && !message->exclusive) {
        return cx_field_invalid(NULL, "guard", conversion->error, rule);
    }
    ret_request->exclusive = message->exclusive;
    ret_request->takeover = message->takeover;
    ret_request->guard = message->guard;
    return CX_OK;
}

enum cx_status cx_convert_switch(struct cx_conversion *conversion,
                                 const SwitchContextRequest *message,
                                 struct cx_activation_request *ret_request)
{
    return convert_activation(conversion, message->namespace_, message->context_id,
                              message->session_id, message->write, ret_request);
}

enum cx_status cx_convert_deactivate(struct cx_conversion *conversion,
                                     const DeactivateContextRequest *message,
                                     struct cx_activation_request *ret_request)
{
    return convert_activation(conversion, message->namespace_, message->context_id,
                              message->session_id, message->write, ret_request);
}

/* ---- Resources of a session. ------------------------------------------------ */

static enum cx_status convert_resource(struct cx_conversion *conversion, const char *namespace_id,
                                       const char *context_id, const WriteOptions *options,
                                       struct cx_resource_request *request)
{
    struct cx_write write;
    enum cx_status status = convert_names(conversion, namespace_id, context_id, request->session_id,
                                          options, &request->name, &write);

    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "name", request->resource, 1, CX_RESOURCE_NAME_SIZE_MAX,
                                     conversion->error);
    }
    if (status != CX_OK) {
        return status;
    }
    request->fence = write.author.fence;
    request->request_id = write.request_id;
    return CX_OK;
}

enum cx_status cx_convert_acquire(struct cx_conversion *conversion,
                                  const AcquireResourceRequest *message,
                                  struct cx_resource_request *ret_request)
{
    struct cx_resource_request request = {
        .session_id = cx_bytes_of(message->session_id),
        .resource = cx_bytes_of(message->name),
        .type = cx_bytes_of(message->type),
        .label_count = message->n_metadata,
    };
    enum cx_status status = convert_resource(conversion, message->namespace_, message->context_id,
                                             message->write, &request);

    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "type", request.type, 0, CX_RESOURCE_TYPE_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK) {
        status = cx_convert_labels(conversion, NULL, message->metadata, message->n_metadata,
                                   &request.labels);
    }
    if (status == CX_OK) { /* All of it becomes an activity. */
        status =
            cx_convert_check_fits(conversion, protobuf_c_message_get_packed_size(&message->base));
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_request = request;
    return CX_OK;
}

enum cx_status cx_convert_release(struct cx_conversion *conversion,
                                  const ReleaseResourceRequest *message,
                                  struct cx_resource_request *ret_request)
{
    struct cx_resource_request request = {
        .session_id = cx_bytes_of(message->session_id),
        .resource = cx_bytes_of(message->name),
    };
    enum cx_status status = convert_resource(conversion, message->namespace_, message->context_id,
                                             message->write, &request);

    if (status != CX_OK) {
        return status;
    }
    *ret_request = request;
    return CX_OK;
}
