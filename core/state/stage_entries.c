#include "core/state/stage_entries.h"

#include <assert.h>

#include "core/base/limits.h"

static bool is_entry_op(const struct cx_op *op)
{
    return op->kind >= CX_MUTATION_PUT && op->kind <= CX_MUTATION_DELETE_PREFIX;
}

/* Out of memory, told the way the stage tells it. */
static enum cx_status out_of_memory(struct cx_stage *stage)
{
    return stage->error != NULL ? cx_error_out_of_memory(stage->error) : CX_RESOURCE_EXHAUSTED;
}

/* ---- One new entry. --------------------------------------------------------- */

static enum cx_status append_check_size(struct cx_stage *stage, const struct cx_op *op,
                                        uint64_t current_size)
{
    enum cx_status status;

    if (!op->has_expected_size || op->expected_size == current_size) {
        return CX_OK;
    }
    status = cx_error_set(stage->error, CX_REASON_SIZE_MISMATCH,
                          "the entry has %llu bytes, not the %llu that were expected; read it and "
                          "append what is missing",
                          (unsigned long long)current_size, (unsigned long long)op->expected_size);
    cx_error_detail(stage->error, "key", op->key);
    cx_error_detail_number(stage->error, "current_size", current_size);
    return status;
}

/* Decides how much of the old value a put keeps, while planning. */
static void put_find_kept(struct cx_op *op, const struct cx_entry *old)
{
    uint64_t common = 0;

    if (old != NULL && op->value.size >= CX_PUT_KEPT_MIN &&
        cx_entry_value_size(old) >= CX_PUT_KEPT_MIN) {
        common = cx_entry_common_prefix(old, op->value);
    }
    if (common >= CX_PUT_KEPT_MIN) {
        op->kept = common;
        op->value.data += common;
        op->value.size -= common;
    }
}

/* Builds the entry that a put or an append makes of `old`, which may be NULL. */
static enum cx_status entry_build(struct cx_stage *stage, struct cx_op *op,
                                  const struct cx_entry *old, uint64_t version,
                                  struct cx_entry **ret_entry)
{
    bool append = op->kind == CX_MUTATION_APPEND;
    uint64_t old_size = old != NULL ? cx_entry_value_size(old) : 0;
    struct cx_entry_parts parts = {.key = op->key, .content_type = op->content_type};
    enum cx_status status;

    if (append) {
        status = append_check_size(stage, op, old_size);
        if (status != CX_OK) {
            return status;
        }
        parts.kept = old_size;
        parts.content_type = old != NULL ? cx_entry_content_type(old) : op->content_type;
    } else {
        if (stage->error != NULL) {
            put_find_kept(op, old);
        }
        parts.kept = op->kept;
    }
    if (parts.kept > old_size) {
        return CX_DATA_LOSS; /* A replay of something that no planning made. */
    }
    if (parts.kept + op->value.size > stage->value_size_max) {
        return cx_error_limit(stage->error, "value_size_max", stage->value_size_max);
    }
    parts.old = old;
    parts.version = version;
    parts.added = op->value;
    status = cx_entry_new(stage->state->chunks, &parts, ret_entry);
    return status == CX_OK ? CX_OK : out_of_memory(stage);
}

static void count(uint64_t *entry_count, uint64_t *size_bytes, const struct cx_entry *old,
                  const struct cx_entry *new)
{
    *entry_count += (uint64_t)(new != NULL) - (uint64_t)(old != NULL);
    *size_bytes += cx_entry_weight(new) - cx_entry_weight(old);
}

/* ---- One step, in place. ---------------------------------------------------- */

static enum cx_status stage_edit(struct cx_stage *stage, struct cx_tree *base, struct cx_op *op,
                                 uint64_t version, struct cx_staged_item *staged)
{
    struct cx_tree_item *found = cx_tree_get(&cx_entry_class, base, op->key);
    struct cx_entry *old = found != NULL ? cx_entry_of(found) : NULL;
    enum cx_status status;

    if (op->kind == CX_MUTATION_DELETE && old == NULL) {
        return CX_OK; /* The change makes a version all the same. */
    }
    if (cx_tree_own_few(&cx_entry_class, base) != CX_OK) {
        return out_of_memory(stage);
    }
    if (op->kind == CX_MUTATION_DELETE) {
        status = cx_tree_need_remove(&stage->need, &cx_entry_class, base, op->key);
    } else {
        status = entry_build(stage, op, old, version, &staged->new_entry);
        if (status != CX_OK) {
            return status;
        }
        status = cx_tree_need_put(&stage->need, &cx_entry_class, base, op->key);
    }
    if (status != CX_OK) {
        return out_of_memory(stage);
    }
    staged->edit = CX_UNDO_ENTRY;
    staged->edit_key = op->key;
    count(&staged->entry_count, &staged->size_bytes, old, staged->new_entry);
    return CX_OK;
}

/* ---- Several steps, on a copy. ---------------------------------------------- */

static enum cx_status copy_set(struct cx_stage *stage, struct cx_op *op, uint64_t version,
                               struct cx_entries_copy *copy)
{
    struct cx_tree_item *found = cx_tree_get(&cx_entry_class, &copy->entries, op->key);
    struct cx_entry *old = found != NULL ? cx_entry_of(found) : NULL;
    struct cx_tree_item *replaced;
    struct cx_entry *entry;
    enum cx_status status = entry_build(stage, op, old, version, &entry);

