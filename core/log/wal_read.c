/* Reading the log back. Every record is checked again on its way. */

#include <assert.h>

#include "core/log/wal_internal.h"

/* Where a reading stands. */
struct reading {
    struct cx_wal *wal;
    uint64_t from;
    uint64_t to;
    cx_log_read_fn each;
    void *arg;

    struct cx_window window;
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

/* Reads up to `to`, or the segment's end mark. */
static enum cx_status read_frames(struct reading *reading, const struct cx_segment *segment)
{
    uint64_t offset = CX_SEGMENT_HEADER_SIZE;
    enum cx_status status = CX_OK;

    while (status == CX_OK && reading->next <= reading->to && !reading->ended) {
        struct cx_record record;
        const uint8_t *frame;

        status = cx_segment_frame(segment, &reading->window, offset, &record, &frame);
        if (status == CX_OK && (frame == NULL || !belongs(reading, &record))) {
            status = CX_DATA_LOSS;
        }
        if (status == CX_OK) {
            status = take(reading, &record, frame);
            offset += cx_log_frame_size(record.payload_size);
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
static size_t segment_find(struct cx_wal *wal, uint64_t revision)
{
    size_t low = 0;
    size_t high;

    pthread_mutex_lock(&wal->mutex);
    high = wal->segment_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        uint64_t first = wal->segments[middle].first_revision;

        if (first != 0 && first <= revision) {
            low = middle;
        } else {
            high = middle;
        }
    }
    pthread_mutex_unlock(&wal->mutex);
    return low;
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
    size_t index = segment_find(reading.wal, from);
    reading.next = segment_at(reading.wal, index).first_revision;
    while (status == CX_OK && reading.next <= to) {
        struct cx_segment segment = segment_at(reading.wal, index++);

        status = read_segment(&reading, &segment);
    }
    cx_window_done(&reading.window);
    return status;
}
