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

/* A slot for one more purge of this context: that of one which nobody needs any more, since a
 * later one is durable too, or a free one. There is a free one. */
static struct cx_purge *slot_for(const struct cx_purges *purges, uint64_t hash, uint64_t durable)
{
    size_t mask = purges->capacity - 1;
    size_t at = hash & mask;
    struct cx_purge *newest = NULL; /* Of those that are durable. */
    struct cx_purge *spare = NULL;

    for (; purges->slots[at].revision != 0; at = (at + 1) & mask) {
        struct cx_purge *slot = &purges->slots[at];

        if (slot->hash != hash || slot->revision > durable) {
            continue;
        }
        if (newest == NULL || slot->revision > newest->revision) {
            spare = newest != NULL ? newest : spare;
            newest = slot;
        } else {
            spare = slot;
        }
    }
    return spare != NULL ? spare : &purges->slots[at];
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
            *slot_for(&fresh, old->hash, 0) = *old;
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

void cx_purges_add(struct cx_purges *purges, uint64_t hash, uint64_t revision, uint64_t durable)
{
    struct cx_purge *slot;

    pthread_mutex_lock(&purges->mutex);
    assert(purges->reserved > 0);
    purges->reserved--;
    slot = slot_for(purges, hash, durable);
    purges->count += slot->revision == 0 ? 1 : 0;
    *slot = (struct cx_purge){hash, revision};
    if (revision > purges->newest) {
        __atomic_store_n(&purges->newest, revision, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&purges->mutex);
}

bool cx_purges_hide(struct cx_purges *purges, uint64_t hash, uint64_t revision, uint64_t durable)
{
    bool hidden = false;

    if (revision >= __atomic_load_n(&purges->newest, __ATOMIC_ACQUIRE)) {
        return false;
    }
    pthread_mutex_lock(&purges->mutex);
    for (size_t at = hash & (purges->capacity - 1); purges->slots[at].revision != 0;
         at = (at + 1) & (purges->capacity - 1)) {
        const struct cx_purge *slot = &purges->slots[at];

        hidden |= slot->hash == hash && slot->revision > revision && slot->revision <= durable;
    }
    pthread_mutex_unlock(&purges->mutex);
    return hidden;
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
