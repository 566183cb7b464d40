/* What is left to do for one line of an import: a chain of updates.
 *
 * A step is one update; each message of a conversation is one. The first creates the
 * context and requires that there is none. Each of the others requires the version that
 * the one before it made, and that the entry which that one set is of that version. So
 * the steps of a context can all be in flight at once and still come true in order or not
 * at all: whatever stops one stops those behind it, and a context holds the first n
 * messages of its conversation, never others.
 *
 * The request id of a step is made of the request itself: of namespace, id, index, bytes
 * and the version it requires. Whoever sends the same step again, even another process,
 * repeats the same request.
 *
 * A chain needs an anchor: a state of which it is known that all of it is right. That is
 * the first step, when it was made just now, or else the context as it was read back and
 * compared. Only then are the other steps sent. What is there with the same bytes is done,
 * what is missing is chained to the version that was read, and what is there with other
 * bytes is a problem for people, before anything was changed. That is also how an import
 * that was cut off goes on, however long ago it was. */

#ifndef CTL_IMPORT_JOB_H
#define CTL_IMPORT_JOB_H

#include "clients/ctxctl/import_line.h"

enum {
    CTL_STEP_PUTS_MAX = 1000,
    CTL_STEP_BYTES_MAX = 1024 * 1024,
};

struct ctl_job {
    struct ctl_line line; /* Owned. */
    const char *file;
    uint64_t number;             /* Of the line in the file. */
    uint64_t order;              /* Of the line among all that were read. */
    const struct ctl_put **left; /* The puts that the context does not have yet. */
    size_t left_count;
    size_t *step_ends; /* Step i ends before left[step_ends[i]]. */
    size_t step_count;
    int64_t ttl_ms;   /* From the moment the line was read. 0: none. */
    uint64_t version; /* That the first step requires; 0: the context does not exist. */
    uint64_t salt;    /* The last version of a context that was deleted before: without it
                         the server would take the steps for repeats of those before. */

    /* Where it stands. */
    size_t sent;
    size_t acked;
    size_t in_flight; /* Steps that were sent and not answered. */
    bool created;     /* Where there are no steps: the context is there. */
    bool anchored;    /* What the next step builds on is known to be right. */
    bool replayed;    /* A step was answered from memory: look what is there. */
    bool changed;     /* Something of it was not there before. */
    bool failed;      /* A step was refused, as `error` says. */
    struct cxc_error error;
    int64_t not_before_us; /* When it may go on. */
    unsigned rounds;       /* How often it was read back without getting further. */
    struct ctl_job *next;
};

/* Begins a job; takes over the line. `now_ms` is the time since 1970. */
struct ctl_job *ctl_job_new(struct ctl_line *line, int64_t now_ms);
void ctl_job_free(struct ctl_job *job);

/* Whether the next step may be sent: the first one alone, until there is an anchor. */
bool ctl_job_may_send(const struct ctl_job *job);

/* Whether what there is must be looked at before the job goes on, or ends. */
bool ctl_job_needs_reading(const struct ctl_job *job);

/* Whether every step has been answered well. */
bool ctl_job_is_done(const struct ctl_job *job);

/* Makes the update of a step, of the pool; borrows from the job. */
UpdateContextRequest *ctl_job_request(const struct ctl *ctl, const struct ctl_job *job, size_t step,
                                      struct ctl_pool *pool);

/* Creates the context of a job without steps. */
CXC_MUST_CHECK enum cxc_code ctl_job_create(const struct ctl *ctl, struct ctl_job *job,
                                            struct cxc_error *ret_error);

/* What came of reading a context back. */
enum ctl_read_back {
    CTL_READ_BACK,           /* The job has the steps that are left. */
    CTL_READ_BACK_DIFFERENT, /* `problem` says what is there that should not. */
    CTL_READ_BACK_FAILED,    /* The context could not be read. */
};

enum ctl_read_back ctl_job_read_back(const struct ctl *ctl, struct ctl_job *job,
                                     char problem[CTL_PROBLEM_SIZE], struct cxc_error *ret_error);

/* Takes out of the job what the context, with its entries, has already. The part of
 * reading back that does not need a server. */
enum ctl_read_back ctl_job_compare(struct ctl_job *job, const Context *context,
                                   char problem[CTL_PROBLEM_SIZE]);

#endif /* CTL_IMPORT_JOB_H */
