/* A sum with a limit that two at once cannot overrun, and who took what of it.
 *
 * Threads: a quota may be shared; a charge belongs to one thread at a time. */

#ifndef CX_RPC_QUOTA_H
#define CX_RPC_QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct cx_quota {
    _Atomic uint64_t used;
    uint64_t max;
};

/* What somebody took and has to give back. Zeroed at first. */
struct cx_charge {
    uint64_t size;
};

/* Takes `size` more, or nothing when there is not enough left. */
static inline bool cx_quota_take(struct cx_quota *quota, struct cx_charge *charge, uint64_t size)
{
    uint64_t before = atomic_fetch_add_explicit(&quota->used, size, memory_order_relaxed);

    if (size > quota->max || before > quota->max - size) {
        atomic_fetch_sub_explicit(&quota->used, size, memory_order_relaxed);
        return false;
    }
    charge->size += size;
    return true;
}

/* Gives everything back. */
static inline void cx_quota_return(struct cx_quota *quota, struct cx_charge *charge)
{
    if (charge->size > 0) {
        atomic_fetch_sub_explicit(&quota->used, charge->size, memory_order_relaxed);
        charge->size = 0;
    }
}

#endif /* CX_RPC_QUOTA_H */
