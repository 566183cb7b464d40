#include "core/log/wal.h"

#include <assert.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/log/wal_internal.h"
#include "core/log/wal_recovery.h"

/* ---- Room. ------------------------------------------------------------------ */

enum cx_status cx_wal_fail(struct cx_wal *wal)
{
    pthread_mutex_lock(&wal->mutex);
    wal->failed = true;
    pthread_mutex_unlock(&wal->mutex);
    return CX_UNAVAILABLE;
}

bool cx_wal_wants_segment_locked(const struct cx_wal *wal)
{
    size_t filled = wal->admitted_index - wal->opened_index;
    size_t wanted = filled + 1 < CX_WAL_AHEAD_MAX ? filled + 1 : CX_WAL_AHEAD_MAX;

    return wal->segment_count - 1 - wal->admitted_index < wanted;
}

static enum cx_reason admit_locked(struct cx_wal *wal, size_t frame_size)
{
    size_t index = wal->admitted_index;
    uint64_t offset = wal->admitted_offset;

    if (wal->failed) {
        return CX_REASON_STORAGE_FAILED;
    }
    while (!cx_wal_fits(wal->segments[index].size, offset, frame_size)) {
        index++;
        offset = CX_SEGMENT_HEADER_SIZE;
        if (index == wal->segment_count) {
            return wal->no_room ? CX_REASON_STORAGE_FULL : CX_REASON_OVERLOADED;
        }
    }
    wal->admitted_index = index;
    wal->admitted_offset = offset + frame_size;
    return CX_REASON_NONE;
}

static enum cx_reason wal_admit(struct cx_log *log, size_t frame_size)
{
    struct cx_wal *wal = cx_wal_of(log);
    enum cx_reason reason;

    assert(frame_size >= CX_LOG_HEADER_SIZE && frame_size % CX_LOG_ALIGNMENT == 0);
    assert(frame_size <= wal->options.segment_size / 4);
    pthread_mutex_lock(&wal->mutex);
    reason = admit_locked(wal, frame_size);
    pthread_mutex_unlock(&wal->mutex);
    return reason;
}

/* ---- Appending. ------------------------------------------------------------- */

/* Makes `record`, which goes to `offset` behind `tail`, a milestone if it is time for one. */
static void set_milestone(struct cx_wal *wal, const struct cx_wal_tail *tail,
                          const struct cx_record *record, uint64_t offset)
{
    if (cx_milestones_due(&wal->milestones, wal->current.first_revision, tail, record)) {
        pthread_mutex_lock(&wal->mutex);
        cx_milestones_add(&wal->milestones, tail, record, offset);
        pthread_mutex_unlock(&wal->mutex);
    }
}

/* Completes the frames at `data` that go into the current segment. Returns their size;
 * *tail becomes the last of them. */
static size_t seal_fitting(struct cx_wal *wal, uint8_t *data, size_t size, struct cx_wal_tail *tail)
{
    size_t end = 0;

    while (end < size) {
        uint64_t offset = wal->offset + end;
        struct cx_record record;
        size_t frame_size;

        cx_record_decode(data + end, &record);
        frame_size = cx_log_frame_size(record.payload_size);
        assert(frame_size <= size - end);
        if (!cx_wal_fits(wal->current.size, offset, frame_size)) {
            break;
        }
        record.crc = cx_record_seal(data + end, wal->current.seed, offset, tail->position.identity,
                                    wal->synced_upto);
        set_milestone(wal, tail, &record, offset);
        cx_wal_tail_move(tail, &record);
        end += frame_size;
    }
    return end;
}

static void seal_mark(const struct cx_wal *wal, enum cx_record_kind kind, uint8_t *frame,
                      uint64_t offset, const struct cx_wal_tail *tail)
{
    struct cx_record mark = {.kind = kind, .revision = tail->position.revision};

    cx_record_encode(&mark, frame);
    cx_record_seal(frame, wal->current.seed, offset, tail->position.identity, wal->synced_upto);
}

static enum cx_status write_durable(struct cx_wal *wal, const uint8_t *data, size_t size)
{
    struct cx_file *file = wal->current.file;
    enum cx_status status = file->ops->write(file, wal->offset, (struct cx_bytes){data, size});

    if (status == CX_OK && wal->options.sync) {
        status = file->ops->sync(file);
    }
    wal->offset += size;
    return status;
}

/* Writes `size` bytes of frames and an end mark, which takes the place of the header
 * of the next frame meanwhile: so that it is one write. */
