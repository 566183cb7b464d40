#include "core/log/wal_recovery.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/log/wal_internal.h"

static enum cx_status file_error(struct cx_recovery *recovery, enum cx_status status,
                                 const char *verb, const struct cx_segment *segment)
{
    char name[CX_SEGMENT_NAME_SIZE];

    cx_segment_name(CX_SEGMENT_NAME_LOG, segment->number, name);
    return cx_wal_disk_error(recovery->error, status, verb, name);
}

static bool is_zero(const uint8_t *data, size_t size)
{
    static const uint8_t zeros[CX_LOG_ALIGNMENT];
    size_t first = size < sizeof zeros ? size : sizeof zeros;

    return memcmp(data, zeros, first) == 0 && memcmp(data, data + first, size - first) == 0;
}

/* Opens the file of a segment, whose header is good, once. */
static enum cx_status open_file(struct cx_recovery *recovery, struct cx_segment *segment)
{
    struct cx_disk *disk = recovery->options->disk;
    char name[CX_SEGMENT_NAME_SIZE];
    enum cx_status status;

    if (segment->file != NULL) {
        return CX_OK;
    }
    cx_segment_name(CX_SEGMENT_NAME_LOG, segment->number, name);
    status = disk->ops->open(disk, name, CX_DISK_OPEN_EXISTING, &segment->file);
    return status == CX_OK ? CX_OK : file_error(recovery, status, "open", segment);
}

/* ---- What the disk really holds. -------------------------------------------- */

/* Reads a segment anew from the disk. Where the sync of an earlier process has failed, the
 * system may still remember what it could not write, and never write it. */
static enum cx_status refresh_segment(struct cx_recovery *recovery, size_t index)
{
    struct cx_segment *segment = &recovery->segments[index];
    enum cx_status status;

    if (index >= recovery->segment_count || segment->size == 0) {
        return CX_OK;
    }
    status = open_file(recovery, segment);
    if (status != CX_OK) {
        return status;
    }
    status = segment->file->ops->sync(segment->file);
    if (status != CX_OK) {
        return file_error(recovery, status, "sync", segment);
    }
    segment->file->ops->drop_cache(segment->file);
    cx_window_reset(&recovery->window);
    return CX_OK;
}

/* Whether there is anything behind the segment's header. */
static enum cx_status is_used(struct cx_recovery *recovery, size_t index, bool *ret_used)
{
    struct cx_segment *segment = &recovery->segments[index];
    const uint8_t *frame;
    enum cx_status status;

    *ret_used = false;
    if (segment->size == 0) {
        return CX_OK;
    }
    status = open_file(recovery, segment);
    cx_window_reset(&recovery->window);
    if (status == CX_OK) {
        status = cx_window_at(&recovery->window, segment, CX_SEGMENT_HEADER_SIZE,
                              CX_LOG_HEADER_SIZE, &frame);
        *ret_used = status == CX_OK && !is_zero(frame, CX_LOG_HEADER_SIZE);
    }
    return status == CX_OK ? CX_OK : file_error(recovery, status, "read", segment);
}

/* Lets what follows see the disk as it is, where that can matter: in the newest segment in
 * use, since all before it were durable before it was written, and in the next one, which
 * an earlier start may have zeroed. */
static enum cx_status refresh(struct cx_recovery *recovery)
{
    size_t newest = recovery->segment_count;
    enum cx_status status = CX_OK;
    bool used = false;

    if (!recovery->options->sync) {
        return CX_OK;
    }
    while (newest > 0 && !used && status == CX_OK) {
        newest--;
        status = is_used(recovery, newest, &used);
    }
    if (status == CX_OK) {
        status = refresh_segment(recovery, newest);
    }
    return status == CX_OK ? refresh_segment(recovery, newest + 1) : status;
}

/* ---- The walk: record after record, as they chain. -------------------------- */

