/* The order of several operations in one call, where the server is overloaded.
 *
 * A small write may fit where the larger one before it did not. A client that repeats
 * what was OVERLOADED would then have the two in the wrong order. So whatever stands
 * behind an operation that was OVERLOADED is refused as well, reads included.
 *
 * What always holds:
 *
 *  (1) What was done, and what failed for a reason of its own, stands before all that
 *      was OVERLOADED: repeating the rest in its order keeps the order of the whole.
 *
 * Threads: plain data, of one call (StreamUpdates: of one message). */

#ifndef CX_SERVICES_WRITE_ORDER_H
#define CX_SERVICES_WRITE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"

/* Zeroed: nothing was OVERLOADED yet. */
struct cx_write_order {
    bool broken;
    int64_t retry_delay_us; /* Of the first that was OVERLOADED. */
};

/* Asked before each operation: CX_OK, or what refuses it, CX_RESOURCE_EXHAUSTED/OVERLOADED
 * with the delay of the one that was refused first. */
CX_MUST_CHECK enum cx_status cx_write_order_check(const struct cx_write_order *order,
                                                  struct cx_error *error);

/* Told of each operation that failed. */
void cx_write_order_failed(struct cx_write_order *order, const struct cx_error *error);

#endif /* CX_SERVICES_WRITE_ORDER_H */
