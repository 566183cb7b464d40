#include "server/services/convert_request.h"

#include "core/base/limits.h"
#include "core/base/text.h"
#include "server/rpc/call.h"
#include "server/services/convert_part.h"

struct cx_conversion cx_conversion_of_call(struct cx_call *call, struct cx_error *error)
{
    return (struct cx_conversion){
        .memory = cx_allocator_of_call(call),
        .error = error,
        .message_size_max = cx_call_message_size_max(call),
    };
}

/* Of any id. Those that are longer than the server's own stand for no session. */
enum { SESSION_ID_SIZE_MAX = 256 };

/* ---- Names. ----------------------------------------------------------------- */

struct cx_bytes cx_convert_namespace(const char *name)
{
    return cx_bytes_of(name[0] != '\0' ? name : "default");
}

bool cx_convert_same_namespace(const char *a, const char *b)
{
    return cx_bytes_equal(cx_convert_namespace(a), cx_convert_namespace(b));
}

enum cx_status cx_convert_check_namespace(struct cx_conversion *conversion,
                                          const struct cx_field *at, struct cx_bytes namespace_id)
{
    const char *rule = cx_namespace_check(namespace_id);

    return rule == NULL ? CX_OK : cx_field_invalid(at, "namespace", conversion->error, "%s", rule);
}

enum cx_status cx_convert_name(struct cx_conversion *conversion, const struct cx_field *at,
                               const char *namespace_id, const char *id, size_t id_size_min,
                               struct cx_context_name *ret_name)
{
    const struct cx_context_name name = {cx_convert_namespace(namespace_id), cx_bytes_of(id)};
    enum cx_status status = cx_convert_check_namespace(conversion, at, name.namespace_id);

    if (status == CX_OK) {
        status = cx_field_check_name(at, "context_id", name.id, id_size_min, CX_CONTEXT_ID_SIZE_MAX,
                                     conversion->error);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_name = name;
    return CX_OK;
}

enum cx_status cx_convert_session_id(struct cx_conversion *conversion, const struct cx_field *at,
                                     struct cx_bytes id, size_t size_min)
{
    return cx_field_check_name(at, "session_id", id, size_min, SESSION_ID_SIZE_MAX,
                               conversion->error);
}

enum cx_status cx_convert_write(struct cx_conversion *conversion, const struct cx_field *at,
                                const WriteOptions *message, struct cx_write *ret_write)
{
    const struct cx_field field = cx_field_of(at, "write");
    struct cx_write write = {0};
    enum cx_status status;

    if (message == NULL) {
        *ret_write = write;
        return CX_OK;
    }
    write.request_id = cx_bytes_of(message->request_id);
    write.author.session_id = cx_bytes_of(message->session_id);
    write.author.fence = message->fence;
    status = cx_field_check_text(&field, "request_id", write.request_id, CX_REQUEST_ID_SIZE_MAX,
                                 conversion->error);
    if (status == CX_OK) {
        status = cx_convert_session_id(conversion, &field, write.author.session_id, 0);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_write = write;
    return CX_OK;
}

enum cx_status cx_convert_write_unfenced(struct cx_conversion *conversion,
                                         const struct cx_field *at, const WriteOptions *message,
                                         struct cx_write *ret_write)
{
    const struct cx_field field = cx_field_of(at, "write");

    if (message != NULL && message->fence != 0) {
        return cx_field_invalid(&field, "fence", conversion->error,
                                "must be 0: this call changes no existing context");
    }
    return cx_convert_write(conversion, at, message, ret_write);
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
    struct cx_write write;
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
        status = cx_convert_write_unfenced(conversion, NULL, message->write, &write);
    }
    if (status != CX_OK) {
        return status;
    }
    request.mutation_count = message->n_mutations;
    request.author = write.author;
    request.request_id = write.request_id;
    *ret_request = request;
    return CX_OK;
}

enum cx_status cx_convert_properties(struct cx_conversion *conversion, const struct cx_field *at,
                                     const NewContext *message, struct cx_bytes id,
                                     const struct cx_new_context **ret_context)
{
    struct cx_new_context *context = cx_allocator_alloc(&conversion->memory, sizeof *context);
    enum cx_status status;

    if (context == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    status = cx_convert_new_context(conversion, at, message, context);
    if (status == CX_OK) {
        status = check_not_its_own_parent(at, id, context, conversion->error);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_context = context;
    return CX_OK;
}

enum cx_status cx_convert_create_if_missing(struct cx_conversion *conversion,
                                            const struct cx_field *at, const NewContext *message,
                                            struct cx_bytes id,
                                            const struct cx_new_context **ret_context)
{
    const struct cx_field field = cx_field_of(at, "create_if_missing");

    return cx_convert_properties(conversion, &field, message, id, ret_context);
}

enum cx_status cx_convert_update(struct cx_conversion *conversion, const struct cx_field *at,
                                 const UpdateContextRequest *message,
                                 struct cx_update_request *ret_request)
{
    struct cx_update_request request = {0};
    struct cx_write write;
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
        status = cx_convert_create_if_missing(conversion, at, message->create_if_missing,
                                              request.name.id, &request.create_if_missing);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, at, message->write, &write);
    }
    if (status != CX_OK) {
        return status;
    }
    request.mutation_count = message->n_mutations;
    request.precondition_count = message->n_preconditions;
    request.author = write.author;
    request.request_id = write.request_id;
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
    struct cx_write write;
    enum cx_status status;

    status = cx_convert_name(conversion, NULL, message->namespace_, message->context_id, 1,
                             &request.name);
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