/* Whether the record is the one to come after all so far. */
static bool follows(const struct cx_recovery *recovery, const struct cx_record *record)
{
    const struct cx_log_position *tail = &recovery->tail.position;
    uint64_t step = record->kind == CX_RECORD_DATA ? 1 : 0;

    return record->revision == tail->revision + step && record->prev_crc == tail->identity;
}

static void take_data(struct cx_recovery *recovery, const struct cx_segment *segment,
                      const struct cx_record *record)
{
    struct cx_milestones *milestones = &recovery->milestones;

    if (cx_milestones_due(milestones, segment->first_revision, &recovery->tail, record)) {
        cx_milestones_add(milestones, &recovery->tail, record, recovery->tail_offset);
    }
    cx_wal_tail_move(&recovery->tail, record);
}

static void take(struct cx_recovery *recovery, const struct cx_segment *segment,
                 const struct cx_record *record)
{
    if (record->kind == CX_RECORD_DATA) {
        take_data(recovery, segment, record);
    }
    if (record->durable_upto > recovery->proven) {
        recovery->proven = record->durable_upto;
    }
    recovery->report.clean = record->kind == CX_RECORD_CLEAN;
    recovery->tail_offset += cx_log_frame_size(record->payload_size);
}

/* Goes along one segment. *ret_ended says whether it led to the end mark. */
static enum cx_status walk_segment(struct cx_recovery *recovery, struct cx_segment *segment,
                                   bool *ret_ended)
{
    struct cx_record record = {0};
    enum cx_status status = open_file(recovery, segment);

    cx_window_reset(&recovery->window);
    recovery->tail_offset = CX_SEGMENT_HEADER_SIZE;
    segment->first_revision = recovery->tail.position.revision + 1;
    while (status == CX_OK && record.kind != CX_RECORD_END) {
        const uint8_t *frame;

        status =
            cx_segment_frame(segment, &recovery->window, recovery->tail_offset, &record, &frame);
        if (status != CX_OK) {
            return file_error(recovery, status, "read", segment);
        }
        if (frame == NULL || !follows(recovery, &record)) {
            *ret_ended = false;
            return CX_OK;
        }
        take(recovery, segment, &record);
    }
    *ret_ended = true;
    return status;
}

static bool damaged(struct cx_recovery *recovery, uint64_t number, uint64_t offset,
                    const char *what)
{
    recovery->damage = (struct cx_wal_damage){.number = number, .offset = offset, .what = what};
    return true;
}

/* Whether segment `index` is not there as a whole. */
static bool segment_is_bad(struct cx_recovery *recovery, size_t index)
{
    uint64_t number = index + 1;

    if (index == recovery->segment_count || recovery->segments[index].number != number) {
        return damaged(recovery, number, 0, "is missing");
    }
    if (recovery->segments[index].size == 0) {
        return damaged(recovery, number, 0, "has a damaged header or a wrong size");
    }
    return false;
}

/* Goes along all segments that were ended, and the one behind them. */
static enum cx_status walk(struct cx_recovery *recovery)
{
    enum cx_status status = CX_OK;
    bool ended = true;

    recovery->tail = (struct cx_wal_tail){0};
    recovery->milestones.count = 0;
    recovery->proven = 0;
    for (size_t i = 0; ended && status == CX_OK; i++) {
        if (segment_is_bad(recovery, i)) {
            return CX_OK;
        }
        recovery->tail_index = i;
        status = walk_segment(recovery, &recovery->segments[i], &ended);
        if (ended) {
            cx_segment_close(&recovery->segments[i]);
        }
    }
    return status;
}

/* ---- What lies behind the last good record. --------------------------------- */

/* Takes in the record at `offset`, if there is a whole and valid one. */
static enum cx_status look_at(struct cx_recovery *recovery, const struct cx_segment *segment,
                              uint64_t offset, struct cx_wal_rest *rest)
{
    struct cx_record record;
    const uint8_t *frame;
    enum cx_status status = cx_segment_frame(segment, &recovery->probe, offset, &record, &frame);

    if (status != CX_OK || frame == NULL) {
        return status;
    }
    rest->record = rest->record == 0 ? offset : rest->record;
    rest->proven = record.durable_upto > rest->proven ? record.durable_upto : rest->proven;
    if (record.kind == CX_RECORD_DATA) {
        bool first = rest->revision_min == 0;

        rest->revision_min =
            first || record.revision < rest->revision_min ? record.revision : rest->revision_min;
        rest->revision_max =
            record.revision > rest->revision_max ? record.revision : rest->revision_max;
    }
    return CX_OK;
}

