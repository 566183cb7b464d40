/* Where randomness comes from. Nothing in core/ uses any that it was not handed. */

#ifndef CX_BASE_RANDOM_H
#define CX_BASE_RANDOM_H

#include <stddef.h>

struct cx_random {
    /* Fills `memory` with `size` random bytes. Any thread. */
    void (*fill)(const struct cx_random *random, void *memory, size_t size);
};

/* The kernel's generator: getrandom(2). */
extern const struct cx_random cx_random_system;

#endif /* CX_BASE_RANDOM_H */
