/* Requests about earlier states: what is done with them, and what is compared. What holds
 * for the converters of requests (convert_request.h) holds here.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_RECOVERY_H
#define CX_SERVICES_CONVERT_RECOVERY_H

#include "core/state/recovery.h"
#include "server/services/convert_request.h"

/* Requests that change a context. */
CX_MUST_CHECK enum cx_status cx_convert_restore(struct cx_conversion *conversion,
                                                const RestoreContextRequest *message,
                                                struct cx_restore_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_fork(struct cx_conversion *conversion,
                                             const ForkContextRequest *message,
                                             struct cx_fork_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_merge(struct cx_conversion *conversion,
                                              const MergeContextRequest *message,
                                              struct cx_merge_request *ret_request);

/* Two states of one namespace. */
struct cx_diff_query {
    struct cx_context_name before;
    struct cx_context_name after;
    struct cx_state_at before_at;
    struct cx_state_at after_at;
    struct cx_bytes key_prefix;
    bool without_values;
};

CX_MUST_CHECK enum cx_status cx_convert_diff(struct cx_conversion *conversion,
                                             const DiffStatesRequest *message,
                                             struct cx_diff_query *ret_query);

/* The context that a request for what is new names. */
CX_MUST_CHECK enum cx_status cx_convert_sync(struct cx_conversion *conversion,
                                             const SyncContextRequest *message,
                                             struct cx_context_name *ret_name);

#endif /* CX_SERVICES_CONVERT_RECOVERY_H */
