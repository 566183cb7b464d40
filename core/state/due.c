#include "core/state/due.h"

#include <assert.h>

#include "core/base/memory.h"
#include "core/state/context.h"

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
    slot.context->due_index = (uint32_t)place + 1;
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

static void slot_remove(struct cx_due *due, struct cx_context *context)
{
    size_t place = context->due_index - 1;
    struct cx_due_slot last = due->slots[--due->count];

    context->due_index = 0;
    if (place < due->count) {
        slot_settle(due, place, last);
    }
}

void cx_due_set(struct cx_due *due, struct cx_context *context, int64_t time_us)
{
    struct cx_due_slot slot = {time_us, context};

    if (time_us == 0 && context->due_index != 0) {
        slot_remove(due, context);
    } else if (time_us != 0 && context->due_index != 0) {
        slot_settle(due, context->due_index - 1, slot);
    } else if (time_us != 0) {
        assert(due->count < due->capacity);
        due->count++;
        slot_settle(due, due->count - 1, slot);
    }
}

struct cx_context *cx_due_first(const struct cx_due *due, int64_t *ret_time_us)
{
    if (due->count == 0) {
        return NULL;
    }
    *ret_time_us = due->slots[0].time_us;
    return due->slots[0].context;
}

void cx_due_done(struct cx_due *due)
{
    cx_free(due->slots);
    *due = (struct cx_due){0};
}
