/* Inside the client library: when a failed call is made again.
 *
 * The wait doubles from 25 ms to 1 s. Half of it is random, so that clients which
 * failed together do not come back together; a delay that the server asked for is
 * waited in full, with that random half on top.
 * Threads: belongs to the call. Knows no clock: the caller says what time it is. */

#ifndef CXC_RETRY_H
#define CXC_RETRY_H

#include "clients/c/contextd.h"

struct cxc_retry {
    int64_t deadline_ms; /* When the call must have ended. */
    int64_t backoff_ms;  /* The longest wait before the next repeat. */
};

/* Begins a call that may take `timeout_ms` from now on. */
void cxc_retry_init(struct cxc_retry *retry, int64_t now_ms, int64_t timeout_ms);

/* How long to wait before the call that failed with `error` is made again; -1 when
 * it is not, because the error would stay or the time would be up. `random` is any
 * number. */
int64_t cxc_retry_next(struct cxc_retry *retry, const struct cxc_error *error, int64_t now_ms,
                       uint32_t random);

/* The same wait for an error that the caller knows to be worth it, however little time is
 * left. */
int64_t cxc_retry_wait(struct cxc_retry *retry, const struct cxc_error *error, uint32_t random);

#endif /* CXC_RETRY_H */
