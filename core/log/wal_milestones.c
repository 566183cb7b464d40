#include "core/log/wal_milestones.h"

#include <assert.h>

#include "core/base/memory.h"

void cx_wal_tail_move(struct cx_wal_tail *tail, const struct cx_record *record)
{
    assert(record->kind == CX_RECORD_DATA);
    assert(record->revision == tail->position.revision + 1);
    tail->position = (struct cx_log_position){record->revision, record->crc};
    tail->time_us = record->time_us;
    tail->bytes += cx_log_frame_size(record->payload_size);
}

/* Whether one more is within what milestones may cost at most. */
static bool affordable(const struct cx_milestones *milestones, const struct cx_wal_tail *tail)
{
    uint64_t bytes = tail->bytes - milestones->items[0].before.bytes;

    return milestones->count < CX_MILESTONES_FREE + bytes / CX_MILESTONE_BYTES_MIN;
}

/* Times come from the disk and may be any, so their difference is one of unsigned numbers. */
static bool is_later(int64_t time_us, int64_t than_us, uint64_t by_us)
{
    return time_us > than_us && (uint64_t)time_us - (uint64_t)than_us >= by_us;
}

bool cx_milestones_due(const struct cx_milestones *milestones, uint64_t first,
                       const struct cx_wal_tail *tail, const struct cx_record *record)
{
    const struct cx_milestone *last;

    if (milestones->count == 0) {
        return true;
    }
    last = &milestones->items[milestones->count - 1];
    return cx_milestone_revision(last) < first ||
           tail->bytes - last->before.bytes >= CX_MILESTONE_BYTES ||
           (is_later(record->time_us, milestones->time_us, CX_MILESTONE_TIME_US) &&
            affordable(milestones, tail));
}

static bool grow(struct cx_milestones *milestones)
{
    size_t capacity = milestones->capacity == 0 ? 16 : 2 * milestones->capacity;
    struct cx_milestone *grown;

    if (milestones->count < milestones->capacity) {
        return true;
    }
    grown = cx_realloc(milestones->items, capacity * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    milestones->items = grown;
    milestones->capacity = capacity;
    return true;
}

void cx_milestones_add(struct cx_milestones *milestones, const struct cx_wal_tail *tail,
                       const struct cx_record *record, uint64_t offset)
{
    assert(record->revision == tail->position.revision + 1);
    assert(milestones->count == 0 ||
           cx_milestone_revision(&milestones->items[milestones->count - 1]) < record->revision);
    if (grow(milestones)) {
        milestones->items[milestones->count++] =
            (struct cx_milestone){.before = *tail, .offset = offset};
        milestones->time_us = record->time_us;
    }
}

const struct cx_milestone *cx_milestones_last(const struct cx_milestones *milestones,
                                              cx_milestone_test passes, const void *arg)
{
    size_t low = 0; /* All before pass, none from `high` on does. */
    size_t high = milestones->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (passes(arg, &milestones->items[middle])) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 ? &milestones->items[low - 1] : NULL;
}

void cx_milestones_done(struct cx_milestones *milestones)
{
    cx_free(milestones->items);
    *milestones = (struct cx_milestones){0};
}
