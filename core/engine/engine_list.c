/* Lists. A page takes copies of the lists of all shards under their locks, one after
 * the other, merges them outside, and looks each context up again: so no lock is held
 * for long, and a page shows each context as it was at some moment while it was made. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine_merge.h"

/* A page being made. */
struct listing {
    struct cx_engine *engine;
    const struct cx_list_query *query;
    struct cx_list_page *page;
    int64_t now_us;
    struct cx_arena arena;
    struct cx_merge merge;
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

/* ---- The walk. -------------------------------------------------------------- */

static struct cx_bytes id_of_context(const struct cx_tree_item *item)
{
    return cx_context_id((const struct cx_context *)item);
}

static struct cx_bytes id_of_row(const struct cx_tree_item *item)
{
    return cx_row_id((const struct cx_row *)item);
}

static void open_shard(struct listing *listing, unsigned shard, struct cx_bytes start)
{
    cx_merge_open(&listing->merge, listing->engine, shard,
                  shard_list(listing, &listing->engine->state.shards[shard]), start,
                  listing->query->after_id);
}

static enum cx_status listing_open(struct listing *listing)
{
    const struct cx_list_query *query = listing->query;
    struct cx_row_names names = list_names(query);
    struct cx_bytes start;
    enum cx_status status;

    if (query->deleted || names.count == 1) {
        listing->merge.kind = &cx_context_class;
        listing->merge.id_of = id_of_context;
    } else {
        listing->merge.kind = &cx_row_class;
        listing->merge.id_of = id_of_row;
    }
    names.id = query->id_prefix;
    status = cx_row_key(&listing->arena, &names, &listing->merge.prefix);
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
        open_shard(listing, parent.shard, start);
        return CX_OK;
    }
    for (unsigned shard = 0; shard < CX_SHARDS; shard++) {
        open_shard(listing, shard, start);
    }
    return CX_OK;
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
    struct cx_merge *merge = &listing->merge;
    size_t looked_at = 0;
    struct cx_bytes id;

    cx_merge_begin(merge);
    while (cx_merge_first(merge, &id) != NULL && page->count < listing->query->count_max &&
           looked_at < CX_PAGE_ROWS_MAX) {
        page_add(listing, id);
        memcpy(page->last_id_held, id.data, id.size);
        page->last_id = (struct cx_bytes){page->last_id_held, id.size};
        looked_at++;
        cx_merge_advance(merge);
    }
    page->more = cx_merge_first(merge, &id) != NULL;
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
        cx_merge_done(&listing->merge);
        cx_arena_done(&listing->arena);
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
