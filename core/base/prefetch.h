/* Asking for memory before it is needed, so that it comes from afar while something else
 * is done. Changes nothing; the address may be any, NULL included. */

#ifndef CX_BASE_PREFETCH_H
#define CX_BASE_PREFETCH_H

#include <stddef.h>

enum { CX_CACHE_LINE = 64 };

/* Asks for the lines that hold `size` bytes from `memory` on. */
static inline void cx_prefetch(const void *memory, size_t size)
{
    const char *at = memory;

    for (size_t offset = 0; offset < size; offset += CX_CACHE_LINE) {
        __builtin_prefetch(at + offset);
    }
    __builtin_prefetch(at + size - 1);
}

#endif /* CX_BASE_PREFETCH_H */
