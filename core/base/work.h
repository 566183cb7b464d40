/* Work for later, and what waits for a revision to be durable. Both are links in
 * lists that do not own them: embed one in the object that waits. */

#ifndef CX_BASE_WORK_H
#define CX_BASE_WORK_H

#include <stdint.h>

#include "core/base/status.h"

/* Something to run on another thread, once. */
struct cx_work {
    struct cx_work *next;
    void (*run)(struct cx_work *work);
};

/* Something that waits until the log is durable up to `revision`. The engine owns
 * it from cx_engine_wait() until it hands it to the completion function. */
struct cx_waiter {
    struct cx_work work;   /* `run` is the waiter's own; `next` the list's. */
    uint64_t revision;     /* Waits for this one. */
    enum cx_status status; /* Set before the hand-over: CX_OK, or CX_UNAVAILABLE after a failure. */
};

#endif /* CX_BASE_WORK_H */
