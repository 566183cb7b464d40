#include "core/feed/block.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/limits.h"
#include "core/base/memory.h"

/* ---- Life. ------------------------------------------------------------------ */

/* Makes room for so many events. Only while there are none: others hold their places. */
static enum cx_status set_capacity(struct cx_block *block, size_t capacity)
{
    assert(block->event_count == 0);
    cx_free(block->events);
    cx_free(block->encoded[0]);
    block->events = cx_alloc(capacity * sizeof *block->events);
    block->encoded[0] = cx_calloc(2 * capacity * sizeof *block->encoded[0]);
    block->encoded[1] = block->encoded[0] != NULL ? block->encoded[0] + capacity : NULL;
    block->event_capacity = capacity;
    return block->events != NULL && block->encoded[0] != NULL ? CX_OK : CX_RESOURCE_EXHAUSTED;
}

struct cx_block *cx_block_new(uint64_t first)
{
    struct cx_block *block = cx_calloc(sizeof *block);

    if (block == NULL) {
        return NULL;
    }
    block->first = first;
    block->next = first;
    pthread_mutex_init(&block->encoding, NULL);
    if (set_capacity(block, CX_FEED_BLOCK_EVENTS) != CX_OK) {
        cx_block_free(block);
        return NULL;
    }
    return block;
}

void cx_block_free(struct cx_block *block)
{
    if (block == NULL) {
        return;
    }
    cx_free(block->events);
    cx_free(block->encoded[0]);
    cx_free(block->places);
    cx_arena_done(&block->arena);
    cx_arena_done(&block->encoded_arena);
    cx_buffer_done(&block->scratch);
    pthread_mutex_destroy(&block->encoding);
    cx_free(block);
}

/* ---- Building. -------------------------------------------------------------- */

static struct cx_bytes copy_payload(struct cx_arena *arena, struct cx_bytes payload)
{
    uint8_t *copy = cx_arena_alloc(arena, payload.size);

    if (copy == NULL) {
        return (struct cx_bytes){NULL, 0};
    }
    return cx_bytes_put(&copy, payload);
}

enum cx_status cx_block_add(struct cx_block *block, const struct cx_log_record *record)
{
    bool is_first = block->next == block->first;
    struct cx_change *change;
    struct cx_bytes payload;
    size_t count;
    enum cx_status status;

    assert(record->revision == block->next && block->places == NULL);
    if (!is_first && block->payload_bytes + record->payload.size > CX_FEED_BLOCK_BYTES) {
        return CX_OUT_OF_RANGE;
    }
    payload = copy_payload(&block->arena, record->payload);
    change = cx_arena_alloc(&block->arena, sizeof *change);
    if (payload.data == NULL || change == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    status = cx_change_decode(payload, &block->arena, change);
    if (status != CX_OK) {
        return status;
    }
    count = cx_event_count(change);
    if (!is_first && block->event_count + count > block->event_capacity) {
        return CX_OUT_OF_RANGE;
    }
    if (count > block->event_capacity) {
        status = set_capacity(block, count);
        if (status != CX_OK) {
            return status;
        }
    }
    cx_event_make(change, record->revision, record->time_us, block->events + block->event_count);
    block->event_count += count;
    block->payload_bytes += record->payload.size;
    block->next++;
    return CX_OK;
}

static int compare_places(const void *a, const void *b)
{
    const struct cx_block_place *first = a;
    const struct cx_block_place *second = b;

    if (first->hash != second->hash) {
        return first->hash > second->hash ? 1 : -1;
    }
    return (first->event > second->event) - (first->event < second->event);
}

void cx_block_seal(struct cx_block *block)
{
    struct cx_block_place *places = cx_alloc((block->event_count + 1) * sizeof *places);

    if (places == NULL) {
        return;
    }
    for (size_t i = 0; i < block->event_count; i++) {
        places[i] = (struct cx_block_place){block->events[i].hash, (uint32_t)i};
    }
    qsort(places, block->event_count, sizeof *places, compare_places);
    __atomic_store_n(&block->places, places, __ATOMIC_RELEASE);
}

/* ---- Looking. --------------------------------------------------------------- */

/* The first place, in the order of hashes, of an event at or behind `from` of this name. */
static size_t place_of(const struct cx_block *block, const struct cx_block_place *places,
                       uint64_t hash, size_t from)
{
    const struct cx_block_place wanted = {hash, (uint32_t)from};
    size_t low = 0;
    size_t high = block->event_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_places(&places[middle], &wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* For a filter of one context. */
static size_t find_placed(const struct cx_block *block, const struct cx_block_place *places,
                          const struct cx_event_filter *filter, size_t from, size_t count)
{
    uint64_t hash = filter->ids[0].hash;

    for (size_t at = place_of(block, places, hash, from);
         at < block->event_count && places[at].hash == hash; at++) {
        size_t event = places[at].event;

        if (event >= count) {
            break;
        }
        if (cx_event_filter_match(filter, &block->events[event])) {
            return event;
        }
    }
    return count;
}

size_t cx_block_find(const struct cx_block *block, const struct cx_event_filter *filter,
                     size_t from, size_t count)
{
    const struct cx_block_place *places = __atomic_load_n(&block->places, __ATOMIC_ACQUIRE);
    bool one_id = filter->context_id_count == 1;

    if (one_id && places != NULL) {
        return find_placed(block, places, filter, from, count);
    }
    for (size_t i = from; i < count; i++) {
        if ((!one_id || block->events[i].hash == filter->ids[0].hash) &&
            cx_event_filter_match(filter, &block->events[i])) {
            return i;
        }
    }
    return count;
}

size_t cx_block_seek(const struct cx_block *block, size_t count, uint64_t revision, uint32_t index)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct cx_event *event = &block->events[middle];

        if (event->revision < revision || (event->revision == revision && event->index < index)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* ---- Encoding. -------------------------------------------------------------- */

static const struct cx_bytes *encode_locked(struct cx_block *block,
                                            const struct cx_event_encoder *encoder,
                                            const struct cx_event *event, bool without_values)
{
    struct cx_bytes *encoded;
    uint8_t *at;

    block->scratch.size = 0;
    if (encoder->encode(encoder->arg, event, without_values, &block->scratch) != CX_OK) {
        return NULL;
    }
    encoded = cx_arena_alloc(&block->encoded_arena, sizeof *encoded + block->scratch.size);
    if (encoded == NULL) {
        return NULL;
    }
    at = (uint8_t *)(encoded + 1);
    *encoded = cx_bytes_put(&at, cx_buffer_bytes(&block->scratch));
    __atomic_fetch_add(&block->encoded_bytes, encoded->size, __ATOMIC_RELAXED);
    return encoded;
}

struct cx_bytes cx_block_encoded(struct cx_block *block, const struct cx_event_encoder *encoder,
                                 size_t event, bool without_values)
{
    const struct cx_bytes **place = &block->encoded[without_values ? 1 : 0][event];
    const struct cx_bytes *encoded = __atomic_load_n(place, __ATOMIC_ACQUIRE);

    if (encoded == NULL) {
        pthread_mutex_lock(&block->encoding);
        encoded = __atomic_load_n(place, __ATOMIC_RELAXED);
        if (encoded == NULL) {
            encoded = encode_locked(block, encoder, &block->events[event], without_values);
            __atomic_store_n(place, encoded, __ATOMIC_RELEASE);
        }
        pthread_mutex_unlock(&block->encoding);
    }
    return encoded != NULL ? *encoded : (struct cx_bytes){NULL, 0};
}