/* Looks at every aligned offset of a piece of the segment. The check in the header
 * tells bytes from records, so that no whole frame is read in vain. */
static enum cx_status look_along(struct cx_recovery *recovery, const struct cx_segment *segment,
                                 const uint8_t *data, uint64_t offset, size_t size,
                                 struct cx_wal_rest *rest)
{
    enum cx_status status = CX_OK;

    if (is_zero(data, size)) {
        return CX_OK;
    }
    for (size_t at = 0; at < size && status == CX_OK; at += CX_LOG_ALIGNMENT) {
        struct cx_record record;

        if (!is_zero(data + at, CX_LOG_ALIGNMENT)) {
            rest->end = offset + at + CX_LOG_ALIGNMENT;
        }
        if (size - at >= CX_LOG_HEADER_SIZE &&
            cx_record_find(data + at, segment->seed, offset + at, &record)) {
            status = look_at(recovery, segment, offset + at, rest);
        }
    }
    return status;
}

enum cx_status cx_recovery_look(struct cx_recovery *recovery, const struct cx_segment *segment,
                                uint64_t offset, struct cx_wal_rest *ret_rest)
{
    enum cx_status status = CX_OK;

    *ret_rest = (struct cx_wal_rest){0};
    cx_window_reset(&recovery->probe);
    while (offset < segment->size && status == CX_OK) {
        uint64_t left = segment->size - offset;
        size_t size = left < CX_SEGMENT_WINDOW ? (size_t)left : CX_SEGMENT_WINDOW;
        const uint8_t *data;

        status = cx_window_at(&recovery->window, segment, offset, size, &data);
        if (status == CX_OK) {
            status = look_along(recovery, segment, data, offset, size, ret_rest);
        }
        /* The next piece begins with the headers that this one has cut. */
        offset += size == left ? size : size - CX_LOG_HEADER_SIZE;
    }
    return status == CX_OK ? CX_OK : file_error(recovery, status, "read", segment);
}

/* Whether any byte of a prepared segment was written. */
static enum cx_status look_at_prepared(struct cx_recovery *recovery, struct cx_segment *segment,
                                       bool *ret_used)
{
    struct cx_wal_rest rest;
    enum cx_status status = open_file(recovery, segment);

    if (status != CX_OK) {
        return status;
    }
    cx_window_reset(&recovery->window);
    status = cx_recovery_look(recovery, segment, CX_SEGMENT_HEADER_SIZE, &rest);
    *ret_used = rest.end != 0;
    return status;
}

/* Whether the rest shows that what should follow the tail was durable: it says so, or
 * the next record is there, so that what was lost in front of it is a mark, which is
 * always synced before the next record is written. */
static bool proves_damage(const struct cx_recovery *recovery)
{
    uint64_t tail = recovery->tail.position.revision;

    return recovery->rest.proven > tail || recovery->rest.revision_min == tail + 1;
}

/* Decides whether what lies behind the tail is an append that was never answered, or
 * damage. Only the newest segment in use can be torn, and only beyond what is proven. */
static enum cx_status judge(struct cx_recovery *recovery)
{
    struct cx_segment *segment = &recovery->segments[recovery->tail_index];
    enum cx_status status =
        cx_recovery_look(recovery, segment, recovery->tail_offset, &recovery->rest);
    bool used = false;

