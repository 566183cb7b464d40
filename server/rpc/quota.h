/* A sum with a limit that two at once cannot overrun, and who took what of it.
 *
 * Threads: a quota may be shared; a charge belongs to one thread at a time. */

#ifndef CX_RPC_QUOTA_H
#define CX_RPC_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

struct cx_quota {
    uint64_t used; /* Atomic, by the compiler's functions: C++ knows no _Atomic. */
    uint64_t max;
};

/* What somebody took and has to give back. Zeroed at first. */
struct cx_charge {
    uint64_t size;
};

/* Takes `size` more, or nothing when there is not enough left. */
static inline bool cx_quota_take(struct cx_quota *quota, struct cx_charge *charge, uint64_t size)
{
    uint64_t before = __atomic_fetch_add(&quota->used, size, __ATOMIC_RELAXED);

    if (size > quota->max || before > quota->max - size) {
        __atomic_fetch_sub(&quota->used, size, __ATOMIC_RELAXED);
        return false;
    }
    charge->size += size;
    return true;
}

/* Gives everything back. */
static inline void cx_quota_return(struct cx_quota *quota, struct cx_charge *charge)
{
    if (charge->size > 0) {
        __atomic_fetch_sub(&quota->used, charge->size, __ATOMIC_RELAXED);
        charge->size = 0;
    }
}

/* What is taken now. */
static inline uint64_t cx_quota_used(const struct cx_quota *quota)
{
    return __atomic_load_n(&quota->used, __ATOMIC_RELAXED);
}

#endif /* CX_RPC_QUOTA_H */
