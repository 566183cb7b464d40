/* Requests about recovery points. What holds for the converters of requests
 * (convert_request.h) holds here.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_POINT_H
#define CX_SERVICES_CONVERT_POINT_H

#include "core/state/recovery.h"
#include "server/services/convert_request.h"

/* What of each point a response shows. Zeroed: neither entries nor attachments. */
struct cx_point_view_query {
    bool entries;
    bool attachments;
    const struct cx_bytes *keys; /* Only these of both. In order, no key twice. None: all. */
    size_t key_count;
};

struct cx_point_get_query {
    struct cx_context_name name;
    struct cx_bytes point_id; /* Empty: the newest. */
    struct cx_point_view_query view;
};

/* `at` is where the message stands; NULL: it is what the client sent. */
CX_MUST_CHECK enum cx_status cx_convert_point_create(struct cx_conversion *conversion,
                                                     const struct cx_field *at,
                                                     const CreateRecoveryPointRequest *message,
                                                     struct cx_create_point_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_point_get(struct cx_conversion *conversion,
                                                  const struct cx_field *at,
                                                  const GetRecoveryPointRequest *message,
                                                  struct cx_point_get_query *ret_query);
CX_MUST_CHECK enum cx_status cx_convert_point_update(struct cx_conversion *conversion,
                                                     const struct cx_field *at,
                                                     const UpdateRecoveryPointRequest *message,
                                                     struct cx_update_point_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_point_delete(struct cx_conversion *conversion,
                                                     const struct cx_field *at,
                                                     const DeleteRecoveryPointRequest *message,
                                                     struct cx_delete_point_request *ret_request);

/* All but where the page begins, which is in the page token. */
CX_MUST_CHECK enum cx_status cx_convert_point_list(struct cx_conversion *conversion,
                                                   const ListRecoveryPointsRequest *message,
                                                   struct cx_point_query *ret_query,
                                                   struct cx_point_view_query *ret_view);
CX_MUST_CHECK enum cx_status cx_convert_point_prune(struct cx_conversion *conversion,
                                                    const PruneRecoveryPointsRequest *message,
                                                    struct cx_prune_request *ret_request);

/* How many mutations and attachments a request has: what its work grows with. */
size_t cx_point_create_cost(const CreateRecoveryPointRequest *message);
size_t cx_point_update_cost(const UpdateRecoveryPointRequest *message);

#endif /* CX_SERVICES_CONVERT_POINT_H */
