#include "clients/c/retry.h"

#include <assert.h>

enum {
    BACKOFF_MIN_MS = 25,
    BACKOFF_MAX_MS = 1000,
};

void cxc_retry_init(struct cxc_retry *retry, int64_t now_ms, int64_t timeout_ms)
{
    assert(timeout_ms > 0);
    retry->deadline_ms = now_ms + timeout_ms;
    retry->backoff_ms = BACKOFF_MIN_MS;
}

int64_t cxc_retry_wait(struct cxc_retry *retry, const struct cxc_error *error, uint32_t random)
{
    int64_t half = retry->backoff_ms / 2;
    int64_t least = error->retry_delay_ms > 0 ? error->retry_delay_ms : half;

    retry->backoff_ms *= 2;
    if (retry->backoff_ms > BACKOFF_MAX_MS) {
        retry->backoff_ms = BACKOFF_MAX_MS;
    }
    return least + random % (half + 1);
}

int64_t cxc_retry_next(struct cxc_retry *retry, const struct cxc_error *error, int64_t now_ms,
                       uint32_t random)
{
    int64_t wait;

    if (!cxc_error_is_transient(error)) {
        return -1;
    }
    wait = cxc_retry_wait(retry, error, random);
    return wait < retry->deadline_ms - now_ms ? wait : -1;
}
