/* contextd.v1.Tracker, as a table. */

#include "server/services/tracker.h"

#include "contextd/v1/tracker.pb-c.h"
#include "server/rpc/call.h"
#include "server/rpc/service.h"
#include "server/services/services.h"

static const struct cx_method methods[] = {
    {.name = "StartSession", .handle = cx_tracker_start_session},
    {.name = "RenewSession", .handle = cx_tracker_renew_session},
    {.name = "EndSession", .handle = cx_tracker_end_session},
    {.name = "GetSession", .handle = cx_tracker_get_session},
    {.name = "ListSessions", .handle = cx_tracker_list_sessions},
    {.name = "ActivateContext", .handle = cx_tracker_activate_context},
    {.name = "SwitchContext", .handle = cx_tracker_switch_context},
    {.name = "DeactivateContext", .handle = cx_tracker_deactivate_context},
    {.name = "GetContextStatus", .handle = cx_tracker_get_context_status},
    {.name = "RecordActivities", .handle = cx_tracker_record_activities},
    {.name = "ListActivities", .handle = cx_tracker_list_activities},
    {.name = "OptimizeHistory", .handle = cx_tracker_optimize_history},
    {.name = "TruncateHistory", .handle = cx_tracker_truncate_history},
    {.name = "ListFiles", .handle = cx_tracker_list_files},
    {.name = "SummarizeUsage", .handle = cx_tracker_summarize_usage},
    {.name = "AcquireResource", .handle = cx_tracker_acquire_resource},
    {.name = "ReleaseResource", .handle = cx_tracker_release_resource},
    {.name = "ListResources", .handle = cx_tracker_list_resources},
    {
        .name = "Subscribe",
        .kind = CX_METHOD_SERVER_STREAM,
        .handle = cx_tracker_subscribe,
        .sent = cx_tracker_subscribe_sent,
        .left = cx_tracker_subscribe_left,
    },
};

const struct cx_service cx_tracker_service = {
    .descriptor = &contextd__v1__tracker__descriptor,
    .methods = methods,
    .method_count = sizeof methods / sizeof methods[0],
};
