/* Opening a log: what is there, what is whole, and what to do about the rest. The
 * rules and their reasons are in docs/disk-format.md, "Recovery".
 *
 * What always holds:
 *
 *  (1) Nothing on the disk is changed before all of the log was read and judged.
 *  (2) A damaged log stays as it is, unless the options accept the loss.
 *
 * Threads: the one that opens the log. */

#ifndef CX_LOG_WAL_RECOVERY_H
#define CX_LOG_WAL_RECOVERY_H

#include "core/log/segment.h"
#include "core/log/wal.h"
#include "core/log/wal_milestones.h"

/* Where the log cannot be read on, though it goes on. */
struct cx_wal_damage {
    uint64_t number;  /* Of the segment. */
    uint64_t offset;  /* In it. 0: its header, or the file itself. */
    const char *what; /* A literal; NULL: there is no damage. */
};

/* What lies behind some offset of a segment. */
struct cx_wal_rest {
    uint64_t end;          /* Behind the last byte that is not zero. 0: all are. */
    uint64_t proven;       /* The largest durable_upto of a valid record. */
    uint64_t record;       /* The offset of the first valid record. 0: there is none. */
    uint64_t revision_min; /* Of the valid data records. 0: there is none. */
    uint64_t revision_max;
};

struct cx_recovery {
    const struct cx_wal_options *options;
    struct cx_error *error; /* Set by whatever fails. */
    struct cx_wal_report report;

    /* The segments by number. `size` is 0 where the header is bad; `file` is open from
     * the current one on, in the end. */
    struct cx_segment *segments;
    size_t segment_count;
    size_t segment_capacity;

    /* What else the directory holds. */
    uint64_t *leftovers; /* Numbers of new-<number>. */
    size_t leftover_count;
    size_t leftover_capacity;
    uint64_t accept_number; /* Of accept-<number>. 0: there is none. */
    uint64_t lost_epoch;    /* The largest in lost-<epoch>-<number>. */
    enum cx_status listing; /* Why a name could not be taken in. */

    /* The walk along the records. */
    struct cx_window window;
    struct cx_window probe;  /* For frames that may be none. */
    struct cx_wal_tail tail; /* Of what it has passed. */
    struct cx_milestones milestones;
    size_t tail_index;       /* The segment where it ended, */
    uint64_t tail_offset;    /* and where in it: the next frame goes there. */
    uint64_t proven;         /* The largest revision that is known to be durable. */
    struct cx_wal_rest rest; /* What lies behind. */
    struct cx_wal_damage damage;
};

/* Recovers the log. On success the recovery's fields say where to go on; on failure
 * *error is set, and the status is that of cx_wal_open(). */
CX_MUST_CHECK enum cx_status cx_recovery_run(struct cx_recovery *recovery);

/* Releases what is left. */
void cx_recovery_done(struct cx_recovery *recovery);

/* Sets the error for a disk that refused to `verb` the file `name`, and returns the
 * status for the caller. */
enum cx_status cx_wal_disk_error(struct cx_error *error, enum cx_status status, const char *verb,
                                 const char *name);

/* Adds an undescribed segment in the order of numbers. */
CX_MUST_CHECK enum cx_status cx_recovery_add_segment(struct cx_recovery *recovery, uint64_t number);

/* Fills recovery's lists from the directory, and the segments' headers. */
CX_MUST_CHECK enum cx_status cx_recovery_list(struct cx_recovery *recovery);

/* Looks at all that lies behind `offset` of a segment whose file is open. */
CX_MUST_CHECK enum cx_status cx_recovery_look(struct cx_recovery *recovery,
                                              const struct cx_segment *segment, uint64_t offset,
                                              struct cx_wal_rest *ret_rest);

/* Sets the error for recovery->damage. Returns CX_DATA_LOSS. */
enum cx_status cx_recovery_refuse(struct cx_recovery *recovery);

/* Sets everything aside from recovery->damage on, for good, and tells the report. */
CX_MUST_CHECK enum cx_status cx_recovery_accept(struct cx_recovery *recovery);

/* Ends a setting aside that was interrupted: there is an accept-<number>. */
CX_MUST_CHECK enum cx_status cx_recovery_accept_finish(struct cx_recovery *recovery);

#endif /* CX_LOG_WAL_RECOVERY_H */
