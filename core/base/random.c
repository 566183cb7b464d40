#include "core/base/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

static void system_fill(const struct cx_random *random, void *memory, size_t size)
{
    uint8_t *bytes = memory;

    (void)random;
    while (size > 0) {
        ssize_t count = getrandom(bytes, size, 0);

        if (count < 0 && errno != EINTR) {
            abort(); /* Ids that are not random are worse than no server. */
        }
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
    }
}

const struct cx_random cx_random_system = {.fill = system_fill};
