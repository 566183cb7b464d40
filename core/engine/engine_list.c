/* Lists. A page takes copies of the lists of all shards under their locks, one after
 * the other, merges them outside, and looks each context up again: so no lock is held
 * for long, and a page shows each context as it was at some moment while it was made. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine_internal.h"

/* The list of one shard, and where the page is in it. */
struct source {
    struct cx_tree tree;
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item; /* NULL: at the end. */
    struct cx_bytes id;        /* Of the item. */
};

/* A page being made. */
struct listing {
    struct cx_engine *engine;
    const struct cx_list_query *query;
    struct cx_list_page *page;
    int64_t now_us;
    struct cx_arena arena;
    const struct cx_tree_class *kind;
    struct cx_bytes prefix; /* What the keys that are asked for begin with. */
    struct source sources[CX_SHARDS];
    size_t source_count;
};

/* ---- Which list. ------------------------------------------------------------ */

static struct cx_tree *shard_list(struct listing *listing, struct cx_shard *shard)
{
    const struct cx_list_query *query = listing->query;

    if (query->deleted) {
        return &shard->deleted;
    }
    if (query->parent_id.size > 0) {
        return &shard->children;
    }
    if (query->label_count > 0) {
        return &shard->by_label;
    }
    return query->type.size > 0 ? &shard->by_type : &shard->by_id;
}

/* The names in front of the id in the keys of that list. */
static struct cx_row_names list_names(const struct cx_list_query *query)
{
    struct cx_row_names names = {.names = {query->namespace_id}, .count = 1};

    if (query->deleted) {
        return names;
    }
    if (query->parent_id.size > 0) {
        names.names[1] = query->parent_id;
        names.count = 2;
    } else if (query->label_count > 0) {
        names.names[1] = query->labels[0].key;
        names.names[2] = query->labels[0].value;
        names.count = 3;
    } else if (query->type.size > 0) {
        names.names[1] = query->type;
        names.count = 2;
    }
    return names;
}

/* ---- The merge. ------------------------------------------------------------- */

/* Notes what the cursor is at, if it is still asked for. */
static void source_set(const struct listing *listing, struct source *source,
                       struct cx_tree_item *item)
{
    struct cx_bytes key;

    source->item = NULL;
    if (item == NULL) {
        return;
    }
    key = cx_tree_item_key(listing->kind, item);
    if (cx_bytes_has_prefix(key, listing->prefix)) {
        source->item = item;
        source->id = listing->kind == &cx_context_class ? cx_context_id(cx_context_of(item))
                                                        : cx_row_id((const struct cx_row *)item);
    }
}

static void source_open(struct listing *listing, unsigned shard, struct cx_bytes start)
{
    struct source *source = &listing->sources[listing->source_count++];
    struct cx_tree_item *item;

    pthread_mutex_lock(&listing->engine->locks[shard]);
    source->tree = cx_tree_copy(shard_list(listing, &listing->engine->state.shards[shard]));
    pthread_mutex_unlock(&listing->engine->locks[shard]);

    item = cx_tree_seek(listing->kind, &source->tree, start, &source->cursor);
    source_set(listing, source, item);
    if (source->item != NULL && listing->query->after_id.size > 0 &&
        cx_bytes_equal(source->id, listing->query->after_id)) {
        source_set(listing, source, cx_tree_next(&source->cursor));
    }
}

static enum cx_status listing_open(struct listing *listing)
{
    const struct cx_list_query *query = listing->query;
    struct cx_row_names names = list_names(query);
    struct cx_bytes start;
    enum cx_status status;

    listing->kind = query->deleted || names.count == 1 ? &cx_context_class : &cx_row_class;
    names.id = query->id_prefix;
    status = cx_row_key(&listing->arena, &names, &listing->prefix);
    if (status == CX_OK) {
        bool behind = cx_bytes_compare(query->after_id, query->id_prefix) > 0;

        names.id = behind ? query->after_id : query->id_prefix;
        status = cx_row_key(&listing->arena, &names, &start);
    }
    if (status != CX_OK) {
        return status;
    }
    if (!query->deleted && query->parent_id.size > 0) {
        struct cx_name_key parent;

        cx_name_key_init(&parent, query->namespace_id, query->parent_id);
        source_open(listing, parent.shard, start);
        return CX_OK;
    }
    for (unsigned shard = 0; shard < CX_SHARDS; shard++) {
        source_open(listing, shard, start);
    }
    return CX_OK;
}

static void listing_done(struct listing *listing)
{
    for (size_t i = 0; i < listing->source_count; i++) {
        cx_tree_done(listing->kind, &listing->sources[i].tree);
    }
    cx_arena_done(&listing->arena);
}

/* Restores the heap of sources, the smallest id first and those at their end last,
 * after the one at `place` has moved on. */
static void heap_settle(struct listing *listing, size_t place)
{
    for (;;) {
        size_t smallest = place;

        for (size_t child = 2 * place + 1; child <= 2 * place + 2 && child < listing->source_count;
             child++) {
            const struct source *a = &listing->sources[child];
            const struct source *b = &listing->sources[smallest];

            if (a->item != NULL && (b->item == NULL || cx_bytes_compare(a->id, b->id) < 0)) {
                smallest = child;
            }
        }
        if (smallest == place) {
            return;
        }
        struct source moved = listing->sources[place];
        listing->sources[place] = listing->sources[smallest];
        listing->sources[smallest] = moved;
        place = smallest;
    }
}

