/* Where time comes from. Nothing in core/ reads a clock that it was not handed.
 *
 * Threads: the functions may be called from any thread. */

#ifndef CX_BASE_CLOCK_H
#define CX_BASE_CLOCK_H

#include <stdint.h>

struct cx_clock {
    /* Microseconds since 1970 in UTC. May jump. */
    int64_t (*wall_us)(const struct cx_clock *clock);

    /* Microseconds since some start. Never goes back. */
    int64_t (*monotonic_us)(const struct cx_clock *clock);
};

/* The machine's clocks. */
extern const struct cx_clock cx_clock_system;

#endif /* CX_BASE_CLOCK_H */
