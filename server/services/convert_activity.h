/* Activities of the API into those of the core, and back.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_ACTIVITY_H
#define CX_SERVICES_CONVERT_ACTIVITY_H

#include "core/state/tracking.h"
#include "server/services/convert_request.h"
#include "server/services/draft.h"

/* Takes the activity at `at`: what the server sets is ignored, and a type or currency
 * that was left out filled in. What holds for the converters of requests
 * (convert_request.h) holds here. */
CX_MUST_CHECK enum cx_status cx_convert_activity(struct cx_conversion *conversion,
                                                 const struct cx_field *at,
                                                 const ActivityMessage *message,
                                                 struct cx_activity_content *ret_content);

/* Fails with LIMIT_REACHED {limit: "message_size_max"} when a message of this size would not
 * fit into an answer, with what the server adds to it. */
CX_MUST_CHECK enum cx_status cx_convert_check_fits(struct cx_conversion *conversion,
                                                   uint64_t packed_size);

/* An activity without its data, but with their size: it can be measured, not packed, until
 * cx_activity_message_fill(). */
ActivityMessage *cx_activity_message(struct cx_draft *draft, const struct cx_activity_view *view);

/* Adds the data. O(data). */
void cx_activity_message_fill(struct cx_draft *draft, const struct cx_activity_view *view,
                              ActivityMessage *message);

/* A file that was touched, as it was the last time. */
FileOperation *cx_file_operation_message(struct cx_draft *draft,
                                         const struct cx_file_operation *operation);

#endif /* CX_SERVICES_CONVERT_ACTIVITY_H */
