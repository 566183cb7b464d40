#include "core/feed/purges.h"

#include <assert.h>

#include "core/base/memory.h"

enum { CAPACITY_MIN = 64 };

void cx_purges_init(struct cx_purges *purges)
{
    *purges = (struct cx_purges){0};
    pthread_mutex_init(&purges->mutex, NULL);
}

void cx_purges_done(struct cx_purges *purges)
{
    cx_free(purges->slots);
    pthread_mutex_destroy(&purges->mutex);
}

/* The slot of this context, or the one where it would be. There is a free one. */
static struct cx_purge *slot_of(const struct cx_purges *purges, uint64_t hash)
{
    size_t mask = purges->capacity - 1;
    size_t at = hash & mask;

    while (purges->slots[at].revision != 0 && purges->slots[at].hash != hash) {
        at = (at + 1) & mask;
    }
    return &purges->slots[at];
}

/* Takes those above the floor over into a new table. */
static bool rebuild_locked(struct cx_purges *purges, size_t capacity, uint64_t floor)
{
    struct cx_purges fresh = {.capacity = capacity};

    fresh.slots = cx_calloc(capacity * sizeof *fresh.slots);
    if (fresh.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < purges->capacity; i++) {
        const struct cx_purge *old = &purges->slots[i];

        if (old->revision > floor) {
            *slot_of(&fresh, old->hash) = *old;
            fresh.count++;
        }
    }
    cx_free(purges->slots);
    purges->slots = fresh.slots;
    purges->capacity = fresh.capacity;
    purges->count = fresh.count;
    return true;
}

bool cx_purges_reserve(struct cx_purges *purges, size_t count)
{
    size_t capacity;
    bool ok;

    if (count == 0) {
        return true; /* Most changes purge nothing. */
    }
    pthread_mutex_lock(&purges->mutex);
    capacity = purges->capacity > 0 ? purges->capacity : CAPACITY_MIN;
    while (capacity < 2 * (purges->count + purges->reserved + count)) {
        capacity *= 2;
    }
    ok = capacity == purges->capacity || rebuild_locked(purges, capacity, 0);
    purges->reserved += ok ? count : 0;
    pthread_mutex_unlock(&purges->mutex);
    return ok;
}

void cx_purges_release(struct cx_purges *purges, size_t count)
{
    if (count == 0) {
        return;
    }
    pthread_mutex_lock(&purges->mutex);
    assert(purges->reserved >= count);
    purges->reserved -= count;
    pthread_mutex_unlock(&purges->mutex);
}

void cx_purges_add(struct cx_purges *purges, uint64_t hash, uint64_t revision)
{
    struct cx_purge *slot;

    pthread_mutex_lock(&purges->mutex);
    assert(purges->reserved > 0);
    purges->reserved--;
    slot = slot_of(purges, hash);
    purges->count += slot->revision == 0 ? 1 : 0;
    if (revision > slot->revision) {
        *slot = (struct cx_purge){hash, revision};
    }
    if (revision > purges->newest) {
        __atomic_store_n(&purges->newest, revision, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&purges->mutex);
}

bool cx_purges_hide(struct cx_purges *purges, uint64_t hash, uint64_t revision, uint64_t durable)
{
    uint64_t purged;

    if (revision >= __atomic_load_n(&purges->newest, __ATOMIC_ACQUIRE)) {
        return false;
    }
    pthread_mutex_lock(&purges->mutex);
    purged = slot_of(purges, hash)->revision;
    pthread_mutex_unlock(&purges->mutex);
    return purged > revision && purged <= durable;
}

void cx_purges_forget(struct cx_purges *purges, uint64_t floor)
{
    pthread_mutex_lock(&purges->mutex);
    if (purges->capacity > 0) {
        /* Without memory for that, they stay until the next time. */
        (void)rebuild_locked(purges, purges->capacity, floor);
    }
    pthread_mutex_unlock(&purges->mutex);
}
