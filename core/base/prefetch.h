/* Asking for memory before it is needed, so that it comes from afar while something else
 * is done. Changes nothing; the address may be any, NULL included. */

#ifndef CX_BASE_PREFETCH_H
#define CX_BASE_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

enum { CX_CACHE_LINE = 64 };

/* Asks for the lines that hold `size` bytes from `memory` on. */
static inline void cx_prefetch(const void *memory, size_t size)
{
    uintptr_t at = (uintptr_t)memory; /* A number: it may point at nothing. */

    for (uintptr_t offset = 0; offset < size; offset += CX_CACHE_LINE) {
        __builtin_prefetch((const void *)(at + offset));
    }
    __builtin_prefetch((const void *)(at + size - 1));
}

#endif /* CX_BASE_PREFETCH_H */
