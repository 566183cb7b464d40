/* import: JSON lines in, over one stream with many updates in flight.
 *
 * Lines become jobs (import_job.h). Jobs take turns in the order of their lines, each
 * with all its steps, as far as the window allows (import_pipe.h). A job that was refused
 * waits until none of its steps is in flight, and is then settled: sent again, read back,
 * or told to people. A problem ends the reading: the lines before it are finished,
 * those behind it stay as they are. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/import_job.h"
#include "clients/ctxctl/import_pipe.h"
#include "clients/ctxctl/import_reader.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/progress.h"
#include "clients/ctxctl/timing.h"

enum {
    JOBS_MAX = 256,
    JOB_BYTES_MAX = 64 * 1024 * 1024,
    ROUNDS_MAX = 10,
    WAIT_MS = 1000,
};

struct import {
    struct ctl *ctl;
    struct ctl_lines lines;
    struct ctl_pipe pipe;
    bool ended;              /* There are no more lines. */
    struct ctl_job *waiting; /* Read, but not begun: see job_may_begin(). */

    /* The jobs under way, in the order of the lines. */
    struct ctl_job *jobs;
    size_t job_count;
    size_t job_bytes;

    /* How it goes. */
    bool stopped;
    uint64_t stopped_at; /* The lines from this one on are left. */
    enum ctl_exit exit;
    uint64_t context_count;
    uint64_t create_count;    /* Of contexts without entries. */
    uint64_t unchanged_count; /* Contexts that were there already. */
    struct ctl_progress progress;
};

/* ---- Problems. ------------------------------------------------------------- */

/* Stops before the line of this order. Returns whether that is to be told: not where an
 * earlier line has stopped the import before. */
static bool import_stop(struct import *import, uint64_t at, enum ctl_exit exit)
{
    if (import->stopped && import->stopped_at <= at) {
        return false;
    }
    import->stopped = true;
    import->stopped_at = at;
    import->exit = exit;
    ctl_progress_end(&import->progress);
    return true;
}

static void stop_at_line(struct import *import, const char *path, uint64_t number, uint64_t order,
                         enum ctl_exit exit, const char *problem)
{
    if (import_stop(import, order, exit)) {
        ctl_complain(import->ctl, exit,
                     "%s:%" PRIu64 ": %s. The lines before it are imported; once this one is "
                     "right, the same import goes on with it",
                     path, number, problem);
    }
}

static void stop_at_job(struct import *import, const struct ctl_job *job,
                        const struct cxc_error *error)
{
    if (import_stop(import, job->order, ctl_error_exit(error))) {
        ctl_fail(import->ctl, error, "%s:%" PRIu64 ": cannot import %s", job->file, job->number,
                 job->line.id);
    }
}

static void stop_at_connection(struct import *import, const struct cxc_error *error)
{
    if (import_stop(import, 0, ctl_error_exit(error))) {
        ctl_fail(import->ctl, error, "the import was cut off; the same import goes on there");
    }
}

/* ---- Reading. -------------------------------------------------------------- */

static int64_t time_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The next line as a job; NULL at the end, at a problem and before it is there. */
static struct ctl_job *job_read(struct import *import)
{
    struct ctl_lines *lines = &import->lines;
    char problem[CTL_PROBLEM_SIZE];
    struct ctl_line line;
    struct ctl_job *job;

    switch (ctl_lines_next(lines, problem)) {
    case CTL_LINES_WAIT:
        return NULL;
    case CTL_LINES_END:
        import->ended = true;
        return NULL;
    case CTL_LINES_FAILED:
        if (import_stop(import, UINT64_MAX, CTL_INPUT)) {
            ctl_complain(import->ctl, CTL_INPUT, "%s", problem);
        }
        return NULL;
    default:
        break;
    }
    if (!ctl_line_parse(lines->text, lines->size, &line, problem)) {
        stop_at_line(import, lines->path, lines->number, lines->order, CTL_INPUT, problem);
        ctl_line_done(&line);
        return NULL;
    }
    job = ctl_job_new(&line, time_ms());
    job->file = lines->path;
    job->number = lines->number;
    job->order = lines->order;
    if (job->ttl_ms < 0) {
        stop_at_line(import, job->file, job->number, job->order, CTL_INPUT,
                     "its expire_time has passed");
        ctl_job_free(job);
        return NULL;
    }
    return job;
}

