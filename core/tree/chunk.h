/* The pieces of values, held once however many values have them. For the files of
 * this folder alone.
 *
 * A value is a tree of pieces: a chunk of bytes, or a list of pieces one level below.
 * Where a chunk ends depends on the bytes since its beginning alone, and where a list
 * ends on what is in it since its beginning: so two values that agree over a long
 * stretch have its chunks and its lists in common, wherever it lies in them. A value
 * is its topmost piece; equal values are the same piece.
 *
 * What always holds:
 *
 *  (1) No two pieces of a table are equal.
 *  (2) A list holds a reference of each piece in it.
 *  (3) A piece whose last reference is given up is out of the table, under the mutex
 *      of its stripe, before anybody can find it again.
 *
 * Threads: any. */

#ifndef CX_TREE_CHUNK_H
#define CX_TREE_CHUNK_H

#include <stdalign.h>

#include "core/tree/value.h"

enum {
    CX_CHUNK_SIZE_MIN = 160,
    CX_CHUNK_SIZE_MAX = 4096,
    CX_LIST_COUNT_MIN = 4,
    CX_LIST_COUNT_MAX = 64,
};

struct cx_value {
    uint32_t refs;  /* Atomic. Falls to 0 under the stripe's mutex only. */
    uint16_t level; /* 0: a chunk. */
    uint16_t count; /* Of the pieces of a list. */
    uint64_t size;  /* Of the bytes. */
    uint64_t hash;  /* Of the bytes, or of the hashes of the pieces. */
    struct cx_chunk_table *table;
    struct cx_value *next; /* In its bucket. Under the stripe's mutex. */

    alignas(struct cx_value *) uint8_t bytes[]; /* Or `count` pieces. */
};

/* Where one of them begins is the sum of the sizes before it: few, and looked at anyway, while
 * half of what a list takes would be to remember it. */
static inline struct cx_value *const *cx_value_pieces(const struct cx_value *list)
{
    return (struct cx_value *const *)list->bytes;
}

/* The size of the chunk that `bytes` begin with, at most all. More bytes behind them
 * change it only when it is all of them. */
size_t cx_chunk_cut(const struct cx_chunk_table *table, struct cx_bytes bytes);

/* How many of the pieces, of which there is at least one, are in the list that they
 * begin with. */
size_t cx_list_cut(struct cx_value *const *pieces, size_t count);

/* The chunk of these bytes, or the list of these pieces, with a reference for the
 * caller. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_chunk_intern(struct cx_chunk_table *table, struct cx_bytes bytes,
                                             struct cx_value **ret_chunk);
CX_MUST_CHECK enum cx_status cx_list_intern(struct cx_chunk_table *table,
                                            struct cx_value *const *pieces, size_t count,
                                            struct cx_value **ret_list);

#endif /* CX_TREE_CHUNK_H */
