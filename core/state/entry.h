/* One entry of a context: immutable, counted, an item of the context's tree.
 *
 * Small values lie in the entry itself, beside its key, so that reading one touches
 * one piece of memory; larger ones are made of chunks that values share.
 *
 * Threads: any number may hold references. */

#ifndef CX_STATE_ENTRY_H
#define CX_STATE_ENTRY_H

#include <stdbool.h>

#include "core/tree/tree.h"
#include "core/tree/value.h"

struct cx_entry {
    struct cx_tree_item item; /* `extra`: the size of the content type. */
    uint64_t version;         /* Of the context, when this value was set. */
    struct cx_value *value;   /* NULL: the value is inline. */
    uint32_t inline_size;
    uint8_t bytes[]; /* The key, the content type, the inline value. */
};

extern const struct cx_tree_class cx_entry_class;

/* What a new entry consists of. Its value is the first `kept` bytes of `old`'s, then
 * `added`. All borrowed. */
struct cx_entry_parts {
    struct cx_bytes key;
    struct cx_bytes content_type;
    uint64_t version;
    const struct cx_entry *old; /* NULL while `kept` is 0. */
    uint64_t kept;
    struct cx_bytes added;
};

/* The caller owns a reference of *ret_entry. CX_RESOURCE_EXHAUSTED when out of
 * memory. */
CX_MUST_CHECK enum cx_status cx_entry_new(struct cx_chunk_table *table,
                                          const struct cx_entry_parts *parts,
                                          struct cx_entry **ret_entry);

void cx_entry_unref(struct cx_entry *entry); /* NULL is fine. */

static inline struct cx_entry *cx_entry_of(struct cx_tree_item *item)
{
    return (struct cx_entry *)item; /* Its first member. */
}

/* What an entry holds, borrowed from it. */
struct cx_bytes cx_entry_key(const struct cx_entry *entry);
struct cx_bytes cx_entry_content_type(const struct cx_entry *entry);
uint64_t cx_entry_value_size(const struct cx_entry *entry);

/* The inline value; empty, with NULL data, for one that is made of chunks. */
struct cx_bytes cx_entry_inline_value(const struct cx_entry *entry);

/* Copies the first `size` bytes of the value. */
void cx_entry_read(const struct cx_entry *entry, uint8_t *memory, uint64_t size);

/* How many bytes the value and `bytes` have in common at their beginnings. */
uint64_t cx_entry_common_prefix(const struct cx_entry *entry, struct cx_bytes bytes);

/* Whether the values, which are of one table of chunks, are the same bytes. O(1) but for small
 * ones: of what is made of chunks no byte is looked at. */
bool cx_entry_values_equal(const struct cx_entry *a, const struct cx_entry *b);

/* Bytes of key and value: what counts for Context.size_bytes. NULL is 0. */
uint64_t cx_entry_weight(const struct cx_entry *entry);

/* Continue a digest over an entry, and over a tree of them. */
uint64_t cx_entry_mix(uint64_t digest, const struct cx_entry *entry);
uint64_t cx_entries_mix(uint64_t digest, const struct cx_tree *entries);

#endif /* CX_STATE_ENTRY_H */