static bool job_may_begin(const struct import *import, const struct ctl_job *job)
{
    if (import->job_count == JOBS_MAX || import->job_bytes > JOB_BYTES_MAX) {
        return false;
    }
    for (const struct ctl_job *other = import->jobs; other != NULL; other = other->next) {
        if (strcmp(other->line.id, job->line.id) == 0 ||
            strcmp(other->line.id, job->line.parent_id) == 0) {
            return false; /* The same context, or the parent, is not complete yet. */
        }
    }
    return true;
}

static void import_fill(struct import *import)
{
    struct ctl_job **last = &import->jobs;

    while (*last != NULL) {
        last = &(*last)->next;
    }
    while (!import->stopped && !import->ended) {
        if (import->waiting == NULL) {
            import->waiting = job_read(import);
        }
        if (import->waiting == NULL || !job_may_begin(import, import->waiting)) {
            return;
        }
        *last = import->waiting;
        import->waiting = NULL;
        import->job_count++;
        import->job_bytes += (*last)->line.text_size;
        last = &(*last)->next;
    }
}

/* ---- Jobs. ----------------------------------------------------------------- */

static bool job_is_left(const struct import *import, const struct ctl_job *job)
{
    return import->stopped && job->order >= import->stopped_at;
}

static void import_send(struct import *import)
{
    int64_t now_us = ctl_now_us();

    for (struct ctl_job *job = import->jobs; job != NULL; job = job->next) {
        while (ctl_job_may_send(job) && job->not_before_us <= now_us && !job_is_left(import, job) &&
               !ctl_pipe_is_full(&import->pipe)) {
            ctl_pipe_send(&import->pipe, job);
        }
    }
    ctl_pipe_flush(&import->pipe);
}

/* ---- Settling. ------------------------------------------------------------- */

