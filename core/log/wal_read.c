/* Reading the log back, from the last milestone before the records that are wanted. Every
 * record is checked again on its way. */

#include <assert.h>

#include "core/log/wal_internal.h"

/* What one read of the disk moves: little beside what a run of records has, which may be
 * stopped anywhere. */
#define READ_SIZE (64 * CX_KIB)

/* Where a reading stands. */
struct reading {
    struct cx_wal *wal;
    uint64_t from;
    uint64_t to;
    cx_log_read_fn each;
    void *arg;

    struct cx_window window;
    uint64_t offset;   /* Of the frame that comes next, in its segment. */
    uint64_t next;     /* The revision that comes next. */
    uint32_t identity; /* Of the record before it. */
    bool chained;      /* Whether `identity` is known. */
    bool ended;        /* The segment's end mark was read. */
};

/* Whether the record is the one that the log has here. */
static bool belongs(const struct reading *reading, const struct cx_record *record)
{
    uint64_t revision = record->kind == CX_RECORD_DATA ? record->revision : record->revision + 1;

    return revision == reading->next &&
           (!reading->chained || record->prev_crc == reading->identity);
}

static enum cx_status take(struct reading *reading, const struct cx_record *record,
                           const uint8_t *frame)
{
    struct cx_log_record given = {
        .revision = record->revision,
        .time_us = record->time_us,
        .payload = {frame + CX_LOG_HEADER_SIZE, record->payload_size},
    };

    reading->ended = record->kind == CX_RECORD_END;
    if (record->kind != CX_RECORD_DATA) {
        return CX_OK;
    }
    reading->next++;
    reading->identity = record->crc;
    reading->chained = true;
    return record->revision >= reading->from ? reading->each(reading->arg, &given) : CX_OK;
}

/* The frame that comes next. */
static enum cx_status next_frame(struct reading *reading, const struct cx_segment *segment,
                                 struct cx_record *ret_record, const uint8_t **ret_frame)
{
    enum cx_status status =
        cx_segment_frame(segment, &reading->window, reading->offset, ret_record, ret_frame);

    if (status == CX_OK && (*ret_frame == NULL || !belongs(reading, ret_record))) {
        return CX_DATA_LOSS;
    }
    return status == CX_OUT_OF_RANGE ? CX_DATA_LOSS : status; /* The file was cut. */
}

/* Reads up to `to`, or the segment's end mark. */
static enum cx_status read_frames(struct reading *reading, const struct cx_segment *segment)
{
    enum cx_status status = CX_OK;

    while (status == CX_OK && reading->next <= reading->to && !reading->ended) {
        struct cx_record record;
        const uint8_t *frame;

        status = next_frame(reading, segment, &record, &frame);
        if (status == CX_OK) {
            reading->offset += cx_log_frame_size(record.payload_size);
            status = take(reading, &record, frame);
        }
    }
    return status;
}

static enum cx_status read_segment(struct reading *reading, struct cx_segment *segment)
{
    struct cx_disk *disk = reading->wal->options.disk;
    char name[CX_SEGMENT_NAME_SIZE];
    enum cx_status status;

    cx_segment_name(CX_SEGMENT_NAME_LOG, segment->number, name);
    status = disk->ops->open(disk, name, CX_DISK_OPEN_EXISTING, &segment->file);
    if (status != CX_OK) {
        return status;
    }
    reading->ended = false;
    cx_window_reset(&reading->window);
    status = read_frames(reading, segment);
    cx_segment_close(segment);
    return status;
}

/* A copy of segment `index`, which is in use. */
static struct cx_segment segment_at(struct cx_wal *wal, size_t index)
{
    struct cx_segment segment;

    pthread_mutex_lock(&wal->mutex);
    assert(index < wal->segment_count && wal->segments[index].first_revision != 0);
    segment = wal->segments[index];
    pthread_mutex_unlock(&wal->mutex);
    segment.file = NULL; /* The log's. */
    return segment;
}

/* The segment that holds `revision`. */
static size_t segment_find_locked(const struct cx_wal *wal, uint64_t revision)
{
    size_t low = 0;
    size_t high = wal->segment_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        uint64_t first = wal->segments[middle].first_revision;

        if (first != 0 && first <= revision) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_not_behind(const void *arg, const struct cx_milestone *milestone)
{
    const uint64_t *revision = arg;

    return cx_milestone_revision(milestone) <= *revision;
}

/* Goes to the last milestone that is not behind `from`, or to the beginning of the segment
 * where that has none. Returns the segment's index. */
static size_t begin(struct reading *reading)
{
    struct cx_wal *wal = reading->wal;
    const struct cx_milestone *milestone;
    size_t index;

    pthread_mutex_lock(&wal->mutex);
    index = segment_find_locked(wal, reading->from);
    milestone = cx_milestones_last(&wal->milestones, is_not_behind, &reading->from);
    reading->next = wal->segments[index].first_revision;
    reading->offset = CX_SEGMENT_HEADER_SIZE;
    if (milestone != NULL && cx_milestone_revision(milestone) >= reading->next) {
        reading->next = cx_milestone_revision(milestone);
        reading->offset = milestone->offset;
        reading->identity = milestone->before.position.identity;
        reading->chained = true;
    }
    pthread_mutex_unlock(&wal->mutex);
    return index;
}

enum cx_status cx_wal_read(struct cx_log *log, uint64_t from, uint64_t to, cx_log_read_fn each,
                           void *arg)
{
    struct reading reading = {
        .wal = cx_wal_of(log), .from = from, .to = to, .each = each, .arg = arg};
    enum cx_status status = CX_OK;

    assert(from > 0);
    assert(to <= log->ops->tail(log).revision);
    if (from > to) {
        return CX_OK;
    }
    size_t index = begin(&reading);
    reading.window.read_size = READ_SIZE;
    while (status == CX_OK && reading.next <= to) {
        struct cx_segment segment = segment_at(reading.wal, index++);

        status = read_segment(&reading, &segment);
        reading.offset = CX_SEGMENT_HEADER_SIZE;
    }
    cx_window_done(&reading.window);
    return status;
}
