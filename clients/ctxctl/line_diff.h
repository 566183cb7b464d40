/* Which lines of two texts differ.
 *
 * What always holds:
 *
 *  (1) The parts between the changes are the same in both texts, line by line.
 *  (2) With few changes they are as few lines as can be: Myers, "An O(ND) Difference
 *      Algorithm and Its Variations" (1986). Texts that differ in more than
 *      CTL_DIFF_LINES_MAX lines, or need more than CTL_DIFF_STEPS_MAX comparisons, are
 *      told as one change instead, but for what they begin and end with alike.
 *
 * Threads: one. */

#ifndef CTL_LINE_DIFF_H
#define CTL_LINE_DIFF_H

#include "clients/ctxctl/pool.h"
#include "clients/ctxctl/request.h"

enum {
    CTL_DIFF_LINES_MAX = 1000,
    CTL_DIFF_STEPS_MAX = 100 * 1000 * 1000,
};

/* Some lines of a text. */
struct ctl_line_range {
    size_t first; /* From 0. */
    size_t count;
};

/* Lines that were taken out, and those that came in their place; not both are none. */
struct ctl_line_change {
    struct ctl_line_range before;
    struct ctl_line_range after;
};

struct ctl_lines {
    struct ctl_bytes *items; /* Without their ends; borrowed from the text. */
    size_t count;
    bool ends; /* The last one too has an end. */
};

struct ctl_line_diff {
    struct ctl_lines before;
    struct ctl_lines after;
    struct ctl_line_change *changes; /* In order, with the same lines between them. */
    size_t change_count;
};

/* Compares two texts. That only one of them ends with an end of line makes no change: see
 * ctl_lines.ends. Everything is of the pool. */
void ctl_lines_compare(struct ctl_pool *pool, struct ctl_bytes before, struct ctl_bytes after,
                       struct ctl_line_diff *ret_diff);

#endif /* CTL_LINE_DIFF_H */