static enum cx_status write_with_end(struct cx_wal *wal, uint8_t *data, size_t size,
                                     const struct cx_wal_tail *tail)
{
    uint8_t header[CX_LOG_HEADER_SIZE];
    enum cx_status status;

    memcpy(header, data + size, sizeof header);
    seal_mark(wal, CX_RECORD_END, data + size, wal->offset + size, tail);
    status = write_durable(wal, data, size + sizeof header);
    memcpy(data + size, header, sizeof header);
    return status;
}

/* Goes on in the next segment. */
static void roll(struct cx_wal *wal, const struct cx_wal_tail *tail)
{
    struct cx_segment *next;

    cx_segment_close(&wal->current);
    pthread_mutex_lock(&wal->mutex);
    wal->current_index++;
    /* Holds by (2) of wal_internal.h, when all that is appended was admitted. */
    assert(wal->current_index <= wal->admitted_index);
    next = &wal->segments[wal->current_index];
    next->first_revision = tail->position.revision + 1;
    wal->current = *next;
    next->file = NULL; /* Moved. */
    pthread_mutex_unlock(&wal->mutex);
    wal->offset = CX_SEGMENT_HEADER_SIZE;
}

/* Makes the next frames durable, as many as the current segment takes. Returns how
 * many bytes these are in *ret_size. */
static enum cx_status append_part(struct cx_wal *wal, uint8_t *data, size_t size,
                                  struct cx_wal_tail *tail, size_t *ret_size)
{
    size_t part = seal_fitting(wal, data, size, tail);
    bool ends = part < size;
    enum cx_status status =
        ends ? write_with_end(wal, data, part, tail) : write_durable(wal, data, part);

    if (status != CX_OK) {
        return status;
    }
    if (wal->options.sync) {
        wal->synced_upto = tail->position.revision;
    }
    if (ends) {
        roll(wal, tail);
    }
    *ret_size = part;
    return CX_OK;
}

/* Lets the records be read, and says whether prepare() has work. */
static bool publish(struct cx_wal *wal, const struct cx_wal_tail *tail)
{
    bool wants;

    pthread_mutex_lock(&wal->mutex);
    wal->tail = *tail;
    wants = !wal->no_room && cx_wal_wants_segment_locked(wal);
    pthread_mutex_unlock(&wal->mutex);
    return wants;
}

/* The log as append() finds it. */
static enum cx_status append_check(struct cx_wal *wal, const struct cx_log_position *prev,
                                   struct cx_wal_tail *ret_tail)
{
    const struct cx_log_position *last = &wal->tail.position;
    enum cx_status status = CX_OK;

    pthread_mutex_lock(&wal->mutex);
    if (wal->failed) {
        status = CX_UNAVAILABLE;
    } else if (prev->revision != last->revision || prev->identity != last->identity) {
        status = CX_ABORTED;
    }
    *ret_tail = wal->tail;
    pthread_mutex_unlock(&wal->mutex);
    return status;
}

static enum cx_status wal_append(struct cx_log *log, struct cx_log_position prev,
                                 struct cx_log_batch *batch, struct cx_log_position *ret_tail)
{
    struct cx_wal *wal = cx_wal_of(log);
    struct cx_wal_tail tail;
    enum cx_status status = append_check(wal, &prev, &tail);

    assert(batch->count > 0 && batch->size > 0);
    if (status != CX_OK) {
        return status;
    }
    assert(batch->first == prev.revision + 1);
    wal->clean = false;
    for (size_t done = 0, part = 0; done < batch->size; done += part) {
        status = append_part(wal, batch->data + done, batch->size - done, &tail, &part);
        if (status != CX_OK) {
            return cx_wal_fail(wal);
        }
    }
    assert(tail.position.revision == prev.revision + batch->count);
    if (publish(wal, &tail) && wal->options.wake_prepare != NULL) {
        wal->options.wake_prepare(wal->options.arg);
    }
    *ret_tail = tail.position;
    return CX_OK;
}

static struct cx_log_position wal_tail(struct cx_log *log)
{
    struct cx_wal *wal = cx_wal_of(log);
    struct cx_log_position tail;

    pthread_mutex_lock(&wal->mutex);
    tail = wal->tail.position;
    pthread_mutex_unlock(&wal->mutex);
    return tail;
}

/* ---- Opening and closing. --------------------------------------------------- */

/* A log that was closed cleanly, and then again without a record in between, keeps
 * the mark that it has. */
