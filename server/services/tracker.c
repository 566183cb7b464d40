/* contextd.v1.Tracker: not there yet. Each of its methods says so. */

#include "contextd/v1/tracker.pb-c.h"
#include "server/rpc/call.h"
#include "server/rpc/service.h"
#include "server/services/services.h"
#include "server/services/unsupported.h"

static void refuse(struct cx_call *call, const ProtobufCMessage *request)
{
    cx_unsupported_method(call, "Tracker", request);
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
    {.name = "StartSession", .handle = refuse},
    {.name = "RenewSession", .handle = refuse},
    {.name = "EndSession", .handle = refuse},
    {.name = "GetSession", .handle = refuse},
    {.name = "ListSessions", .handle = refuse},
    {.name = "ActivateContext", .handle = refuse},
    {.name = "SwitchContext", .handle = refuse},
    {.name = "DeactivateContext", .handle = refuse},
    {.name = "GetContextStatus", .handle = refuse},
    {.name = "RecordActivities", .handle = refuse},
    {.name = "ListActivities", .handle = refuse},
    {.name = "OptimizeHistory", .handle = refuse},
    {.name = "TruncateHistory", .handle = refuse},
    {.name = "ListFiles", .handle = refuse},
    {.name = "SummarizeUsage", .handle = refuse},
    {.name = "AcquireResource", .handle = refuse},
    {.name = "ReleaseResource", .handle = refuse},
    {.name = "ListResources", .handle = refuse},
    {
        .name = "Subscribe",
        .kind = CX_METHOD_SERVER_STREAM,
        .handle = refuse,
        .sent = stream_sent,
        .left = stream_left,
    },
};

const struct cx_service cx_tracker_service = {
    .descriptor = &contextd__v1__tracker__descriptor,
    .methods = methods,
    .method_count = sizeof methods / sizeof methods[0],
};
