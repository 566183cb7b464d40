#include "core/state/due.h"

#include <assert.h>

#include "core/base/memory.h"

enum { CAPACITY_MIN = 16 };

enum cx_status cx_due_reserve(struct cx_due *due, size_t count)
{
    size_t capacity = due->capacity > 0 ? due->capacity : CAPACITY_MIN;
    struct cx_due_slot *slots;

    while (capacity - due->count < count) {
        capacity *= 2;
    }
    if (capacity == due->capacity) {
        return CX_OK;
    }
    slots = cx_realloc(due->slots, capacity * sizeof *slots);
    if (slots == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    due->slots = slots;
    due->capacity = capacity;
    return CX_OK;
}

static void slot_put(struct cx_due *due, size_t place, struct cx_due_slot slot)
{
    due->slots[place] = slot;
    slot.mark->place = (uint32_t)place + 1;
}

/* Moves a slot from `place` to where it belongs, towards the first or the last. */
static void slot_settle(struct cx_due *due, size_t place, struct cx_due_slot slot)
{
    while (place > 0 && due->slots[(place - 1) / 2].time_us > slot.time_us) {
        slot_put(due, place, due->slots[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * place + 1;

        if (child + 1 < due->count && due->slots[child + 1].time_us < due->slots[child].time_us) {
            child++;
        }
        if (child >= due->count || due->slots[child].time_us >= slot.time_us) {
            break;
        }
        slot_put(due, place, due->slots[child]);
        place = child;
    }
    slot_put(due, place, slot);
}

static void slot_remove(struct cx_due *due, struct cx_due_mark *mark)
{
    size_t place = mark->place - 1;
    struct cx_due_slot last = due->slots[--due->count];

    mark->place = 0;
    if (place < due->count) {
        slot_settle(due, place, last);
    }
}

void cx_due_set(struct cx_due *due, struct cx_due_mark *mark, int64_t time_us)
{
    struct cx_due_slot slot = {time_us, mark};

    if (time_us == 0 && mark->place != 0) {
        slot_remove(due, mark);
    } else if (time_us != 0 && mark->place != 0) {
        slot_settle(due, mark->place - 1, slot);
    } else if (time_us != 0) {
        assert(due->count < due->capacity);
        due->count++;
        slot_settle(due, due->count - 1, slot);
    }
}

struct cx_due_mark *cx_due_first(const struct cx_due *due, int64_t *ret_time_us)
{
    if (due->count == 0) {
        return NULL;
    }
    *ret_time_us = due->slots[0].time_us;
    return due->slots[0].mark;
}

void cx_due_done(struct cx_due *due)
{
    cx_free(due->slots);
    *due = (struct cx_due){0};
}
