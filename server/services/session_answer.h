/* Answers of calls that change what a session has: they show it as it is afterwards.
 *
 * What always holds: see answer.h. Threads: as there. */

#ifndef CX_SERVICES_SESSION_ANSWER_H
#define CX_SERVICES_SESSION_ANSWER_H

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/messages.h"

/* The state of such a call. */
struct cx_session_answer {
    struct cx_answer answer;
    struct cx_write_outcome outcome;
    struct cx_session_view *session; /* Its own. NULL: it is gone. */
};

/* The call's state, which releases itself: `reply` is to call cx_session_answer_fill(). NULL, and
 * the call has been answered, when out of memory. */
struct cx_session_answer *cx_session_answer_begin(struct cx_call *call,
                                                  void (*reply)(struct cx_call *call));

/* Sets both fields of a response, in the memory of the call. False, and the call has been
 * answered, when out of memory. */
CX_MUST_CHECK bool cx_session_answer_fill(struct cx_call *call, Session **ret_session,
                                          WriteResult *ret_write);

/* Answers once it is durable what came of the engine's call. */
void cx_session_answer_end(struct cx_call *call, enum cx_status status,
                           const struct cx_error *error);

#endif /* CX_SERVICES_SESSION_ANSWER_H */