static void write_clean_mark(struct cx_wal *wal)
{
    uint8_t frame[CX_LOG_HEADER_SIZE];

    if (wal->failed || wal->clean) {
        return;
    }
    assert(wal->current.size - wal->offset >= CX_SEGMENT_RESERVE);
    seal_mark(wal, CX_RECORD_CLEAN, frame, wal->offset, &wal->tail);
    if (write_durable(wal, frame, sizeof frame) != CX_OK) {
        cx_wal_fail(wal); /* Without the mark, the next start looks for a tear. */
    }
}

static void wal_free(struct cx_wal *wal)
{
    if (wal == NULL) {
        return;
    }
    cx_segment_close(&wal->current);
    for (size_t i = 0; i < wal->segment_count; i++) {
        cx_segment_close(&wal->segments[i]);
    }
    if (wal->lock != NULL) {
        wal->lock->ops->close(wal->lock);
    }
    cx_free(wal->segments);
    cx_milestones_done(&wal->milestones);
    pthread_mutex_destroy(&wal->mutex);
    cx_free(wal);
}

static void wal_close(struct cx_log *log, bool clean)
{
    struct cx_wal *wal = cx_wal_of(log);

    if (clean) {
        write_clean_mark(wal);
    }
    wal_free(wal);
}

static const struct cx_log_ops wal_ops = {
    .admit = wal_admit,
    .append = wal_append,
    .prepare = cx_wal_prepare,
    .read = cx_wal_read,
    .retained = cx_wal_retained,
    .tail = wal_tail,
    .close = wal_close,
};

static enum cx_status take_lock(struct cx_wal *wal, struct cx_error *error)
{
    struct cx_disk *disk = wal->options.disk;
    enum cx_status status =
        disk->ops->open(disk, CX_WAL_LOCK_NAME, CX_DISK_OPEN_LOCKED, &wal->lock);

    if (status == CX_ALREADY_EXISTS) {
        cx_error_set(error, CX_REASON_NOT_READY,
                     "the data directory is in use by another contextd: stop it, or choose "
                     "another directory");
        return CX_FAILED_PRECONDITION;
    }
    return status == CX_OK ? CX_OK : cx_wal_disk_error(error, status, "lock", CX_WAL_LOCK_NAME);
}

/* Goes on where recovery ended. */
static void adopt(struct cx_wal *wal, struct cx_recovery *recovery)
{
    wal->identity = recovery->report.identity;
    wal->segments = recovery->segments;
    wal->segment_count = recovery->segment_count;
    wal->segment_capacity = recovery->segment_capacity;
    recovery->segments = NULL; /* Moved. */
    recovery->segment_count = 0;
    wal->milestones = recovery->milestones;
    recovery->milestones = (struct cx_milestones){0}; /* Moved. */
    wal->opened_index = recovery->tail_index;
    wal->current_index = recovery->tail_index;
    wal->admitted_index = recovery->tail_index;
    wal->offset = recovery->tail_offset;
    wal->admitted_offset = recovery->tail_offset;
    wal->current = wal->segments[wal->current_index];
    wal->segments[wal->current_index].file = NULL; /* Moved. */
    wal->tail = recovery->tail;
    wal->synced_upto = wal->options.sync ? wal->tail.position.revision : recovery->proven;
    wal->clean = recovery->report.clean;
}

enum cx_status cx_wal_open(const struct cx_wal_options *options, struct cx_log **ret_log,
                           struct cx_wal_report *ret_report, struct cx_error *ret_error)
{
    struct cx_recovery recovery = {.options = options, .error = ret_error};
    struct cx_wal *wal = cx_calloc(sizeof *wal);
    enum cx_status status;

    assert(options->disk != NULL && options->random != NULL);
    assert(options->segment_size > CX_SEGMENT_HEADER_SIZE + CX_SEGMENT_RESERVE);
    assert(options->segment_size % CX_LOG_ALIGNMENT == 0);
    if (wal == NULL) {
        return cx_error_out_of_memory(ret_error);
    }
    wal->base.ops = &wal_ops;
    wal->options = *options;
    pthread_mutex_init(&wal->mutex, NULL);
    status = take_lock(wal, ret_error);
    if (status == CX_OK) {
        status = cx_recovery_run(&recovery);
    }
    if (status == CX_OK) {
        adopt(wal, &recovery);
        *ret_report = recovery.report;
        *ret_log = &wal->base;
        wal = NULL; /* The caller's from here on. */
    }
    cx_recovery_done(&recovery);
    wal_free(wal); /* Half-opened, or NULL. */
    return status;
}
