/* Requests for subscriptions. What holds for the converters of requests (convert_request.h)
 * holds here.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_SUBSCRIBE_H
#define CX_SERVICES_CONVERT_SUBSCRIBE_H

#include "server/services/convert_request.h"
#include "server/services/cursor.h"

/* *ret_filter is what the request's feed points at. A cursor from before an accepted loss of
 * data fails with CURSOR_COMPACTED. */
CX_MUST_CHECK enum cx_status cx_convert_subscribe(struct cx_conversion *conversion,
                                                  const SubscribeRequest *message,
                                                  const struct cx_token_scope *cursors,
                                                  struct cx_event_filter *ret_filter,
                                                  struct cx_subscribe_request *ret_request);

#endif /* CX_SERVICES_CONVERT_SUBSCRIBE_H */
