/* The blocking calls of Tracker. */

#include "clients/c/contextd.h"

enum cxc_code cxc_start_session(struct cxc_client *client,
                                const Contextd__V1__StartSessionRequest *request,
                                Contextd__V1__StartSessionResponse **ret_response,
                                struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/StartSession", &request->base,
                    &contextd__v1__start_session_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_renew_session(struct cxc_client *client,
                                const Contextd__V1__RenewSessionRequest *request,
                                Contextd__V1__RenewSessionResponse **ret_response,
                                struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/RenewSession", &request->base,
                    &contextd__v1__renew_session_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_end_session(struct cxc_client *client,
                              const Contextd__V1__EndSessionRequest *request,
                              Contextd__V1__EndSessionResponse **ret_response,
                              struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/EndSession", &request->base,
                    &contextd__v1__end_session_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_get_session(struct cxc_client *client,
                              const Contextd__V1__GetSessionRequest *request,
                              Contextd__V1__GetSessionResponse **ret_response,
                              struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/GetSession", &request->base,
                    &contextd__v1__get_session_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_list_sessions(struct cxc_client *client,
                                const Contextd__V1__ListSessionsRequest *request,
                                Contextd__V1__ListSessionsResponse **ret_response,
                                struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/ListSessions", &request->base,
                    &contextd__v1__list_sessions_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_activate_context(struct cxc_client *client,
                                   const Contextd__V1__ActivateContextRequest *request,
                                   Contextd__V1__ActivateContextResponse **ret_response,
                                   struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/ActivateContext", &request->base,
                    &contextd__v1__activate_context_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_switch_context(struct cxc_client *client,
                                 const Contextd__V1__SwitchContextRequest *request,
                                 Contextd__V1__SwitchContextResponse **ret_response,
                                 struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/SwitchContext", &request->base,
                    &contextd__v1__switch_context_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_deactivate_context(struct cxc_client *client,
                                     const Contextd__V1__DeactivateContextRequest *request,
                                     Contextd__V1__DeactivateContextResponse **ret_response,
                                     struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/DeactivateContext", &request->base,
                    &contextd__v1__deactivate_context_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_get_context_status(struct cxc_client *client,
                                     const Contextd__V1__GetContextStatusRequest *request,
                                     Contextd__V1__GetContextStatusResponse **ret_response,
                                     struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/GetContextStatus", &request->base,
                    &contextd__v1__get_context_status_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_record_activities(struct cxc_client *client,
                                    const Contextd__V1__RecordActivitiesRequest *request,
                                    Contextd__V1__RecordActivitiesResponse **ret_response,
                                    struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/RecordActivities", &request->base,
                    &contextd__v1__record_activities_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_list_activities(struct cxc_client *client,
                                  const Contextd__V1__ListActivitiesRequest *request,
                                  Contextd__V1__ListActivitiesResponse **ret_response,
                                  struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/ListActivities", &request->base,
                    &contextd__v1__list_activities_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_optimize_history(struct cxc_client *client,
                                   const Contextd__V1__OptimizeHistoryRequest *request,
                                   Contextd__V1__OptimizeHistoryResponse **ret_response,
                                   struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/OptimizeHistory", &request->base,
                    &contextd__v1__optimize_history_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_truncate_history(struct cxc_client *client,
                                   const Contextd__V1__TruncateHistoryRequest *request,
                                   Contextd__V1__TruncateHistoryResponse **ret_response,
                                   struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/TruncateHistory", &request->base,
                    &contextd__v1__truncate_history_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_list_files(struct cxc_client *client,
                             const Contextd__V1__ListFilesRequest *request,
                             Contextd__V1__ListFilesResponse **ret_response,
                             struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/ListFiles", &request->base,
                    &contextd__v1__list_files_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_summarize_usage(struct cxc_client *client,
                                  const Contextd__V1__SummarizeUsageRequest *request,
                                  Contextd__V1__SummarizeUsageResponse **ret_response,
                                  struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/SummarizeUsage", &request->base,
                    &contextd__v1__summarize_usage_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_acquire_resource(struct cxc_client *client,
                                   const Contextd__V1__AcquireResourceRequest *request,
                                   Contextd__V1__AcquireResourceResponse **ret_response,
                                   struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/AcquireResource", &request->base,
                    &contextd__v1__acquire_resource_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_release_resource(struct cxc_client *client,
                                   const Contextd__V1__ReleaseResourceRequest *request,
                                   Contextd__V1__ReleaseResourceResponse **ret_response,
                                   struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/ReleaseResource", &request->base,
                    &contextd__v1__release_resource_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_list_resources(struct cxc_client *client,
                                 const Contextd__V1__ListResourcesRequest *request,
                                 Contextd__V1__ListResourcesResponse **ret_response,
                                 struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Tracker/ListResources", &request->base,
                    &contextd__v1__list_resources_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}
