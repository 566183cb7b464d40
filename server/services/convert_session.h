/* Requests about sessions and what they hold: contexts and resources. What holds for the
 * converters of requests (convert_request.h) holds here.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_SESSION_H
#define CX_SERVICES_CONVERT_SESSION_H

#include "server/services/convert_request.h"

/* The session that a request names. */
CX_MUST_CHECK enum cx_status cx_convert_session_name(struct cx_conversion *conversion,
                                                     const char *namespace_id, const char *id,
                                                     struct cx_session_name *ret_name);

/* The beginning of a session, and its end. */
CX_MUST_CHECK enum cx_status cx_convert_session_start(struct cx_conversion *conversion,
                                                      const StartSessionRequest *message,
                                                      struct cx_session_start_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_session_end(struct cx_conversion *conversion,
                                                    const EndSessionRequest *message,
                                                    struct cx_session_end_request *ret_request);

/* All but `after_start_revision`, which is in the page token. */
CX_MUST_CHECK enum cx_status cx_convert_session_list(struct cx_conversion *conversion,
                                                     const ListSessionsRequest *message,
                                                     struct cx_session_query *ret_query);

/* What a session does with a context. */
CX_MUST_CHECK enum cx_status cx_convert_activate(struct cx_conversion *conversion,
                                                 const ActivateContextRequest *message,
                                                 struct cx_activation_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_switch(struct cx_conversion *conversion,
                                               const SwitchContextRequest *message,
                                               struct cx_activation_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_deactivate(struct cx_conversion *conversion,
                                                   const DeactivateContextRequest *message,
                                                   struct cx_activation_request *ret_request);

/* What it does with a resource of one. */
CX_MUST_CHECK enum cx_status cx_convert_acquire(struct cx_conversion *conversion,
                                                const AcquireResourceRequest *message,
                                                struct cx_resource_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_release(struct cx_conversion *conversion,
                                                const ReleaseResourceRequest *message,
                                                struct cx_resource_request *ret_request);

#endif /* CX_SERVICES_CONVERT_SESSION_H */
