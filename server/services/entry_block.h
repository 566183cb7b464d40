/* The entries of a response: measured first, then made in one piece of memory.
 *
 *   measure: cx_entry_measure_add() for each entry
 *   make:    cx_entry_block_init(), then cx_entry_block_add() for the same entries
 *
 * What always holds:
 *
 *  (1) Values that lie in one piece are borrowed from the snapshot; keys and content
 *      types, which need a NUL, and values made of chunks are copied.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_ENTRY_BLOCK_H
#define CX_SERVICES_ENTRY_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/state/snapshot.h"
#include "server/services/allocator.h"
#include "server/services/convert_request.h"
#include "server/services/messages.h"

/* Zeroed: nothing. */
struct cx_entry_measure {
    size_t count;
    uint64_t copied_size; /* Bytes that the block copies. */
    uint64_t packed_size; /* What the entries add to a packed message. */
};

void cx_entry_measure_add(struct cx_entry_measure *measure, const struct cx_entry_view *entry,
                          bool with_value);

struct cx_entry_block {
    Entry **messages; /* `count` of them. */
    size_t count;
    bool with_values;
    Entry *next;
    uint8_t *bytes; /* Room for what is copied. */
};

/* False when out of memory. */
CX_MUST_CHECK bool cx_entry_block_init(struct cx_entry_block *ret_block,
                                       const struct cx_allocator *allocator,
                                       const struct cx_entry_measure *measure, bool with_values);

/* Adds an entry that was measured. */
void cx_entry_block_add(struct cx_entry_block *block, const struct cx_entry_view *entry);

/* The entries of a snapshot that a get asked for, in the order of their keys. */
struct cx_entry_picker {
    const struct cx_snapshot *snapshot;
    const struct cx_get_query *query;
    size_t key_index;
    bool walk_done;
    struct cx_entry_walk walk;
};

void cx_entry_picker_init(struct cx_entry_picker *ret_picker, const struct cx_snapshot *snapshot,
                          const struct cx_get_query *query);

/* The next entry, borrowed from the snapshot. False at the end. */
bool cx_entry_picker_next(struct cx_entry_picker *picker, struct cx_entry_view *ret_entry);

#endif /* CX_SERVICES_ENTRY_BLOCK_H */
