/* The row of a file that was touched: immutable but for its time, counted, an item of the
 * context's files.
 *
 * Threads: any number may hold references. */

#ifndef CX_STATE_FILE_H
#define CX_STATE_FILE_H

#include "core/state/tracking.h"
#include "core/tree/tree.h"

struct cx_file_row {
    struct cx_tree_item item; /* The key: the path. `extra`: the operation's size. */
    int64_t time_us;          /* Of the last operation. Set when it is applied; 0 before. */
    uint64_t operation_count;
    uint16_t source_size;
    uint8_t bytes[]; /* Path, operation, source. */
};

extern const struct cx_tree_class cx_file_class;

static inline struct cx_file_row *cx_file_of(struct cx_tree_item *item)
{
    return (struct cx_file_row *)item; /* Its first member. */
}

/* Makes the row that follows `before` (NULL: there was none). The caller owns a
 * reference. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_file_new(const struct cx_file_operation *operation,
                                         const struct cx_file_row *before,
                                         struct cx_file_row **ret_file);

/* What it says, borrowed from it. */
void cx_file_view(const struct cx_file_row *file, struct cx_file_view *ret_view);

/* Fills a page, whose `files` is set, with what the query asks for.
 * CX_RESOURCE_EXHAUSTED when out of memory. O(log n + rows). */
CX_MUST_CHECK enum cx_status cx_file_list(const struct cx_tracked_query *query,
                                          struct cx_file_page *page);

/* Continues a digest over it. */
uint64_t cx_file_mix(uint64_t digest, const struct cx_file_row *file);

#endif /* CX_STATE_FILE_H */
