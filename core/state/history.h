/* Looking at histories: trees of activities by sequence, whose times never go back.
 *
 * What always holds:
 *
 *  (1) Nothing here changes a history.
 *
 * Threads: a history that is a copy needs no lock; else the lock of its context. */

#ifndef CX_STATE_HISTORY_H
#define CX_STATE_HISTORY_H

#include "core/state/activity.h"

/* A run of sequences, both ends included. */
struct cx_run {
    uint64_t first;
    uint64_t last;
};

/* Some runs, in rising order, apart from each other. */
struct cx_run_list {
    const struct cx_run *items;
    size_t count;
};

/* The sequence of the first activity at `time_us` or later; UINT64_MAX when there is
 * none. O(log n * log n). */
uint64_t cx_history_find_time(const struct cx_tree *history, int64_t time_us);

/* The beginning of what there is within a run: at most `count_max` activities, from the first
 * to the last of which *ret_run goes. Returns how many; *ret_more whether there are more
 * within. O(log n + count). */
uint64_t cx_history_take(const struct cx_tree *history, const struct cx_run *within,
                         uint64_t count_max, struct cx_run *ret_run, bool *ret_more);

/* Fills a page, whose `history` is set, with what the query asks for: its rows are made, and
 * it can be released whatever comes. Looks at up to CX_PAGE_ROWS_MAX activities.
 * CX_RESOURCE_EXHAUSTED when out of memory. O(log n + rows looked at); O(log n * log n) for
 * the times. */
CX_MUST_CHECK enum cx_status cx_history_list(const struct cx_activity_query *query,
                                             struct cx_activity_page *page);

/* What an optimize is to drop. Released with cx_history_cut_done(). */
struct cx_history_cut {
    struct cx_run *runs; /* In rising order; neighbours are one run. */
    size_t count;
    struct cx_optimize_result result;
};

/* Works out what an optimize drops: see OptimizeHistory in tracker.proto. What lies between
 * two dropped activities and is not in the history any more counts as dropped, so that
 * runs are as long as they can be. On success the caller owns *ret_cut.
 * CX_RESOURCE_EXHAUSTED when out of memory. O(activities). */
CX_MUST_CHECK enum cx_status cx_history_optimize(const struct cx_tree *history,
                                                 const struct cx_optimize_request *request,
                                                 struct cx_history_cut *ret_cut);

void cx_history_cut_done(struct cx_history_cut *cut); /* Safe on a zeroed one. */

#endif /* CX_STATE_HISTORY_H */
