/* Milestones: known places in the log, so that a reading from the middle does not walk
 * along a segment, and what is too old is found without reading.
 *
 * What always holds:
 *
 *  (1) They stand in the order of the log, and what they say is true. They may be missing:
 *      where there was no memory for one, or in (3).
 *  (2) The first record of a segment has one; so has the first that begins at least
 *      CX_MILESTONE_BYTES of records behind the last, and the first that is at least
 *      CX_MILESTONE_TIME_US later than the last, for logs that grow slowly.
 *  (3) Those that only time has asked for are left out while there are more milestones than
 *      CX_MILESTONES_FREE and one for each CX_MILESTONE_BYTES_MIN of records: so that they
 *      take a few percent of the log's size at most.
 *
 * Threads: none of its own; see wal_internal.h. */

#ifndef CX_LOG_WAL_MILESTONES_H
#define CX_LOG_WAL_MILESTONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/limits.h"
#include "core/log/record.h"

#define CX_MILESTONE_BYTES (64 * CX_KIB)
#define CX_MILESTONE_BYTES_MIN (2 * CX_KIB)
#define CX_MILESTONE_TIME_US CX_SECOND_US

enum { CX_MILESTONES_FREE = 4096 };

/* How far a log goes: to its last record. Zeroed, there is none. */
struct cx_wal_tail {
    struct cx_log_position position;
    int64_t time_us; /* When it was made. */
    uint64_t bytes;  /* Of the frames of all records. */
};

/* One record, named by what was the tail before it. */
struct cx_milestone {
    struct cx_wal_tail before;
    uint64_t offset; /* Where its frame begins in its segment. */
};

/* Zeroed, there are none. */
struct cx_milestones {
    struct cx_milestone *items; /* Owned. */
    size_t count;
    size_t capacity;
    int64_t time_us; /* Of the last one's record. */
};

/* The revision of the milestone's record. */
static inline uint64_t cx_milestone_revision(const struct cx_milestone *milestone)
{
    return milestone->before.position.revision + 1;
}

/* Makes `record`, a whole data record, the tail. */
void cx_wal_tail_move(struct cx_wal_tail *tail, const struct cx_record *record);

/* Whether `record`, which follows `tail` in a segment whose first revision is `first`, is
 * to be a milestone. */
bool cx_milestones_due(const struct cx_milestones *milestones, uint64_t first,
                       const struct cx_wal_tail *tail, const struct cx_record *record);

/* Adds the milestone of `record`, which follows `tail` at `offset` of its segment. Without
 * memory it is left out, and the next record is due instead. O(1) on average. */
void cx_milestones_add(struct cx_milestones *milestones, const struct cx_wal_tail *tail,
                       const struct cx_record *record, uint64_t offset);

/* Whether a milestone has a property that all before it have too. */
typedef bool (*cx_milestone_test)(const void *arg, const struct cx_milestone *milestone);

/* The last milestone that passes; NULL when none does. O(log count). */
const struct cx_milestone *cx_milestones_last(const struct cx_milestones *milestones,
                                              cx_milestone_test passes, const void *arg);

void cx_milestones_done(struct cx_milestones *milestones);

#endif /* CX_LOG_WAL_MILESTONES_H */
