/* The blocking calls of Recovery. */

#include "clients/c/contextd.h"

enum cxc_code cxc_create_recovery_point(struct cxc_client *client,
                                        const Contextd__V1__CreateRecoveryPointRequest *request,
                                        Contextd__V1__CreateRecoveryPointResponse **ret_response,
                                        struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Recovery/CreateRecoveryPoint", &request->base,
                    &contextd__v1__create_recovery_point_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_get_recovery_point(struct cxc_client *client,
                                     const Contextd__V1__GetRecoveryPointRequest *request,
                                     Contextd__V1__GetRecoveryPointResponse **ret_response,
                                     struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Recovery/GetRecoveryPoint", &request->base,
                    &contextd__v1__get_recovery_point_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_list_recovery_points(struct cxc_client *client,
                                       const Contextd__V1__ListRecoveryPointsRequest *request,
                                       Contextd__V1__ListRecoveryPointsResponse **ret_response,
                                       struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Recovery/ListRecoveryPoints", &request->base,
                    &contextd__v1__list_recovery_points_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_update_recovery_point(struct cxc_client *client,
                                        const Contextd__V1__UpdateRecoveryPointRequest *request,
                                        Contextd__V1__UpdateRecoveryPointResponse **ret_response,
                                        struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Recovery/UpdateRecoveryPoint", &request->base,
                    &contextd__v1__update_recovery_point_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_delete_recovery_point(struct cxc_client *client,
                                        const Contextd__V1__DeleteRecoveryPointRequest *request,
                                        Contextd__V1__DeleteRecoveryPointResponse **ret_response,
                                        struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Recovery/DeleteRecoveryPoint", &request->base,
                    &contextd__v1__delete_recovery_point_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_prune_recovery_points(struct cxc_client *client,
                                        const Contextd__V1__PruneRecoveryPointsRequest *request,
                                        Contextd__V1__PruneRecoveryPointsResponse **ret_response,
                                        struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Recovery/PruneRecoveryPoints", &request->base,
                    &contextd__v1__prune_recovery_points_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_restore_context(struct cxc_client *client,
                                  const Contextd__V1__RestoreContextRequest *request,
                                  Contextd__V1__RestoreContextResponse **ret_response,
                                  struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Recovery/RestoreContext", &request->base,
                    &contextd__v1__restore_context_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_fork_context(struct cxc_client *client,
                               const Contextd__V1__ForkContextRequest *request,
                               Contextd__V1__ForkContextResponse **ret_response,
                               struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Recovery/ForkContext", &request->base,
                    &contextd__v1__fork_context_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_merge_context(struct cxc_client *client,
                                const Contextd__V1__MergeContextRequest *request,
                                Contextd__V1__MergeContextResponse **ret_response,
                                struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Recovery/MergeContext", &request->base,
                    &contextd__v1__merge_context_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_batch_recovery_points(struct cxc_client *client,
                                        const Contextd__V1__BatchRecoveryPointsRequest *request,
                                        Contextd__V1__BatchRecoveryPointsResponse **ret_response,
                                        struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.Recovery/BatchRecoveryPoints", &request->base,
                    &contextd__v1__batch_recovery_points_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}
