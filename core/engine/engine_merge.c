#include "core/engine/engine_merge.h"

/* Notes what the cursor is at, if it is still asked for. */
static void source_set(const struct cx_merge *merge, struct cx_merge_source *source,
                       struct cx_tree_item *item)
{
    source->item = NULL;
    if (item != NULL && cx_bytes_has_prefix(cx_tree_item_key(merge->kind, item), merge->prefix)) {
        source->item = item;
        source->id = merge->id_of(item);
    }
}

void cx_merge_open(struct cx_merge *merge, struct cx_engine *engine, unsigned shard,
                   const struct cx_tree *piece, struct cx_bytes start, struct cx_bytes after)
{
    struct cx_merge_source *source = &merge->sources[merge->source_count++];

    pthread_mutex_lock(&engine->locks[shard]);
    source->tree = cx_tree_copy(piece);
    pthread_mutex_unlock(&engine->locks[shard]);

    source_set(merge, source, cx_tree_seek(merge->kind, &source->tree, start, &source->cursor));
    if (source->item != NULL && after.size > 0 && cx_bytes_equal(source->id, after)) {
        source_set(merge, source, cx_tree_next(&source->cursor));
    }
}

/* Restores the heap of sources, the smallest id first and those at their end last,
 * after the one at `place` has moved on. */
static void heap_settle(struct cx_merge *merge, size_t place)
{
    for (;;) {
        size_t smallest = place;

        for (size_t child = 2 * place + 1; child <= 2 * place + 2 && child < merge->source_count;
             child++) {
            const struct cx_merge_source *a = &merge->sources[child];
            const struct cx_merge_source *b = &merge->sources[smallest];

            if (a->item != NULL && (b->item == NULL || cx_bytes_compare(a->id, b->id) < 0)) {
                smallest = child;
            }
        }
        if (smallest == place) {
            return;
        }
        struct cx_merge_source moved = merge->sources[place];
        merge->sources[place] = merge->sources[smallest];
        merge->sources[smallest] = moved;
        place = smallest;
    }
}

void cx_merge_begin(struct cx_merge *merge)
{
    for (size_t i = merge->source_count; i > 0; i--) {
        heap_settle(merge, i - 1);
    }
}

struct cx_tree_item *cx_merge_first(const struct cx_merge *merge, struct cx_bytes *ret_id)
{
    *ret_id = merge->sources[0].id;
    return merge->sources[0].item;
}

void cx_merge_advance(struct cx_merge *merge)
{
    source_set(merge, &merge->sources[0], cx_tree_next(&merge->sources[0].cursor));
    heap_settle(merge, 0);
}

void cx_merge_done(struct cx_merge *merge)
{
    for (size_t i = 0; i < merge->source_count; i++) {
        cx_tree_done(merge->kind, &merge->sources[i].tree);
    }
}