    if (status != CX_OK) {
        return status;
    }
    if (proves_damage(recovery)) {
        damaged(recovery, segment->number, recovery->tail_offset,
                "is damaged: records behind this place prove that it was written whole");
        return CX_OK;
    }
    for (size_t i = recovery->tail_index + 1; i < recovery->segment_count; i++) {
        if (segment_is_bad(recovery, i)) {
            return CX_OK;
        }
        status = look_at_prepared(recovery, &recovery->segments[i], &used);
        if (status != CX_OK) {
            return status;
        }
        if (used) {
            damaged(recovery, segment->number, recovery->tail_offset,
                    "is damaged: the log goes on in the next file, so this one was whole");
            return CX_OK;
        }
    }
    return CX_OK;
}

/* ---- Making it good. -------------------------------------------------------- */

static enum cx_status remove_leftovers(struct cx_recovery *recovery)
{
    struct cx_disk *disk = recovery->options->disk;
    enum cx_status status = CX_OK;
    char name[CX_SEGMENT_NAME_SIZE];

    for (size_t i = 0; i < recovery->leftover_count && status == CX_OK; i++) {
        cx_segment_name(CX_SEGMENT_NAME_NEW, recovery->leftovers[i], name);
        status = disk->ops->remove(disk, name);
    }
    return status == CX_OK ? CX_OK : cx_wal_disk_error(recovery->error, status, "remove", name);
}

/* Prepared segments that are smaller than those to come could not hold every frame. */
static enum cx_status remove_small(struct cx_recovery *recovery)
{
    struct cx_disk *disk = recovery->options->disk;
    size_t keep = recovery->tail_index + 1;

    while (keep < recovery->segment_count &&
           recovery->segments[keep].size >= recovery->options->segment_size) {
        keep++;
    }
    while (recovery->segment_count > keep) {
        struct cx_segment *last = &recovery->segments[recovery->segment_count - 1];
        char name[CX_SEGMENT_NAME_SIZE];
        enum cx_status status;

        cx_segment_name(CX_SEGMENT_NAME_LOG, last->number, name);
        status = disk->ops->remove(disk, name);
        if (status != CX_OK) {
            return cx_wal_disk_error(recovery->error, status, "remove", name);
        }
        cx_segment_close(last);
        recovery->segment_count--;
    }
    return CX_OK;
}

/* Whether something in the segment is not known to be durable. A later revision that is
 * proves the whole of it; see docs/disk-format.md. */
static bool needs_sync(const struct cx_recovery *recovery, size_t index)
{
    return index >= recovery->tail_index ||
           recovery->segments[index + 1].first_revision > recovery->proven;
}

static enum cx_status sync_segment(struct cx_recovery *recovery, size_t index)
{
    struct cx_segment *segment = &recovery->segments[index];
    enum cx_status status = open_file(recovery, segment);

    if (status != CX_OK) {
        return status;
    }
    status = segment->file->ops->sync(segment->file);
    if (index < recovery->tail_index) {
        cx_segment_close(segment);
    }
    return status == CX_OK ? CX_OK : file_error(recovery, status, "sync", segment);
}

/* Zeros what was torn, so that no part of it can ever be taken for a record. */
static enum cx_status cut(struct cx_recovery *recovery)
{
    struct cx_segment *segment = &recovery->segments[recovery->tail_index];
    enum cx_status status;

    if (recovery->rest.end == 0) {
        return CX_OK;
    }
    recovery->report.torn_bytes = recovery->rest.end - recovery->tail_offset;
    status = cx_segment_zero(segment->file, recovery->tail_offset, recovery->rest.end,
                             recovery->options->sync);
    return status == CX_OK ? CX_OK : file_error(recovery, status, "write", segment);
}

/* What an earlier process left in the page cache becomes durable before it counts. */
static enum cx_status sync_all(struct cx_recovery *recovery)
{
    struct cx_disk *disk = recovery->options->disk;
    enum cx_status status = CX_OK;

    if (!recovery->options->sync) {
        return CX_OK;
    }
    for (size_t i = 0; i < recovery->segment_count && status == CX_OK; i++) {
        status = needs_sync(recovery, i) ? sync_segment(recovery, i) : CX_OK;
    }
    if (status == CX_OK) {
        status = disk->ops->sync_directory(disk);
        if (status != CX_OK) {
            return cx_wal_disk_error(recovery->error, status, "sync", "the files");
        }
    }
    return status;
}

