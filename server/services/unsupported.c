#include "server/services/unsupported.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "server/rpc/call.h"
#include "server/services/messages.h"

static const struct {
    const ProtobufCMessageDescriptor *message;
    const char *field;
} rows[] = {
    {&contextd__v1__mutation__descriptor, "set_recovery_policy"},
    {&contextd__v1__new_context__descriptor, "recovery_policy"},
    {&contextd__v1__start_session_request__descriptor, "recovery_point_on_loss"},
    {&contextd__v1__state_ref__descriptor, "recovery_point_id"},
};

/* Whether a field of a proto3 message is set to something. */
static bool field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    const void *member = base + field->offset;

    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
        *(const uint32_t *)(base + field->quantifier_offset) != field->id) {
        return false;
    }
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(const ProtobufCMessage *const *)member != NULL;
    case PROTOBUF_C_TYPE_STRING:
        return *(const char *const *)member != NULL && **(const char *const *)member != '\0';
    default:
        assert(field->type == PROTOBUF_C_TYPE_BOOL);
        return *(const protobuf_c_boolean *)member;
    }
}

enum cx_status cx_unsupported_check(const ProtobufCMessage *message, const struct cx_field *at,
                                    struct cx_error *error)
{
    char path[256];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const ProtobufCFieldDescriptor *field;

        if (rows[i].message != message->descriptor) {
            continue;
        }
        field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, rows[i].field);
        assert(field != NULL);
        if (!field_is_set(message, field)) {
            continue;
        }
        cx_field_path(at, rows[i].field, path, sizeof path);
        cx_error_set(error, CX_REASON_NOT_SUPPORTED, "%s is not supported by this server", path);
        cx_error_detail(error, "field", cx_bytes_of(path));
        return cx_reason_status(error->reason);
    }
    return CX_OK;
}

/* Every request is named after its method: StartSessionRequest. */
void cx_unsupported_method(struct cx_call *call, const char *service,
                           const ProtobufCMessage *request)
{
    const char *name = request->descriptor->short_name;
    struct cx_bytes method = {(const uint8_t *)name, strlen(name) - strlen("Request")};
    struct cx_error error;

    cx_error_set(&error, CX_REASON_NOT_SUPPORTED, "%s.%.*s is not supported by this server",
                 service, (int)method.size, name);
    cx_error_detail(&error, "field", method);
    cx_call_fail(call, &error);
}
