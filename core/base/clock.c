#include "core/base/clock.h"

#include <assert.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    int error = clock_gettime(id, &now);

    assert(error == 0);
    (void)error;
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall_us(const struct cx_clock *clock)
{
    (void)clock;
    return read_us(CLOCK_REALTIME);
}

static int64_t system_monotonic_us(const struct cx_clock *clock)
{
    (void)clock;
    return read_us(CLOCK_MONOTONIC);
}

const struct cx_clock cx_clock_system = {
    .wall_us = system_wall_us,
    .monotonic_us = system_monotonic_us,
};
