/* Sessions, activations and resources of the core into messages of the API.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_TRACKING_H
#define CX_SERVICES_CONVERT_TRACKING_H

#include "core/state/tracking.h"
#include "server/services/draft.h"

/* NULL for none, as when out of memory. */
Session *cx_session_message(struct cx_draft *draft, const struct cx_session_view *view);

/* NULL for a zeroed one, as when out of memory. */
Activation *cx_activation_message(struct cx_draft *draft, const struct cx_activation_view *view);

/* NULL when out of memory. */
Resource *cx_resource_message(struct cx_draft *draft, const struct cx_resource_view *view);

#endif /* CX_SERVICES_CONVERT_TRACKING_H */
