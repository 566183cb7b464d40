/* What the directory of a log holds. */

#include <assert.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/log/wal_recovery.h"

enum cx_status cx_wal_disk_error(struct cx_error *error, enum cx_status status, const char *verb,
                                 const char *name)
{
    enum cx_reason reason = status == CX_RESOURCE_EXHAUSTED  ? CX_REASON_STORAGE_FULL
                            : status == CX_PERMISSION_DENIED ? CX_REASON_NOT_READY
                                                             : CX_REASON_STORAGE_FAILED;

    cx_error_set(error, reason, "cannot %s %s in the data directory: %s", verb, name,
                 cx_disk_error_text(status));
    return status == CX_RESOURCE_EXHAUSTED || status == CX_PERMISSION_DENIED ? status
                                                                             : CX_UNAVAILABLE;
}

/* Room for one more element of `size` bytes. */
static bool grow(void **array, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity == 0 ? 8 : 2 * *capacity;
    void *grown;

    if (count < *capacity) {
        return true;
    }
    grown = cx_realloc(*array, wanted * size);
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *capacity = wanted;
    return true;
}

enum cx_status cx_recovery_add_segment(struct cx_recovery *recovery, uint64_t number)
{
    void *array = recovery->segments;
    size_t at = recovery->segment_count;

    if (!grow(&array, at, &recovery->segment_capacity, sizeof *recovery->segments)) {
        return cx_error_out_of_memory(recovery->error);
    }
    recovery->segments = array;
    while (at > 0 && recovery->segments[at - 1].number > number) {
        recovery->segments[at] = recovery->segments[at - 1];
        at--;
    }
    recovery->segments[at] = (struct cx_segment){.number = number};
    recovery->segment_count++;
    return CX_OK;
}

static enum cx_status add_leftover(struct cx_recovery *recovery, uint64_t number)
{
    void *array = recovery->leftovers;

    if (!grow(&array, recovery->leftover_count, &recovery->leftover_capacity,
              sizeof *recovery->leftovers)) {
        return cx_error_out_of_memory(recovery->error);
    }
    recovery->leftovers = array;
    recovery->leftovers[recovery->leftover_count++] = number;
    return CX_OK;
}

/* lost-<epoch>-<number>: set aside, and none of the log's business any more; only that
 * an epoch is never given twice. */
static void note_lost(struct cx_recovery *recovery, const char *name)
{
    static const size_t prefix_size = sizeof "lost-" - 1;
    uint64_t epoch;
    char digits[17];

    if (strncmp(name, "lost-", prefix_size) == 0 && strlen(name) > prefix_size + 16) {
        memcpy(digits, name + prefix_size, 16);
        digits[16] = '\0';
        if (cx_segment_number_parse(digits, &epoch) && epoch > recovery->lost_epoch) {
            recovery->lost_epoch = epoch;
        }
    }
}

/* A file that looks like one of the log but is none: perhaps it was one, and a copy
 * has changed its name. */
static enum cx_status refuse_name(struct cx_recovery *recovery, const char *name)
{
    cx_error_set(recovery->error, CX_REASON_NOT_READY,
                 "the data directory holds %s, which is no name of contextd's: give it back the "
                 "name that it had, or move it away",
                 name);
    return CX_FAILED_PRECONDITION;
}

static enum cx_status take_name(struct cx_recovery *recovery, const char *name)
{
    enum cx_segment_name kind;
    uint64_t number;

    if (!cx_segment_name_parse(name, &kind, &number) || number == 0) {
        note_lost(recovery, name);
        return strncmp(name, "log-", 4) == 0 ? refuse_name(recovery, name) : CX_OK;
    }
    if (kind == CX_SEGMENT_NAME_ACCEPT) {
        recovery->accept_number = number;
        return CX_OK;
    }
    return kind == CX_SEGMENT_NAME_LOG ? cx_recovery_add_segment(recovery, number)
                                       : add_leftover(recovery, number);
}

static void on_name(void *arg, const char *name)
{
    struct cx_recovery *recovery = arg;

    if (recovery->listing == CX_OK) {
        recovery->listing = take_name(recovery, name);
    }
}

/* ---- Headers. --------------------------------------------------------------- */

static enum cx_status refuse_newer(struct cx_recovery *recovery, const char *name)
{
    cx_error_set(recovery->error, CX_REASON_NOT_READY,
                 "%s was written by a newer contextd: this one reads formats up to %d; start the "
                 "newer one",
                 name, CX_SEGMENT_FORMAT);
    return CX_FAILED_PRECONDITION;
}

static enum cx_status refuse_other(struct cx_recovery *recovery, const char *name)
{
    cx_error_set(recovery->error, CX_REASON_NOT_READY,
                 "%s belongs to another log than the files before it: the data directory mixes "
                 "files of two servers; move those of the other one away",
                 name);
    return CX_FAILED_PRECONDITION;
}

/* Takes in what a good header says. */
static enum cx_status take_header(struct cx_recovery *recovery, struct cx_segment *segment,
                                  const struct cx_segment *read, const char *name)
{
    struct cx_log_identity *known = &recovery->report.identity;

    if (known->epoch == 0) {
        *known = read->identity;
    }
    if (memcmp(known->log_id, read->identity.log_id, sizeof known->log_id) != 0) {
        return refuse_other(recovery, name);
    }
    if (read->number != segment->number || read->identity.epoch < known->epoch) {
        return CX_OK; /* Not the file of this name: as good as damaged. */
    }
    known->epoch = read->identity.epoch;
    *segment = *read;
    segment->file = NULL;
    return CX_OK;
}

static enum cx_status read_header(struct cx_recovery *recovery, struct cx_segment *segment)
{
    struct cx_segment read = {0};
    char name[CX_SEGMENT_NAME_SIZE];
    enum cx_segment_header header;
    enum cx_status status;

    cx_segment_name(CX_SEGMENT_NAME_LOG, segment->number, name);
    status = cx_segment_open(&read, recovery->options->disk, name, &header);
    if (status != CX_OK) {
        return cx_wal_disk_error(recovery->error, status, "read", name);
    }
    cx_segment_close(&read);
    switch (header) {
    case CX_SEGMENT_HEADER_NEWER:
        return refuse_newer(recovery, name);
    case CX_SEGMENT_HEADER_GOOD:
        return take_header(recovery, segment, &read, name);
    case CX_SEGMENT_HEADER_BAD:
        break; /* segment->size stays 0. */
    }
    return CX_OK;
}

enum cx_status cx_recovery_list(struct cx_recovery *recovery)
{
    struct cx_disk *disk = recovery->options->disk;
    enum cx_status status;

    recovery->segment_count = 0;
    recovery->leftover_count = 0;
    recovery->accept_number = 0;
    recovery->listing = CX_OK;
    recovery->report.identity = (struct cx_log_identity){0};
    status = disk->ops->list(disk, on_name, recovery);
    if (status != CX_OK) {
        return cx_wal_disk_error(recovery->error, status, "list", "the files");
    }
    status = recovery->listing;
    for (size_t i = 0; i < recovery->segment_count && status == CX_OK; i++) {
        status = read_header(recovery, &recovery->segments[i]);
    }
    return status;
}
