/* contextd.v1.ContextManager, as a table. */

#include "server/services/context_manager.h"

#include "server/rpc/service.h"
#include "server/services/messages.h"
#include "server/services/services.h"

static const struct cx_method methods[] = {
    {.name = "CreateContext", .handle = cx_context_create},
    {.name = "GetContext", .handle = cx_context_get},
    {
        .name = "ReadEntries",
        .kind = CX_METHOD_SERVER_STREAM,
        .handle = cx_context_read,
        .sent = cx_context_read_sent,
        .left = cx_context_read_left,
    },
    {.name = "ListContexts", .handle = cx_context_list},
    {.name = "UpdateContext", .handle = cx_context_update},
    {.name = "DeleteContext", .handle = cx_context_delete},
    {.name = "BatchGetContexts", .handle = cx_context_batch_get},
    {.name = "BatchUpdateContexts", .handle = cx_context_batch_update},
    {
        .name = "StreamUpdates",
        .kind = CX_METHOD_BIDI_STREAM,
        .handle = cx_context_stream,
        .received = cx_context_stream_received,
        .sent = cx_context_stream_sent,
        .left = cx_context_stream_left,
    },
    {.name = "ListNamespaces", .handle = cx_namespace_list},
    {.name = "GetServerInfo", .handle = cx_server_info},
};

const struct cx_service cx_context_manager_service = {
    .descriptor = &contextd__v1__context_manager__descriptor,
    .methods = methods,
    .method_count = sizeof methods / sizeof methods[0],
};
