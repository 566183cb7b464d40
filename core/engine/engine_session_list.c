/* The list of sessions, oldest first. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine_merge.h"

/* A page being made. */
struct listing {
    struct cx_engine *engine;
    const struct cx_session_query *query;
    struct cx_session_page *page;
    struct cx_arena arena;
    struct cx_merge merge;
    size_t lapses; /* Sessions that it has ended, or tried to. */
};

static struct cx_bytes id_of(const struct cx_tree_item *item)
{
    return cx_row_id((const struct cx_row *)item);
}

/* Begins behind the last session of the page before. */
static enum cx_status listing_open(struct listing *listing)
{
    const struct cx_session_query *query = listing->query;
    struct cx_row_names names = {.names = {query->namespace_id}, .count = 1};
    uint64_t after =
        query->after_start_revision < UINT64_MAX - 1 ? query->after_start_revision : UINT64_MAX - 1;
    struct cx_session_row_id id;
    struct cx_bytes start;
    enum cx_status status = cx_row_key(&listing->arena, &names, &listing->merge.prefix);

    cx_session_row_id_init(&id, after + 1, (struct cx_bytes){0});
    names.id = (struct cx_bytes){id.bytes, id.size};
    if (status == CX_OK) {
        status = cx_row_key(&listing->arena, &names, &start);
    }
    for (unsigned shard = 0; shard < CX_SHARDS && status == CX_OK; shard++) {
        cx_merge_open(&listing->merge, listing->engine, shard,
                      &listing->engine->state.shards[shard].sessions_by_start, start,
                      (struct cx_bytes){0});
    }
    return status;
}

/* Adds a session to the page, if it still is what is asked for. *ret_lapsed: its term is over,
 * and it is to be ended instead, unless it is shown as it still is. */
static enum cx_status page_add(struct listing *listing, const struct cx_name_key *key,
                               bool shows_lapsed, bool *ret_lapsed)
{
    const struct cx_session_query *query = listing->query;
    const struct cx_clock *clock = listing->engine->options.clock;
    struct cx_engine *engine = listing->engine;
    struct cx_session_view *view = NULL;
    enum cx_status status = CX_OK;
    const struct cx_session *session;

    pthread_mutex_lock(&engine->locks[key->shard]);
    session = cx_state_find_session(&engine->state, key);
    *ret_lapsed = session != NULL && !shows_lapsed &&
                  cx_session_has_lapsed(session, clock->monotonic_us(clock));
    if (session != NULL && !*ret_lapsed &&
        (query->owner.size == 0 || cx_bytes_equal(query->owner, cx_session_owner(session)))) {
        view = cx_alloc(cx_session_view_room(session));
        status = view != NULL ? CX_OK : CX_RESOURCE_EXHAUSTED;
    }
    if (view != NULL) {
        cx_engine_view_session(engine, session, view);
        listing->page->rows[listing->page->count++] = view;
    }
    pthread_mutex_unlock(&engine->locks[key->shard]);
    return status;
}

/* Adds the session of a row. One whose term is over is ended; where that fails, it is shown as
 * it still is. */
static enum cx_status page_add_row(struct listing *listing, const struct cx_row *row)
{
    const struct cx_session_name name = {
        listing->query->namespace_id,
        cx_session_row_session(row),
    };
    enum cx_status status;
    struct cx_error error;
    struct cx_name_key key;
    bool lapsed;

    if (!cx_session_key(&key, &name)) {
        return CX_OK;
    }
    status = page_add(listing, &key, listing->lapses == CX_ENGINE_LAPSES_MAX, &lapsed);
    if (lapsed) {
        listing->lapses++;
        if (cx_engine_lapse(listing->engine, &key, &error) != CX_OK) {
            status = page_add(listing, &key, true, &lapsed);
        }
    }
    return status;
}

static enum cx_status page_fill(struct listing *listing)
{
    struct cx_session_page *page = listing->page;
    enum cx_status status = CX_OK;
    size_t looked_at = 0;
    struct cx_tree_item *item;
    struct cx_bytes id;

    cx_merge_begin(&listing->merge);
    item = cx_merge_first(&listing->merge, &id);
    while (item != NULL && page->count < listing->query->count_max &&
           looked_at < CX_PAGE_ROWS_MAX && status == CX_OK) {
        status = page_add_row(listing, (const struct cx_row *)item);
        page->last_start_revision = cx_session_row_start((const struct cx_row *)item);
        looked_at++;
        cx_merge_advance(&listing->merge);
        item = cx_merge_first(&listing->merge, &id);
    }
    page->more = item != NULL;
    return status;
}

enum cx_status cx_engine_list_sessions(struct cx_engine *engine,
                                       const struct cx_session_query *query,
                                       struct cx_session_page *ret_page, uint64_t *ret_wait_for,
                                       struct cx_error *ret_error)
{
    struct listing *listing = cx_calloc(sizeof *listing);
    enum cx_status status = CX_RESOURCE_EXHAUSTED;

    assert(query->count_max >= 1 && query->count_max <= CX_PAGE_SIZE_MAX);
    *ret_wait_for = 0;
    *ret_page = (struct cx_session_page){0};
    ret_page->rows = cx_calloc(query->count_max * sizeof(struct cx_session_view *));
    if (listing != NULL && ret_page->rows != NULL) {
        listing->engine = engine;
        listing->query = query;
        listing->page = ret_page;
        listing->merge.kind = &cx_row_class;
        listing->merge.id_of = id_of;
        status = listing_open(listing);
    }
    if (status == CX_OK) {
        status = page_fill(listing);
        *ret_wait_for = cx_commit_revision(&engine->commit);
    }
    if (listing != NULL) {
        cx_merge_done(&listing->merge);
        cx_arena_done(&listing->arena);
        cx_free(listing);
    }
    if (status != CX_OK) {
        cx_session_page_done(ret_page);
        status = cx_error_out_of_memory(ret_error);
    }
    return status;
}
