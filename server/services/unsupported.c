#include "server/services/unsupported.h"

#include <string.h>

#include "server/rpc/call.h"

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