static bool is_conflict(const struct cxc_error *error)
{
    static const char *const reasons[] = {"VERSION_CONFLICT", "ENTRY_CONFLICT", "CONTEXT_EXISTS",
                                          "CONTEXT_NOT_FOUND", "HEAD_MOVED"};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(error->reason, reasons[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Compares with what is there. Whoever else writes to the context can make it
 * necessary again, but not for ever. */
static void job_read_back(struct import *import, struct ctl_job *job)
{
    char problem[CTL_PROBLEM_SIZE];
    struct cxc_error error;

    if (job->rounds++ == ROUNDS_MAX) {
        stop_at_line(import, job->file, job->number, job->order, CTL_REFUSED,
                     "somebody else keeps changing this context");
        return;
    }
    switch (ctl_job_read_back(import->ctl, job, problem, &error)) {
    case CTL_READ_BACK:
        ctl_pipe_advance(&import->pipe);
        break;
    case CTL_READ_BACK_DIFFERENT:
        stop_at_line(import, job->file, job->number, job->order, CTL_REFUSED, problem);
        break;
    case CTL_READ_BACK_FAILED:
        stop_at_job(import, job, &error);
        break;
    }
}

/* Decides about a job that was refused. */
static void job_settle(struct import *import, struct ctl_job *job)
{
    int64_t now_us = ctl_now_us();

    if (is_conflict(&job->error)) {
        job_read_back(import, job);
    } else if (cxc_error_is_transient(&job->error)) {
        int64_t wait = ctl_pipe_trouble(&import->pipe, &job->error);

        if (wait < 0) {
            stop_at_job(import, job, &job->error);
            return;
        }
        job->failed = false;
        job->sent = job->acked;
        job->not_before_us = now_us + wait * 1000;
    } else {
        stop_at_job(import, job, &job->error);
    }
}

/* A context without entries takes a call of its own. */
static void job_create(struct import *import, struct ctl_job *job)
{
    if (ctl_job_create(import->ctl, job, &job->error) != CXC_OK) {
        job->failed = true;
        return;
    }
    ctl_pipe_advance(&import->pipe);
    import->create_count += job->replayed ? 0 : 1;
    job->changed = job->changed || !job->replayed;
}

/* Moves a job on as far as it goes without the stream. Returns whether it is over. */
static bool job_advance(struct import *import, struct ctl_job *job)
{
    if (job->in_flight > 0 || job->not_before_us > ctl_now_us()) {
        return false;
    }
    if (job_is_left(import, job)) {
        return true;
    }
    if (job->step_count == 0 && !job->created && !job->failed) {
        job_create(import, job);
    }
    if (job->failed) {
        job_settle(import, job);
    } else if (ctl_job_needs_reading(job)) {
        job_read_back(import, job);
    }
    if (job_is_left(import, job)) {
        return true;
    }
    if (!ctl_job_is_done(job) || job->replayed) {
        return false;
    }
    import->context_count++;
    import->unchanged_count += job->changed ? 0 : 1;
    return true;
}

static void import_advance(struct import *import)
{
    struct ctl_job **link = &import->jobs;

    while (*link != NULL) {
        struct ctl_job *job = *link;

        if (!job_advance(import, job)) {
            link = &job->next;
            continue;
        }
        *link = job->next;
        import->job_count--;
        import->job_bytes -= job->line.text_size;
        ctl_job_free(job);
    }
}

/* ---- The whole. ------------------------------------------------------------ */

static bool is_over(const struct import *import)
{
    return import->jobs == NULL && (import->stopped || (import->ended && import->waiting == NULL));
}

static void import_run(struct import *import)
{
    for (;;) {
        import_fill(import);
        import_advance(import);
        if (is_over(import)) {
            return;
        }
        if (import->jobs == NULL) {
            ctl_lines_wait(&import->lines, WAIT_MS);
            continue;
        }
        import_send(import);
        ctl_pipe_poll(&import->pipe);
        if (import->pipe.broken) {
            stop_at_connection(import, &import->pipe.error);
        }
        ctl_progress_update(&import->progress, import->lines.bytes, import->pipe.update_count);
    }
}

static void print_totals(const struct import *import, double seconds)
{
    uint64_t update_count = import->pipe.update_count + import->create_count;

    if (import->ctl->json) {
        ctl_json_print(json_pack("{s:I, s:I, s:I}", "contexts", (json_int_t)import->context_count,
                                 "unchanged", (json_int_t)import->unchanged_count, "updates",
                                 (json_int_t)update_count),
                       stdout);
        return;
    }
    printf("%" PRIu64 " context%s imported with %" PRIu64 " update%s in %.1f s",
           import->context_count, import->context_count == 1 ? "" : "s", update_count,
           update_count == 1 ? "" : "s", seconds);
    if (import->unchanged_count > 0) {
        printf("; %" PRIu64 " %s there already", import->unchanged_count,
               import->unchanged_count == 1 ? "was" : "were");
    }
    putchar('\n');
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args)
{
    static char *only_stdin[] = {"-"};
    struct import *import = ctl_pool_alloc(&ctl->pool, sizeof *import);
    int64_t begin_us = ctl_now_us();

    import->ctl = ctl;
    ctl_pipe_init(&import->pipe, ctl);
    if (args->operand_count > 0) {
        ctl_lines_init(&import->lines, args->operands, args->operand_count);
    } else {
        ctl_lines_init(&import->lines, only_stdin, 1);
    }
    ctl_progress_begin(&import->progress, ctl, "updates", ctl_lines_total(&import->lines));
    import_run(import);
    ctl_pipe_close(&import->pipe);
    ctl_job_free(import->waiting);
    ctl_lines_done(&import->lines);
    ctl_progress_end(&import->progress);
    print_totals(import, (double)(ctl_now_us() - begin_us) / 1e6);
    return import->exit;
}

const struct ctl_command ctl_import = {
    .name = "import",
    .operands = "[FILE...]",
    .operand_max = SIZE_MAX,
    .summary = "make contexts from JSON lines",
    .description =
        "Reads files of JSON lines, or stdin, and makes a context of each line:\n\n"
        "  {\"id\": \"trip-42\", \"user\": \"ada\", \"messages\": [{\"role\": \"user\", ...}, "
        "...]}\n"
        "  {\"id\": \"trip-42\", \"metadata\": {\"user\": \"ada\"}, \"entries\": {\"goal\": "
        "\"...\"}}\n\n"
        "Each message becomes one update that puts its exact bytes under messages/00000001 and\n"
        "so on. `type`, `parent_id` and `expire_time` mean what they are called; every other\n"
        "text, number, true, false or null becomes a label. In `entries`, a text stands for its\n"
        "bytes, {\"base64\": \"...\"} for any bytes, {\"text\": \"...\", \"content_type\": "
        "\"...\"} for a text\n"
        "with a content type, and any other JSON for its own exact bytes.\n\n"
        "An import may be repeated, also after it was cut off: what is there already is left as\n"
        "it is, and nothing is done twice. A context that is there with other content ends the\n"
        "import. So does the first line that is wrong; the lines before it are imported.\n",
    .examples = "  ctxctl import conversations.jsonl\n"
                "  zcat backup.jsonl.gz | ctxctl import --namespace restored\n"
                "  ctxctl export -n old | ctxctl import -n new\n",
    .run = run,
};
