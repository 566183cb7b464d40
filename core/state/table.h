/* The contexts of one shard by name: a hash table with open addressing.
 *
 * Threads: belongs to the shard's lock. */

#ifndef CX_STATE_TABLE_H
#define CX_STATE_TABLE_H

#include "core/base/limits.h"
#include "core/state/request.h"

struct cx_context;

/* A name made ready for look-ups: the key of a context, and its hash. */
struct cx_name_key {
    uint64_t hash;
    unsigned shard; /* Where the context lives. */
    size_t size;
    uint8_t bytes[CX_NAMESPACE_SIZE_MAX + 1 + CX_CONTEXT_ID_SIZE_MAX]; /* Namespace, NUL, id. */
};

/* The shard of a name of this hash. The table uses the low bits. */
static inline unsigned cx_name_shard(uint64_t hash)
{
    return (unsigned)(hash >> 58);
}

/* The lowest hash of the names of a shard. */
static inline uint64_t cx_name_shard_begin(unsigned shard)
{
    return (uint64_t)shard << 58;
}

/* Makes the key of a context of these names. */
void cx_name_key_init(struct cx_name_key *key, struct cx_bytes namespace_id, struct cx_bytes id);

/* Zeroed: empty. Released with cx_table_done(). */
struct cx_table {
    struct cx_table_slot *slots;
    size_t capacity; /* A power of two, or 0. */
    size_t count;
};

/* The context of this name, or NULL. O(1). */
struct cx_context *cx_table_find(const struct cx_table *table, const struct cx_name_key *key);

/* Brings the place of a hash into the cache. */
void cx_table_prefetch(const struct cx_table *table, uint64_t hash);

/* A context whose name may have this hash, without a look at the name: it may be
 * another one. NULL when there is none. */
struct cx_context *cx_table_peek(const struct cx_table *table, uint64_t hash);

/* Makes room for `count` more. CX_RESOURCE_EXHAUSTED when out of memory. Amortized
 * O(1). */
CX_MUST_CHECK enum cx_status cx_table_reserve(struct cx_table *table, size_t count);

/* Adds a context whose name is not there; room was reserved. The table holds no
 * reference of its own. */
void cx_table_add(struct cx_table *table, struct cx_context *context, uint64_t hash);

/* Removes a context that is there. O(1). */
void cx_table_remove(struct cx_table *table, const struct cx_context *context, uint64_t hash);

/* The context at a place from 0 to `capacity`, or NULL: to visit all. */
struct cx_context *cx_table_at(const struct cx_table *table, size_t place);

void cx_table_done(struct cx_table *table);

#endif /* CX_STATE_TABLE_H */
