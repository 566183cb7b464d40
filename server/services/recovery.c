/* contextd.v1.Recovery: not there yet. Each of its methods says so. */

#include "contextd/v1/recovery.pb-c.h"
#include "server/rpc/call.h"
#include "server/rpc/service.h"
#include "server/services/services.h"
#include "server/services/unsupported.h"

static void refuse(struct cx_call *call, const ProtobufCMessage *request)
{
    cx_unsupported_method(call, "Recovery", request);
}

/* Streams are refused before their first message, so that these never run. */
static void stream_sent(struct cx_call *call)
{
    cx_call_finish(call);
}

static void stream_left(struct cx_call *call)
{
    cx_call_finish(call);
}

static const struct cx_method methods[] = {
    {.name = "CreateRecoveryPoint", .handle = refuse},
    {.name = "GetRecoveryPoint", .handle = refuse},
    {.name = "ListRecoveryPoints", .handle = refuse},
    {.name = "UpdateRecoveryPoint", .handle = refuse},
    {.name = "DeleteRecoveryPoint", .handle = refuse},
    {.name = "PruneRecoveryPoints", .handle = refuse},
    {.name = "RestoreContext", .handle = refuse},
    {.name = "ForkContext", .handle = refuse},
    {
        .name = "DiffStates",
        .kind = CX_METHOD_SERVER_STREAM,
        .handle = refuse,
        .sent = stream_sent,
        .left = stream_left,
    },
    {.name = "MergeContext", .handle = refuse},
    {
        .name = "SyncContext",
        .kind = CX_METHOD_SERVER_STREAM,
        .handle = refuse,
        .sent = stream_sent,
        .left = stream_left,
    },
    {.name = "BatchRecoveryPoints", .handle = refuse},
    {
        .name = "Backup",
        .kind = CX_METHOD_SERVER_STREAM,
        .handle = refuse,
        .sent = stream_sent,
        .left = stream_left,
    },
    {
        .name = "VerifyStorage",
        .kind = CX_METHOD_SERVER_STREAM,
        .handle = refuse,
        .sent = stream_sent,
        .left = stream_left,
    },
};

const struct cx_service cx_recovery_service = {
    .descriptor = &contextd__v1__recovery__descriptor,
    .methods = methods,
    .method_count = sizeof methods / sizeof methods[0],
};