/* ---- The rows. -------------------------------------------------------------- */

static bool is_wanted(const struct listing *listing, const struct cx_context *context)
{
    const struct cx_list_query *query = listing->query;
    enum cx_context_life life = query->deleted ? CX_CONTEXT_DELETED : CX_CONTEXT_LIVE;
    const struct cx_label_list labels = {query->labels, query->label_count};

    return context != NULL && context->life == life &&
           !cx_context_is_expired(context, listing->now_us) &&
           (query->type.size == 0 || cx_bytes_equal(cx_context_type(context), query->type)) &&
           (query->parent_id.size == 0 ||
            cx_bytes_equal(cx_context_parent_id(context), query->parent_id)) &&
           cx_labels_include(cx_labels_list(context->labels), labels);
}

/* Adds the context of this id to the page, if it still is what is asked for. */
static void page_add(struct listing *listing, struct cx_bytes id)
{
    struct cx_engine *engine = listing->engine;
    struct cx_list_page *page = listing->page;
    struct cx_name_key key;
    struct cx_context *context;

    cx_name_key_init(&key, listing->query->namespace_id, id);
    pthread_mutex_lock(&engine->locks[key.shard]);
    context = cx_state_find(&engine->state, &key);
    if (is_wanted(listing, context)) {
        cx_context_snapshot(context, &page->rows[page->count++]);
    }
    pthread_mutex_unlock(&engine->locks[key.shard]);
}

static void page_fill(struct listing *listing)
{
    struct cx_list_page *page = listing->page;
    struct source *first = &listing->sources[0];
    size_t looked_at = 0;

    for (size_t i = listing->source_count; i > 0; i--) {
        heap_settle(listing, i - 1);
    }
    while (first->item != NULL && page->count < listing->query->count_max &&
           looked_at < CX_PAGE_ROWS_MAX) {
        page_add(listing, first->id);
        memcpy(page->last_id_held, first->id.data, first->id.size);
        page->last_id = (struct cx_bytes){page->last_id_held, first->id.size};
        looked_at++;
        source_set(listing, first, cx_tree_next(&first->cursor));
        heap_settle(listing, 0);
    }
    page->more = first->item != NULL;
}

enum cx_status cx_engine_list(struct cx_engine *engine, const struct cx_list_query *query,
                              struct cx_list_page *ret_page, uint64_t *ret_wait_for,
                              struct cx_error *ret_error)
{
    struct listing *listing = cx_calloc(sizeof *listing);
    enum cx_status status = CX_RESOURCE_EXHAUSTED;

    assert(query->count_max >= 1 && query->count_max <= CX_PAGE_SIZE_MAX);
    *ret_wait_for = 0;
    memset(ret_page, 0, sizeof *ret_page);
    ret_page->rows = cx_calloc(query->count_max * sizeof *ret_page->rows);
    if (listing != NULL && ret_page->rows != NULL) {
        listing->engine = engine;
        listing->query = query;
        listing->page = ret_page;
        listing->now_us = engine->options.clock->wall_us(engine->options.clock);
        ret_page->position = cx_commit_revision(&engine->commit);
        status = listing_open(listing);
    }
    if (status == CX_OK) {
        page_fill(listing);
        *ret_wait_for = cx_commit_revision(&engine->commit);
    } else {
        cx_list_page_done(ret_page);
        status = cx_error_out_of_memory(ret_error);
    }
    if (listing != NULL) {
        listing_done(listing);
        cx_free(listing);
    }
    return status;
}

void cx_list_page_done(struct cx_list_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        cx_snapshot_done(&page->rows[i]);
    }
    cx_free(page->rows);
    memset(page, 0, sizeof *page);
}

/* ---- Namespaces. ------------------------------------------------------------ */

struct namespace_page {
    struct cx_namespace_row *rows;
    size_t count_max;
    size_t count;
    bool more;
};

static bool namespace_add(void *arg, struct cx_bytes name, uint64_t context_count,
                          uint64_t size_bytes)
{
    struct namespace_page *page = arg;
    struct cx_namespace_row *row;

    if (page->count == page->count_max) {
        page->more = true;
        return false;
    }
    row = &page->rows[page->count++];
    *row = (struct cx_namespace_row){.context_count = context_count, .size_bytes = size_bytes};
    assert(name.size < sizeof row->name);
    memcpy(row->name, name.data, name.size);
    return true;
}

enum cx_status cx_engine_list_namespaces(struct cx_engine *engine, struct cx_bytes after,
                                         size_t count_max, struct cx_namespace_row *rows,
                                         size_t *ret_count, bool *ret_more, uint64_t *ret_wait_for)
{
    struct namespace_page page = {.rows = rows, .count_max = count_max};

    cx_namespaces_walk(&engine->state.namespaces, after, namespace_add, &page);
    *ret_count = page.count;
    *ret_more = page.more;
    *ret_wait_for = cx_commit_revision(&engine->commit);
    return CX_OK;
}
