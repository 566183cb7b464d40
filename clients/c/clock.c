#include "clients/c/clock.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

int64_t cxc_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void cxc_sleep_ms(int64_t ms)
{
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

uint32_t cxc_random(void)
{
    uint32_t number = 0;

    if (getrandom(&number, sizeof number, 0) < 0) {
        number = 0; /* Just no jitter. */
    }
    return number;
}
