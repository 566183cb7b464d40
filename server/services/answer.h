/* How calls are answered: whatever a client is told is durable by then.
 *
 * What always holds:
 *
 *  (1) Nothing that the engine said, errors and absences included, leaves before the
 *      revision that it was derived from is on stable storage. When that will never
 *      be, the answer is CX_UNAVAILABLE/STORAGE_FAILED instead.
 *  (2) What a call holds is released on every path, once.
 *
 * Only complaints about the form of a request are told at once: they depend on
 * nothing.
 *
 * Threads: those of server/rpc/call.h. */

#ifndef CX_SERVICES_ANSWER_H
#define CX_SERVICES_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/status.h"
#include "server/rpc/call.h"
#include "server/services/services.h"

/* The head of a call's state (cx_call_state()). */
struct cx_answer {
    /* Tells the outcome, and releases what the state holds before the call is gone. */
    void (*reply)(struct cx_call *call);

    /* Releases what the state holds. NULL: nothing. */
    void (*release)(struct cx_call *call);
};

static inline const struct cx_app *cx_answer_app(const struct cx_call *call)
{
    return (const struct cx_app *)cx_call_app(call);
}

/* Runs the `reply` of the call's state once `revision` is durable; perhaps before this
 * returns. */
void cx_answer_when_durable(struct cx_call *call, uint64_t revision);

/* Fails the call once `revision` is durable. The state holds nothing. */
void cx_answer_error(struct cx_call *call, uint64_t revision, const struct cx_error *error);

/* Fails the call at once: out of memory. The state holds nothing. */
void cx_answer_out_of_memory(struct cx_call *call);

/* Fails the call at once: the disk failed. The state holds nothing. */
void cx_answer_storage_failed(struct cx_call *call);

#endif /* CX_SERVICES_ANSWER_H */
