#include "core/engine/engine_prepare.h"

#include "core/base/limits.h"
#include "core/state/entry.h"
#include "core/tree/diff.h"

static struct cx_op *steps_add(struct cx_step_list *steps)
{
    if (steps->count == steps->capacity) {
        size_t capacity = steps->capacity > 0 ? 2 * steps->capacity : 16;
        struct cx_op *ops = cx_arena_calloc(&steps->arena, capacity * sizeof *ops);

        if (ops == NULL) {
            return NULL;
        }
        for (size_t i = 0; i < steps->count; i++) {
            ops[i] = steps->ops[i];
        }
        steps->ops = ops;
        steps->capacity = capacity;
    }
    return &steps->ops[steps->count++];
}

/* Whether one of this weight still has its place. */
static bool steps_weigh(struct cx_step_list *steps, uint64_t size)
{
    steps->weight += CX_EVENT_OP_WEIGHT + size;
    if (steps->weight_max != 0 && steps->weight > steps->weight_max) {
        steps->too_large = true;
        steps->count = 0;
    }
    return !steps->too_large;
}

static enum cx_status steps_copy(struct cx_step_list *steps, struct cx_bytes bytes,
                                 struct cx_bytes *ret_copy)
{
    uint8_t *memory = cx_arena_alloc(&steps->arena, bytes.size + 1);
    uint8_t *at = memory;

    if (memory == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    *ret_copy = cx_bytes_put(&at, bytes);
    return CX_OK;
}

enum cx_status cx_steps_add_entry(struct cx_step_list *steps, struct cx_bytes key,
                                  const struct cx_entry *entry)
{
    uint64_t size = entry != NULL ? cx_entry_value_size(entry) : 0;
    struct cx_op op = {.kind = entry != NULL ? CX_MUTATION_PUT : CX_MUTATION_DELETE};
    uint64_t type_size = entry != NULL ? cx_entry_content_type(entry).size : 0;
    struct cx_op *added;
    uint8_t *value;

    steps->changed_count++;
    if (!steps_weigh(steps, key.size + type_size + size)) {
        return CX_OK;
    }
    if (steps_copy(steps, key, &op.key) != CX_OK) {
        return CX_RESOURCE_EXHAUSTED;
    }
    if (entry != NULL) {
        value = cx_arena_alloc(&steps->arena, size + 1);
        if (value == NULL ||
            steps_copy(steps, cx_entry_content_type(entry), &op.content_type) != CX_OK) {
            return CX_RESOURCE_EXHAUSTED;
        }
        cx_entry_read(entry, value, size);
        op.value = (struct cx_bytes){value, size};
    }
    added = steps_add(steps);
    if (added == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    *added = op;
    return CX_OK;
}

enum cx_status cx_steps_add_label(struct cx_step_list *steps, struct cx_bytes key,
                                  const struct cx_label *label)
{
    struct cx_op op = {
        .kind = label != NULL ? CX_MUTATION_SET_LABEL : CX_MUTATION_DELETE_LABEL,
    };
    struct cx_op *added;

    if (!steps_weigh(steps, key.size + (label != NULL ? label->value.size : 0))) {
        return CX_OK;
    }
    if (steps_copy(steps, key, &op.key) != CX_OK ||
        (label != NULL && steps_copy(steps, label->value, &op.value) != CX_OK)) {
        return CX_RESOURCE_EXHAUSTED;
    }
    added = steps_add(steps);
    if (added == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    *added = op;
    return CX_OK;
}

void cx_steps_reset(struct cx_step_list *steps)
{
    cx_arena_reset(&steps->arena);
    steps->ops = NULL;
    steps->count = 0;
    steps->capacity = 0;
    steps->weight = 0;
    steps->too_large = false;
    steps->changed_count = 0;
}

void cx_steps_done(struct cx_step_list *steps)
{
    cx_arena_done(&steps->arena);
    *steps = (struct cx_step_list){0};
}

static enum cx_status labels_between(struct cx_step_list *steps, struct cx_label_list before,
                                     struct cx_label_list after)
{
    enum cx_status status = CX_OK;

    for (size_t i = 0; i < before.count && status == CX_OK; i++) {
        if (cx_label_find(after, before.items[i].key) == NULL) {
            status = cx_steps_add_label(steps, before.items[i].key, NULL);
        }
    }
    for (size_t i = 0; i < after.count && status == CX_OK; i++) {
        const struct cx_label *was = cx_label_find(before, after.items[i].key);

        if (was == NULL || !cx_bytes_equal(was->value, after.items[i].value)) {
            status = cx_steps_add_label(steps, after.items[i].key, &after.items[i]);
        }
    }
    return status;
}

/* Whether an entry was only set again, to what it was. */
static bool is_same(struct cx_tree_item *was, struct cx_tree_item *is)
{
    return was != NULL && is != NULL &&
           cx_bytes_equal(cx_entry_content_type(cx_entry_of(was)),
                          cx_entry_content_type(cx_entry_of(is))) &&
           cx_entry_values_equal(cx_entry_of(was), cx_entry_of(is));
}

enum cx_status cx_steps_between(struct cx_step_list *steps, const struct cx_snapshot *before,
                                const struct cx_kept_state *after)
{
    const struct cx_label_list labels = {before->labels, before->label_count};
    struct cx_tree_item *was;
    struct cx_tree_item *is;
    struct cx_tree_diff diff;
    enum cx_status status = CX_OK;

    cx_tree_diff_begin(&diff, &cx_entry_class, &before->entries, &after->entries,
                       (struct cx_bytes){0});
    while (status == CX_OK && cx_tree_diff_next(&diff, &was, &is)) {
        status = cx_steps_add_entry(steps, cx_tree_item_key(&cx_entry_class, is != NULL ? is : was),
                                    is != NULL ? cx_entry_of(is) : NULL);
        steps->changed_count -= is_same(was, is) ? 1 : 0;
    }
    return status == CX_OK ? labels_between(steps, labels, cx_labels_list(after->labels)) : status;
}
