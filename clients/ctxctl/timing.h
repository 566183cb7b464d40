/* Measured times, and what they come to. */

#ifndef CTL_TIMING_H
#define CTL_TIMING_H

#include <stddef.h>
#include <stdint.h>

/* Microseconds on a clock that only goes forward. */
int64_t ctl_now_us(void);

/* Times in the order they were measured. A zeroed one is empty. */
struct ctl_timing {
    int64_t *us;
    size_t count;
    size_t capacity;
};

void ctl_timing_add(struct ctl_timing *timing, int64_t us);

/* Sorts the times: ctl_timing_at() needs it. */
void ctl_timing_sort(struct ctl_timing *timing);

/* The least time that so many percent of all do not exceed; 0 when there is none. */
int64_t ctl_timing_at(const struct ctl_timing *timing, unsigned percent);

void ctl_timing_done(struct ctl_timing *timing);

#endif /* CTL_TIMING_H */
