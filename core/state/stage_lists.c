#include "core/state/stage_lists.h"

static struct cx_list_edit *edit_new(struct cx_stage *stage, struct cx_tree *tree,
                                     const struct cx_tree_class *kind)
{
    struct cx_list_edit *edit = cx_arena_calloc(stage->arena, sizeof *edit);

    if (edit != NULL) {
        edit->tree = tree;
        edit->kind = kind;
        *stage->edits_end = edit;
        stage->edits_end = &edit->next;
    }
    return edit;
}

enum cx_status cx_stage_list_add(struct cx_stage *stage, struct cx_tree *tree,
                                 const struct cx_tree_class *kind, struct cx_tree_item *item)
{
    struct cx_list_edit *edit = edit_new(stage, tree, kind);

    if (edit == NULL) {
        cx_tree_item_unref(kind, item);
        return CX_RESOURCE_EXHAUSTED;
    }
    edit->added = item;
    return cx_tree_need_put(&stage->need, kind, tree, cx_tree_item_key(kind, item));
}

enum cx_status cx_stage_list_remove(struct cx_stage *stage, struct cx_tree *tree,
                                    const struct cx_tree_class *kind, struct cx_bytes key)
{
    struct cx_list_edit *edit = edit_new(stage, tree, kind);

    if (edit == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    edit->removed = key;
    return cx_tree_need_remove(&stage->need, kind, tree, key);
}

enum cx_status cx_stage_row(struct cx_stage *stage, struct cx_tree *tree,
                            const struct cx_row_names *names, bool add)
{
    struct cx_bytes key;
    struct cx_row *row;
    enum cx_status status;

    if (add) {
        status = cx_row_new(names, &row);
        return status == CX_OK ? cx_stage_list_add(stage, tree, &cx_row_class, &row->item) : status;
    }
    status = cx_row_key(stage->arena, names, &key);
    return status == CX_OK ? cx_stage_list_remove(stage, tree, &cx_row_class, key) : status;
}

enum cx_status cx_stage_label_rows(struct cx_stage *stage, const struct cx_staged_item *staged,
                                   struct cx_label_list list, struct cx_label_list other, bool add)
{
    enum cx_status status = CX_OK;

    for (size_t i = 0; i < list.count && status == CX_OK; i++) {
        const struct cx_label *label = &list.items[i];
        const struct cx_label *same = cx_label_find(other, label->key);
        const struct cx_row_names names = {
            .names = {cx_context_namespace(staged->context), label->key, label->value},
            .count = 3,
            .id = cx_context_id(staged->context),
        };

        if (same == NULL || !cx_bytes_equal(same->value, label->value)) {
            status =
                cx_stage_row(stage, &cx_stage_shard(stage, staged->key)->by_label, &names, add);
        }
    }
    return status;
}

enum cx_status cx_stage_type_row(struct cx_stage *stage, const struct cx_staged_item *staged,
                                 bool add)
{
    const struct cx_row_names names = {
        .names = {cx_context_namespace(staged->context), cx_context_type(staged->context)},
        .count = 2,
        .id = cx_context_id(staged->context),
    };

    if (names.names[1].size == 0) {
        return CX_OK;
    }
    return cx_stage_row(stage, &cx_stage_shard(stage, staged->key)->by_type, &names, add);
}

enum cx_status cx_stage_parent_row(struct cx_stage *stage, struct cx_staged_item *staged, bool add)
{
    const struct cx_row_names names = {
        .names = {cx_context_namespace(staged->context), cx_context_parent_id(staged->context)},
        .count = 2,
        .id = cx_context_id(staged->context),
    };
    struct cx_name_key key;

    if (names.names[1].size == 0) {
        return CX_OK;
    }
    cx_name_key_init(&key, names.names[0], names.names[1]);
    staged->parent = cx_stage_find(stage, &key);
    if (staged->parent == NULL) {
        return CX_DATA_LOSS; /* Planning has made sure of it. */
    }
    return cx_stage_row(stage, &cx_stage_shard(stage, &key)->children, &names, add);
}