    if (status != CX_OK) {
        return status;
    }
    count(&copy->entry_count, &copy->size_bytes, old, entry);
    status = cx_tree_put(&cx_entry_class, &copy->entries, NULL, &entry->item, &replaced);
    if (status != CX_OK) {
        cx_entry_unref(entry);
        return out_of_memory(stage);
    }
    cx_tree_item_unref(&cx_entry_class, replaced);
    return CX_OK;
}

static enum cx_status copy_delete(struct cx_stage *stage, struct cx_bytes key,
                                  struct cx_entries_copy *copy)
{
    struct cx_tree_item *removed;
    enum cx_status status = cx_tree_remove(&cx_entry_class, &copy->entries, NULL, key, &removed);

    if (status != CX_OK) {
        return out_of_memory(stage);
    }
    if (removed != NULL) {
        count(&copy->entry_count, &copy->size_bytes, cx_entry_of(removed), NULL);
        cx_tree_item_unref(&cx_entry_class, removed);
    }
    return CX_OK;
}

static enum cx_status copy_delete_prefix(struct cx_stage *stage, struct cx_bytes prefix,
                                         struct cx_entries_copy *copy)
{
    if (prefix.size == 0) {
        cx_tree_done(&cx_entry_class, &copy->entries);
        copy->entry_count = 0;
        copy->size_bytes = 0;
        return CX_OK;
    }
    for (;;) {
        struct cx_tree_cursor cursor;
        struct cx_tree_item *item = cx_tree_seek(&cx_entry_class, &copy->entries, prefix, &cursor);
        enum cx_status status;

        if (item == NULL || !cx_bytes_has_prefix(cx_tree_item_key(&cx_entry_class, item), prefix)) {
            return CX_OK;
        }
        cx_tree_item_ref(item); /* Its key must outlive its removal. */
        status = copy_delete(stage, cx_tree_item_key(&cx_entry_class, item), copy);
        cx_tree_item_unref(&cx_entry_class, item);
        if (status != CX_OK) {
            return status;
        }
    }
}

static enum cx_status copy_steps(struct cx_stage *stage, struct cx_op *ops, size_t op_count,
                                 uint64_t version, struct cx_entries_copy *copy)
{
    enum cx_status status = CX_OK;

    for (size_t i = 0; i < op_count && status == CX_OK; i++) {
        struct cx_op *op = &ops[i];

        if (op->kind == CX_MUTATION_PUT || op->kind == CX_MUTATION_APPEND) {
            status = copy_set(stage, op, version, copy);
        } else if (op->kind == CX_MUTATION_DELETE) {
            status = copy_delete(stage, op->key, copy);
        } else if (op->kind == CX_MUTATION_DELETE_PREFIX) {
            status = copy_delete_prefix(stage, op->key, copy);
        }
    }
    return status;
}

enum cx_status cx_stage_entries_copy(struct cx_stage *stage, const struct cx_tree *base,
                                     struct cx_op *ops, size_t op_count, uint64_t version,
                                     struct cx_entries_copy *copy)
{
    enum cx_status status;

    copy->entries = cx_tree_copy(base);
    status = copy_steps(stage, ops, op_count, version, copy);
    if (status != CX_OK) {
        cx_tree_done(&cx_entry_class, &copy->entries);
    }
    return status;
}

static enum cx_status stage_copy(struct cx_stage *stage, const struct cx_tree *base,
                                 struct cx_change_item *item, struct cx_staged_item *staged)
{
    struct cx_entries_copy copy = {
        .entry_count = staged->entry_count,
        .size_bytes = staged->size_bytes,
    };
    enum cx_status status =
        cx_stage_entries_copy(stage, base, item->ops, item->op_count, item->version, &copy);

    staged->edit = CX_UNDO_ROOT;
    staged->entries = copy.entries;
    staged->entry_count = copy.entry_count;
    staged->size_bytes = copy.size_bytes;
    return status;
}

/* Whether a point is made of the head as it is before the item. */
static bool keeps_head_before(const struct cx_change_item *item)
{
    for (size_t i = 0; i < item->point_count; i++) {
        if (item->points[i].aside && item->points[i].base.kind == CX_BASE_HEAD) {
            return true;
        }
    }
    return false;
}

enum cx_status cx_stage_entries(struct cx_stage *stage, struct cx_tree *base,
                                struct cx_change_item *item, struct cx_staged_item *staged)
{
    struct cx_op *single = NULL;
    size_t steps = 0;

    for (size_t i = 0; i < item->op_count; i++) {
        if (is_entry_op(&item->ops[i])) {
            single = &item->ops[i];
            steps++;
        }
    }
    if (steps == 0) {
        return CX_OK;
    }
    /* The first entry of a tree goes the other way: its node is then as small as it is. So does one
     * whose tree a point is going to share, before the change. */
    if (steps == 1 && !keeps_head_before(item) && single->kind != CX_MUTATION_DELETE_PREFIX &&
        base->root != NULL) {
        return stage_edit(stage, base, single, item->version, staged);
    }
    return stage_copy(stage, base, item, staged);
}
