/* contextd.v1.Recovery, as a table. Two of its methods are not there yet, and say so. */

#include "server/services/recovery.h"

#include "server/rpc/call.h"
#include "server/rpc/service.h"
#include "server/services/diff_stream.h"
#include "server/services/messages.h"
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
    {.name = "CreateRecoveryPoint", .handle = cx_recovery_create_point},
    {.name = "GetRecoveryPoint", .handle = cx_recovery_get_point},
    {.name = "ListRecoveryPoints", .handle = cx_recovery_list_points},
    {.name = "UpdateRecoveryPoint", .handle = cx_recovery_update_point},
    {.name = "DeleteRecoveryPoint", .handle = cx_recovery_delete_point},
    {.name = "PruneRecoveryPoints", .handle = cx_recovery_prune_points},
    {.name = "RestoreContext", .handle = cx_recovery_restore_context},
    {.name = "ForkContext", .handle = cx_recovery_fork_context},
    {
        .name = "DiffStates",
        .kind = CX_METHOD_SERVER_STREAM,
        .handle = cx_recovery_diff_states,
        .sent = cx_recovery_diff_states_sent,
        .left = cx_diff_stream_end,
    },
    {.name = "MergeContext", .handle = cx_recovery_merge_context},
    {
        .name = "SyncContext",
        .kind = CX_METHOD_SERVER_STREAM,
        .handle = cx_recovery_sync_context,
        .sent = cx_recovery_sync_context_sent,
        .left = cx_diff_stream_end,
    },
    {.name = "BatchRecoveryPoints", .handle = cx_recovery_batch_points},
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
