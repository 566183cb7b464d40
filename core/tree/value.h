/* Large values: immutable, counted, and made of chunks that values share.
 *
 * What always holds:
 *
 *  (1) A value that grew by a little, or lost a little at its front, shares nearly
 *      all chunks with the one before it, whether it was appended to or set anew as
 *      a whole: where a chunk ends depends on the bytes around it alone. The lists
 *      of chunks are shared in the same way.
 *  (2) Equal chunks of one table are held once, however many values have them, and
 *      equal values are the same one.
 *  (3) Which chunks are shared never shows: a value is its bytes.
 *
 * Threads: values and the table may be used by any number of threads. */

#ifndef CX_TREE_VALUE_H
#define CX_TREE_VALUE_H

#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

struct cx_chunk_table;
struct cx_value;

/* Creates a table. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_chunk_table_new(struct cx_chunk_table **ret_table);

/* Frees the table, whose values must all be gone. NULL is fine. */
void cx_chunk_table_free(struct cx_chunk_table *table);

/* Makes a value of a copy of `bytes`. The caller owns a reference. Borrows the table
 * for as long as the value lives. CX_RESOURCE_EXHAUSTED when out of memory.
 * O(size): one to two nanoseconds per byte. */
CX_MUST_CHECK enum cx_status cx_value_new(struct cx_chunk_table *table, struct cx_bytes bytes,
                                          struct cx_value **ret_value);

/* Makes the value of the first `kept` bytes of `old` and then `bytes`.
 * O(bytes + chunks): whole chunks of `old` are shared without being read. */
CX_MUST_CHECK enum cx_status cx_value_splice(struct cx_chunk_table *table,
                                             const struct cx_value *old, uint64_t kept,
                                             struct cx_bytes bytes, struct cx_value **ret_value);

struct cx_value *cx_value_ref(struct cx_value *value);
void cx_value_unref(struct cx_value *value); /* NULL is fine. */

/* Its bytes. O(1). */
uint64_t cx_value_size(const struct cx_value *value);

/* The run of bytes in one piece that begins at `offset`, which is below the size.
 * Borrowed for as long as the value lives. O(log chunks). */
struct cx_bytes cx_value_run(const struct cx_value *value, uint64_t offset);

/* Copies the first `size` bytes, of which there are as many. O(size). */
void cx_value_read(const struct cx_value *value, uint8_t *memory, uint64_t size);

/* Continues a digest over the bytes. O(size). */
uint64_t cx_value_mix(uint64_t digest, const struct cx_value *value);

/* How many bytes at their beginnings are the same. O(common bytes). */
uint64_t cx_value_common_prefix(const struct cx_value *value, struct cx_bytes bytes);

#endif /* CX_TREE_VALUE_H */
