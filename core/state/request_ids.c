#include "core/state/request_ids.h"

#include <assert.h>

#include "core/base/memory.h"

enum { CAPACITY_MIN = 64 };

static bool id_equal(struct cx_hash128 a, struct cx_hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

static size_t place_mask(const struct cx_request_ids *ids)
{
    return 2 * ids->capacity - 1;
}

/* Where an id is in the table, or the free place where it would be. */
static size_t place_find(const struct cx_request_ids *ids, struct cx_hash128 id)
{
    size_t place = id.low & place_mask(ids);

    while (ids->places[place] != 0 && !id_equal(ids->ring[ids->places[place] - 1].id, id)) {
        place = (place + 1) & place_mask(ids);
    }
    return place;
}

/* Frees a place, and closes the gap. */
static void place_free(struct cx_request_ids *ids, size_t hole)
{
    size_t mask = place_mask(ids);

    ids->places[hole] = 0;
    for (size_t place = (hole + 1) & mask; ids->places[place] != 0; place = (place + 1) & mask) {
        size_t home = ids->ring[ids->places[place] - 1].id.low & mask;

        if (((place - home) & mask) >= ((place - hole) & mask)) {
            ids->places[hole] = ids->places[place];
            ids->places[place] = 0;
            hole = place;
        }
    }
}

const struct cx_request_record *cx_request_ids_find(const struct cx_request_ids *ids,
                                                    struct cx_hash128 id)
{
    uint32_t found = ids->capacity > 0 ? ids->places[place_find(ids, id)] : 0;

    return found != 0 ? &ids->ring[found - 1] : NULL;
}

enum cx_status cx_request_ids_reserve(struct cx_request_ids *ids, size_t count)
{
    struct cx_request_ids grown = {.capacity = ids->capacity > 0 ? ids->capacity : CAPACITY_MIN};

    while (grown.capacity < ids->count + count) {
        grown.capacity *= 2;
    }
    if (grown.capacity == ids->capacity) {
        return CX_OK;
    }
    grown.ring = cx_alloc(grown.capacity * sizeof *grown.ring);
    grown.places = cx_calloc(2 * grown.capacity * sizeof *grown.places);
    if (grown.ring == NULL || grown.places == NULL) {
        cx_request_ids_done(&grown);
        return CX_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < ids->count; i++) {
        grown.ring[i] = ids->ring[(ids->first + i) & (ids->capacity - 1)];
        grown.places[place_find(&grown, grown.ring[i].id)] = (uint32_t)i + 1;
    }
    grown.count = ids->count;
    cx_request_ids_done(ids);
    *ids = grown;
    return CX_OK;
}

static void forget_oldest(struct cx_request_ids *ids)
{
    size_t place = place_find(ids, ids->ring[ids->first].id);

    if (ids->places[place] == ids->first + 1) { /* Else a later record has taken its place. */
        place_free(ids, place);
    }
    ids->first = (ids->first + 1) & (ids->capacity - 1);
    ids->count--;
}

int64_t cx_request_ids_add(struct cx_request_ids *ids, const struct cx_request_record *record,
                           int64_t keep_after_us, size_t count_max)
{
    size_t before = ids->count;
    size_t at;

    assert(ids->count < ids->capacity);
    while (ids->count > 0 &&
           (ids->ring[ids->first].time_us < keep_after_us || ids->count >= count_max)) {
        forget_oldest(ids);
    }
    at = (ids->first + ids->count) & (ids->capacity - 1);
    ids->places[place_find(ids, record->id)] = (uint32_t)at + 1;
    ids->ring[at] = *record;
    ids->count++;
    return (int64_t)ids->count - (int64_t)before;
}

void cx_request_ids_done(struct cx_request_ids *ids)
{
    cx_free(ids->ring);
    cx_free(ids->places);
    *ids = (struct cx_request_ids){0};
}
