#include "clients/ctxctl/timing.h"

#include <stdlib.h>
#include <time.h>

#include "clients/ctxctl/pool.h"

int64_t ctl_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

void ctl_timing_add(struct ctl_timing *timing, int64_t us)
{
    if (timing->count == timing->capacity) {
        timing->capacity = timing->capacity > 0 ? 2 * timing->capacity : 1024;
        timing->us = ctl_realloc(timing->us, timing->capacity * sizeof *timing->us);
    }
    timing->us[timing->count++] = us;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

void ctl_timing_sort(struct ctl_timing *timing)
{
    if (timing->count > 0) {
        qsort(timing->us, timing->count, sizeof *timing->us, compare);
    }
}

int64_t ctl_timing_at(const struct ctl_timing *timing, unsigned percent)
{
    size_t rank = (timing->count * percent + 99) / 100;

    return timing->count > 0 ? timing->us[rank > 0 ? rank - 1 : 0] : 0;
}

void ctl_timing_done(struct ctl_timing *timing)
{
    free(timing->us);
    *timing = (struct ctl_timing){0};
}
