#include "clients/ctxctl/pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/ctxctl/ctl.h"

struct ctl_block {
    struct ctl_block *next;
    max_align_t bytes[];
};

void *ctl_require(void *memory)
{
    if (memory == NULL) {
        fputs("ctxctl: out of memory\n", stderr);
        exit(CTL_FAILED);
    }
    return memory;
}

void *ctl_realloc(void *memory, size_t size)
{
    return ctl_require(realloc(memory, size > 0 ? size : 1));
}

void *ctl_pool_alloc(struct ctl_pool *pool, size_t size)
{
    struct ctl_block *block = ctl_require(calloc(1, sizeof *block + size));

    block->next = pool->blocks;
    pool->blocks = block;
    return block->bytes;
}

char *ctl_pool_text(struct ctl_pool *pool, const void *bytes, size_t size)
{
    char *text = ctl_pool_alloc(pool, size + 1);

    if (size > 0) {
        memcpy(text, bytes, size);
    }
    return text;
}

char *ctl_pool_format(struct ctl_pool *pool, const char *format, ...)
{
    va_list args;
    va_list again;
    char *text;
    int size;

    va_start(args, format);
    va_copy(again, args);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = ctl_pool_alloc(pool, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}

void ctl_pool_done(struct ctl_pool *pool)
{
    while (pool->blocks != NULL) {
        struct ctl_block *next = pool->blocks->next;

        free(pool->blocks);
        pool->blocks = next;
    }
}
