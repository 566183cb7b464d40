/* Recovery points as messages: alone, or with entries and attachments.
 *
 * What always holds:
 *
 *  (1) Values that lie in one piece are borrowed from the view; all else is in the draft's
 *      memory.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_POINT_MESSAGE_H
#define CX_SERVICES_POINT_MESSAGE_H

#include "core/state/recovery.h"
#include "server/services/convert_point.h"
#include "server/services/draft.h"

/* Whether there is a point: where one could be gone by now, its view is zeroed. */
static inline bool cx_point_is_there(const struct cx_point_view *view)
{
    return view->id.size > 0;
}

/* A point without its attachments. NULL, with draft->failed, when out of memory. */
RecoveryPoint *cx_point_message(struct cx_draft *draft, const struct cx_point_view *view);

/* A point with what `query` asks for. Fails with RESPONSE_TOO_LARGE {size, limit} when it
 * would be packed into more than `size_max` bytes, before anything large is allocated: `size`
 * is at least so much, as what does not fit is not measured to its end; or with LIMIT_REACHED
 * (memory). *ret_size is its packed size. O(what is shown). */
CX_MUST_CHECK enum cx_status cx_point_message_full(struct cx_draft *draft,
                                                   const struct cx_point_view *view,
                                                   const struct cx_point_view_query *query,
                                                   uint64_t size_max,
                                                   GetRecoveryPointResponse **ret_message,
                                                   uint64_t *ret_size, struct cx_error *error);

/* How many entries and attachments a message of the point may look at: what its cost grows
 * with. Those with large values count as many. */
uint64_t cx_point_cost(const struct cx_point_view *view, const struct cx_point_view_query *query);

#endif /* CX_SERVICES_POINT_MESSAGE_H */
