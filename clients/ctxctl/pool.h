/* Memory that is released all at once. Out of memory ends the process with a message:
 * a command line tool has nothing better to do.
 * Threads: a pool belongs to one. */

#ifndef CTL_POOL_H
#define CTL_POOL_H

#include <stddef.h>

struct ctl_pool {
    struct ctl_block *blocks; /* NULL while empty, so that a zeroed pool is ready. */
};

/* Zeroed memory that lives as long as the pool. */
void *ctl_pool_alloc(struct ctl_pool *pool, size_t size);

/* A copy of the bytes, with a NUL behind them. */
char *ctl_pool_text(struct ctl_pool *pool, const void *bytes, size_t size);

/* A text made by a format. */
char *ctl_pool_format(struct ctl_pool *pool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Releases everything; the pool is empty again. */
void ctl_pool_done(struct ctl_pool *pool);

/* Returns what was allocated elsewhere, unless it is NULL. */
void *ctl_require(void *memory);

/* Resizes memory of its own, as realloc() does. */
void *ctl_realloc(void *memory, size_t size);

#endif /* CTL_POOL_H */
