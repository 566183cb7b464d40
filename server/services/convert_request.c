#include "server/services/convert_request.h"

#include "core/base/limits.h"
#include "core/base/text.h"
#include "server/services/convert_part.h"
#include "server/services/unsupported.h"

/* ---- Names. ----------------------------------------------------------------- */

struct cx_bytes cx_convert_namespace(const char *name)
{
    return cx_bytes_of(name[0] != '\0' ? name : "default");
}

bool cx_convert_same_namespace(const char *a, const char *b)
{
    return cx_bytes_equal(cx_convert_namespace(a), cx_convert_namespace(b));
}

enum cx_status cx_convert_name(struct cx_conversion *conversion, const struct cx_field *at,
                               const char *namespace_id, const char *id, size_t id_size_min,
                               struct cx_context_name *ret_name)
{
    const struct cx_context_name name = {cx_convert_namespace(namespace_id), cx_bytes_of(id)};
    const char *rule = cx_namespace_check(name.namespace_id);
    enum cx_status status;

    if (rule != NULL) {
        return cx_field_invalid(at, "namespace", conversion->error, "%s", rule);
    }
    status = cx_field_check_name(at, "context_id", name.id, id_size_min, CX_CONTEXT_ID_SIZE_MAX,
                                 conversion->error);
    if (status != CX_OK) {
        return status;
    }
    *ret_name = name;
    return CX_OK;
}

enum cx_status cx_convert_write(struct cx_conversion *conversion, const struct cx_field *at,
                                const WriteOptions *message, struct cx_bytes *ret_request_id)
{
    const struct cx_field write = cx_field_of(at, "write");
    enum cx_status status;

    if (message == NULL) {
        *ret_request_id = (struct cx_bytes){0};
        return CX_OK;
    }
    status = cx_unsupported_check(&message->base, &write, conversion->error);
    if (status != CX_OK) {
        return status;
    }
    status = cx_field_check_text(&write, "request_id", cx_bytes_of(message->request_id),
                                 CX_REQUEST_ID_SIZE_MAX, conversion->error);
    if (status != CX_OK) {
        return status;
    }
    *ret_request_id = cx_bytes_of(message->request_id);
    return CX_OK;
}

/* ---- Writes. ---------------------------------------------------------------- */

static enum cx_status check_not_its_own_parent(const struct cx_field *properties,
                                               struct cx_bytes id,
                                               const struct cx_new_context *context,
                                               struct cx_error *error)
{
    if (id.size == 0 || !cx_bytes_equal(id, context->parent_id)) {
        return CX_OK;
    }
    return cx_field_invalid(properties, "parent_id", error, "must not be the context itself");
}

enum cx_status cx_convert_create(struct cx_conversion *conversion,
                                 const CreateContextRequest *message,
                                 struct cx_create_request *ret_request)
{
    const struct cx_field properties = cx_field_of(NULL, "properties");
    struct cx_create_request request = {0};
    enum cx_status status;

    status = cx_convert_name(conversion, NULL, message->namespace_, message->context_id, 0,
                             &request.name);
    if (status == CX_OK && message->properties != NULL) {
        status = cx_convert_new_context(conversion, &properties, message->properties,
                                        &request.properties);
    }
    if (status == CX_OK) {
        status = check_not_its_own_parent(&properties, request.name.id, &request.properties,
                                          conversion->error);
    }
    if (status == CX_OK) {
        status = cx_convert_mutations(conversion, NULL, message->mutations, message->n_mutations,
                                      &request.mutations);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, NULL, message->write, &request.request_id);
    }
    if (status != CX_OK) {
        return status;
    }
    request.mutation_count = message->n_mutations;
    *ret_request = request;
    return CX_OK;
}

static enum cx_status convert_create_if_missing(struct cx_conversion *conversion,
                                                const struct cx_field *at,
                                                const NewContext *message, struct cx_bytes id,
                                                const struct cx_new_context **ret_context)
{
    const struct cx_field field = cx_field_of(at, "create_if_missing");
    struct cx_new_context *context = cx_allocator_alloc(&conversion->memory, sizeof *context);
    enum cx_status status;

    if (context == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    status = cx_convert_new_context(conversion, &field, message, context);
    if (status == CX_OK) {
        status = check_not_its_own_parent(&field, id, context, conversion->error);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_context = context;
    return CX_OK;
}

enum cx_status cx_convert_update(struct cx_conversion *conversion, const struct cx_field *at,
                                 const UpdateContextRequest *message,
                                 struct cx_update_request *ret_request)
{
    struct cx_update_request request = {0};
    enum cx_status status;

    status =
        cx_convert_name(conversion, at, message->namespace_, message->context_id, 1, &request.name);
    if (status == CX_OK) {
        status = cx_field_check_count(at, "mutations", message->n_mutations, 1, CX_MUTATIONS_MAX,
                                      conversion->error);
    }
    if (status == CX_OK) {
        status = cx_convert_mutations(conversion, at, message->mutations, message->n_mutations,
                                      &request.mutations);
    }
    if (status == CX_OK && message->n_preconditions > 0) {
        status = cx_convert_preconditions(conversion, at, message->preconditions,
                                          message->n_preconditions, &request.preconditions);
    }
    if (status == CX_OK && message->create_if_missing != NULL) {
        status = convert_create_if_missing(conversion, at, message->create_if_missing,
                                           request.name.id, &request.create_if_missing);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, at, message->write, &request.request_id);
    }
    if (status != CX_OK) {
        return status;
    }
    request.mutation_count = message->n_mutations;
    request.precondition_count = message->n_preconditions;
    *ret_request = request;
    return CX_OK;
}

enum cx_status cx_convert_delete(struct cx_conversion *conversion,
                                 const DeleteContextRequest *message,
                                 struct cx_delete_request *ret_request)
{
    struct cx_delete_request request = {
        .precondition_count = message->n_preconditions,
        .allow_missing = message->allow_missing,
        .recursive = message->recursive,
        .purge = message->purge,
    };
    enum cx_status status;

    status = cx_convert_name(conversion, NULL, message->namespace_, message->context_id, 1,
                             &request.name);
    if (status == CX_OK && message->n_preconditions > 0) {
        status = cx_convert_preconditions(conversion, NULL, message->preconditions,
                                          message->n_preconditions, &request.preconditions);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, NULL, message->write, &request.request_id);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_request = request;
    return CX_OK;
}