static enum cx_status settle(struct cx_recovery *recovery)
{
    enum cx_status status = remove_leftovers(recovery);

    if (status == CX_OK) {
        status = remove_small(recovery);
    }
    if (status == CX_OK) {
        status = cut(recovery);
    }
    return status == CX_OK ? sync_all(recovery) : status;
}

/* ---- The whole. ------------------------------------------------------------- */

/* Begins a log: its first segment. */
static enum cx_status create(struct cx_recovery *recovery)
{
    const struct cx_wal_options *options = recovery->options;
    struct cx_log_identity identity = {.epoch = recovery->lost_epoch + 1};
    enum cx_status status = cx_recovery_add_segment(recovery, 1);

    if (status == CX_OK) {
        status = remove_leftovers(recovery);
    }
    if (status != CX_OK) {
        return status;
    }
    recovery->segment_count = 0; /* Until there is one. */
    options->random->fill(options->random, identity.log_id, sizeof identity.log_id);
    status = cx_wal_create_segment(options, &identity, 1, &recovery->segments[0]);
    if (status != CX_OK) {
        return cx_wal_disk_error(recovery->error, status, "create", "the first segment");
    }
    recovery->segments[0].first_revision = 1;
    recovery->segment_count = 1;
    recovery->tail_offset = CX_SEGMENT_HEADER_SIZE;
    recovery->report.identity = identity;
    recovery->report.created = true;
    return CX_OK;
}

static void report_log(struct cx_recovery *recovery)
{
    recovery->report.tail = recovery->tail.position;
    recovery->report.segment_count = recovery->tail_index + 1;
    recovery->report.bytes = 0;
    for (size_t i = 0; i <= recovery->tail_index; i++) {
        recovery->report.bytes += recovery->segments[i].size;
    }
}

static void close_files(struct cx_recovery *recovery)
{
    for (size_t i = 0; i < recovery->segment_count; i++) {
        cx_segment_close(&recovery->segments[i]);
    }
}

/* Reads the directory, ends what was interrupted in it, and reads the log. */
static enum cx_status examine(struct cx_recovery *recovery)
{
    enum cx_status status;

    close_files(recovery);
    recovery->damage = (struct cx_wal_damage){0};
    status = cx_recovery_list(recovery);
    if (status == CX_OK && recovery->accept_number != 0) {
        status = cx_recovery_accept_finish(recovery);
        if (status == CX_OK) {
            status = cx_recovery_list(recovery);
        }
    }
    if (status != CX_OK || recovery->segment_count == 0) {
        return status;
    }
    status = refresh(recovery);
    if (status == CX_OK) {
        status = walk(recovery);
    }
    return status == CX_OK && recovery->damage.what == NULL ? judge(recovery) : status;
}

enum cx_status cx_recovery_run(struct cx_recovery *recovery)
{
    enum cx_status status = examine(recovery);

    if (status == CX_OK && recovery->damage.what != NULL && recovery->options->accept_data_loss) {
        status = cx_recovery_accept(recovery);
        if (status == CX_OK) {
            status = examine(recovery);
        }
    }
    if (status == CX_OK && recovery->damage.what != NULL) {
        return cx_recovery_refuse(recovery);
    }
    if (status == CX_OK) {
        status = recovery->segment_count == 0 ? create(recovery) : settle(recovery);
    }
    if (status == CX_OK) {
        report_log(recovery);
    }
    return status;
}

void cx_recovery_done(struct cx_recovery *recovery)
{
    close_files(recovery);
    cx_free(recovery->segments);
    cx_free(recovery->leftovers);
    cx_milestones_done(&recovery->milestones);
    cx_window_done(&recovery->window);
    cx_window_done(&recovery->probe);
    recovery->segments = NULL;
    recovery->segment_count = 0;
}
