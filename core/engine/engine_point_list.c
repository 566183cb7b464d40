/* Lists of recovery points, and prunes over many contexts. The points of one context are walked
 * in a copy of their tree; those of many, in copies of the lists of all shards, merged. Each row is
 * looked up again under its lock, which no walk holds for longer. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine_change.h"
#include "core/engine/engine_merge.h"
#include "core/engine/engine_points.h"
#include "core/engine/recovery.h"
#include "core/state/earlier.h"

/* A page being made. */
struct listing {
    struct cx_engine *engine;
    const struct cx_point_query *query;
    struct cx_point_page *page;
    int64_t now_us;
    size_t looked_at;
};

static bool is_wanted(const struct listing *listing, const struct cx_point *point)
{
    const struct cx_label_list labels = {listing->query->labels, listing->query->label_count};

    return !cx_point_is_expired(point, listing->now_us) &&
           cx_labels_include(cx_labels_list(point->labels), labels);
}

static bool has_room(const struct listing *listing)
{
    return listing->page->count < listing->query->count_max &&
           listing->looked_at < CX_PAGE_ROWS_MAX;
}

/* ---- Of one context. -------------------------------------------------------- */

/* The points of the context, in a copy. */
struct walk {
    struct cx_recovery held; /* Only its points. */
    struct cx_context *context;
    const struct cx_point *next;
    bool upwards; /* From a point to its ancestors; else through all, newest first. */
};

/* Finds the point that the walk begins from: of a further page of ancestors the one that the page
 * before ended with, which is an ancestor of the one that the query names; else that one. It may be
 * gone by now: NULL, where only its sequence is needed, and known. */
static enum cx_status find_named(const struct listing *listing, const struct walk *walk,
                                 const struct cx_point **ret_point, struct cx_error *error)
{
    const struct cx_point_query *query = listing->query;
    const struct cx_recovery *recovery = walk->context->recovery;
    const struct cx_point *named = NULL;

    if (walk->upwards && query->after_sequence != 0) {
        named = cx_recovery_find(recovery, query->after_sequence);
    }
    if (named != NULL) {
        *ret_point = named;
        return CX_OK;
    }
    named = cx_recovery_find_id(recovery, walk->upwards ? query->ancestors_of : query->before_id);
    if (named != NULL && cx_point_is_expired(named, listing->now_us)) {
        named = NULL;
    }
    if (named == NULL && (walk->upwards || query->after_sequence == 0)) {
        return cx_point_not_found(walk->context, error);
    }
    *ret_point = named;
    return CX_OK;
}

/* Where the walk begins: under the lock. */
static enum cx_status walk_begin(struct listing *listing, struct walk *walk, struct cx_error *error)
{
    const struct cx_point_query *query = listing->query;
    struct cx_recovery *recovery = walk->context->recovery;
    uint64_t before = query->after_sequence;
    const struct cx_point *named = NULL;
    enum cx_status status = CX_OK;

    walk->upwards = query->ancestors_of.size > 0;
    if (walk->upwards || query->before_id.size > 0) {
        status = find_named(listing, walk, &named, error);
    }
    if (status != CX_OK || recovery == NULL) {
        return status;
    }
    walk->held.points = cx_tree_copy(&recovery->points);
    if (!walk->upwards) {
        before =
            named != NULL && (before == 0 || named->sequence < before) ? named->sequence : before;
        walk->next =
            before != 0 ? cx_recovery_before(&walk->held, before) : cx_recovery_newest(&walk->held);
        return CX_OK;
    }
    walk->next = cx_recovery_find(&walk->held, named->parent_sequence);
    return CX_OK;
}

/* Goes on to behind the place where the page before ended: far where the point there is gone. In
 * the copy, without the lock. */
static void walk_skip(const struct listing *listing, struct walk *walk)
{
    uint64_t after = listing->query->after_sequence;

    while (walk->upwards && after != 0 && walk->next != NULL && walk->next->sequence >= after) {
        walk->next = cx_recovery_find(&walk->held, walk->next->parent_sequence);
    }
}

static void walk_fill(struct listing *listing, struct walk *walk, unsigned shard)
{
    struct cx_point_page *page = listing->page;

    while (walk->next != NULL && has_room(listing)) {
        struct cx_point *point = (struct cx_point *)walk->next;
        bool wanted = is_wanted(listing, point);
        struct cx_point *parent =
            wanted || walk->upwards ? cx_recovery_find(&walk->held, point->parent_sequence) : NULL;

        if (wanted) {
            pthread_mutex_lock(&listing->engine->locks[shard]);
            cx_point_view_init(&page->rows[page->count++], walk->context, point, parent);
            pthread_mutex_unlock(&listing->engine->locks[shard]);
        }
        listing->looked_at++;
        page->last_sequence = point->sequence;
        walk->next = walk->upwards ? parent : cx_recovery_before(&walk->held, point->sequence);
    }
    page->more = walk->next != NULL;
}

static enum cx_status list_one(struct listing *listing, uint64_t *ret_wait_for,
                               struct cx_error *error)
{
    const struct cx_point_query *query = listing->query;
    struct cx_engine *engine = listing->engine;
    struct walk walk = {0};
    struct cx_name_key key;
    enum cx_status status;

    cx_name_key_init(&key, query->namespace_id, query->context_id);
    pthread_mutex_lock(&engine->locks[key.shard]);
    status = cx_engine_find_recovery_locked(engine, &key, &walk.context, ret_wait_for, error);
    if (status == CX_OK) {
        cx_tree_item_ref(&walk.context->item);
        status = walk_begin(listing, &walk, error);
    } else {
        walk.context = NULL;
    }
    pthread_mutex_unlock(&engine->locks[key.shard]);
    if (status == CX_OK) {
        walk_skip(listing, &walk);
        walk_fill(listing, &walk, key.shard);
        /* Fence and policy are as of when each row was shown. */
        *ret_wait_for = cx_commit_revision(&engine->commit);
    }
    cx_tree_done(&cx_point_class, &walk.held.points);
    cx_context_unref(walk.context);
    return status;
}

/* ---- Of many contexts. ------------------------------------------------------ */

static struct cx_bytes id_of_row(const struct cx_tree_item *item)
{
    return cx_row_id((const struct cx_row *)item);
}

/* Adds the point that a row names, if it is still there. */
static void add_row(struct listing *listing, struct cx_bytes id)
{
    struct cx_engine *engine = listing->engine;
    struct cx_point_page *page = listing->page;
    struct cx_bytes context_id;
    struct cx_context *context;
    struct cx_point *point;
    struct cx_name_key key;
    uint64_t sequence;

    cx_point_list_id_read(id, &page->last_revision, &context_id, &sequence);
    page->last_sequence = sequence;
    memcpy(page->last_context_id_held, context_id.data, context_id.size);
    page->last_context_id = (struct cx_bytes){page->last_context_id_held, context_id.size};
    if (!cx_bytes_has_prefix(context_id, listing->query->id_prefix)) {
        return;
    }
    cx_name_key_init(&key, listing->query->namespace_id, context_id);
    pthread_mutex_lock(&engine->locks[key.shard]);
    context = cx_state_find(&engine->state, &key);
    if (cx_context_is_live(context) && !cx_context_is_expired(context, listing->now_us)) {
        point = cx_recovery_find(context->recovery, sequence);
        if (point != NULL && point->revision == page->last_revision && is_wanted(listing, point)) {
            cx_engine_view_point(context, point, &page->rows[page->count++]);
        }
    }
    pthread_mutex_unlock(&engine->locks[key.shard]);
}

static enum cx_status list_many(struct listing *listing, struct cx_merge *merge,
                                struct cx_arena *arena)
{
    const struct cx_point_query *query = listing->query;
    struct cx_row_names names = {.names = {query->namespace_id}, .count = 1};
    struct cx_point_list_id after = {0};
    struct cx_bytes start;
    struct cx_bytes id;

    merge->kind = &cx_row_class;
    merge->id_of = id_of_row;
    if (cx_row_key(arena, &names, &merge->prefix) != CX_OK) {
        return CX_RESOURCE_EXHAUSTED;
    }
    if (query->after_revision != 0) {
        cx_point_list_id_init(&after, query->after_revision, query->after_context_id,
                              query->after_sequence);
        names.id = (struct cx_bytes){after.bytes, after.size};
    }
    if (cx_row_key(arena, &names, &start) != CX_OK) {
        return CX_RESOURCE_EXHAUSTED;
    }
    for (unsigned shard = 0; shard < CX_SHARDS; shard++) {
        cx_merge_open(merge, listing->engine, shard, &listing->engine->state.shards[shard].points,
                      start, names.id);
    }
    cx_merge_begin(merge);
    while (cx_merge_first(merge, &id) != NULL && has_room(listing)) {
        add_row(listing, id);
        listing->looked_at++;
        cx_merge_advance(merge);
    }
    listing->page->more = cx_merge_first(merge, &id) != NULL;
    return CX_OK;
}

static enum cx_status list_namespace(struct listing *listing, uint64_t *ret_wait_for)
{
    struct cx_merge *merge = cx_calloc(sizeof *merge);
    struct cx_arena arena = {0};
    enum cx_status status =
        merge != NULL ? list_many(listing, merge, &arena) : CX_RESOURCE_EXHAUSTED;

    *ret_wait_for = cx_commit_revision(&listing->engine->commit);
    if (merge != NULL) {
        cx_merge_done(merge);
    }
    cx_free(merge);
    cx_arena_done(&arena);
    return status;
}

enum cx_status cx_engine_list_points(struct cx_engine *engine, const struct cx_point_query *query,
                                     struct cx_point_page *ret_page, uint64_t *ret_wait_for,
                                     struct cx_error *ret_error)
{
    struct listing listing = {
        .engine = engine,
        .query = query,
        .page = ret_page,
        .now_us = engine->options.clock->wall_us(engine->options.clock),
    };
    enum cx_status status;

    assert(query->count_max >= 1 && query->count_max <= CX_PAGE_SIZE_MAX);
    *ret_wait_for = 0;
    memset(ret_page, 0, sizeof *ret_page);
    ret_page->rows = cx_calloc(query->count_max * sizeof *ret_page->rows);
    if (ret_page->rows == NULL) {
        return cx_error_out_of_memory(ret_error);
    }
    if (query->context_id.size > 0) {
        status = list_one(&listing, ret_wait_for, ret_error);
    } else {
        status = list_namespace(&listing, ret_wait_for);
        status = status == CX_OK ? status : cx_error_out_of_memory(ret_error);
    }
    if (status != CX_OK) {
        cx_point_page_done(ret_page);
    }
    return status;
}

/* ---- Prunes. ---------------------------------------------------------------- */

struct write_prune {
    struct cx_engine_write base;
    const struct cx_prune_request *request;
    const struct cx_name_key *key;
    uint64_t removed;
    uint64_t kept;
};

static enum cx_plan_result prune_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_prune *prune = (struct write_prune *)write;

    return cx_plan_prune(plan, prune->request, prune->key);
}

static void prune_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_prune *prune = (struct write_prune *)write;

    prune->removed += plan->count;
    prune->kept = plan->kept;
}

/* What pruning one context after the other comes to. */
struct pruning {
    struct cx_engine *engine;
    const struct cx_prune_request *request;
    struct cx_write_outcome outcome;
    uint64_t removed;
    uint64_t kept;
    struct cx_error *error;
};

static enum cx_status prune_context(struct pruning *pruning, struct cx_bytes context_id)
{
    const struct cx_context_name name = {pruning->request->namespace_id, context_id};
    struct cx_name_key key;
    struct write_prune prune = {.request = pruning->request, .key = &key};
    struct cx_write_outcome outcome;
    uint64_t wait_for = pruning->outcome.wait_for;
    enum cx_status status;

    cx_name_key_init(&key, name.namespace_id, name.id);
    prune.base = cx_engine_write_begin(
        pruning->engine, cx_engine_shards_of(&name, pruning->request->author.session_id),
        pruning->error);
    prune.base.plan = prune_plan;
    prune.base.done = prune_done;
    do {
        prune.base.more = false;
        status = cx_engine_write_run(&prune.base);
    } while (status == CX_OK && prune.base.more);
    outcome = cx_engine_write_outcome(&prune.base);
    pruning->removed += prune.removed;
    pruning->kept += prune.kept;
    if (outcome.revision != 0) {
        pruning->outcome = outcome;
    }
    pruning->outcome.wait_for = outcome.wait_for > wait_for ? outcome.wait_for : wait_for;
    return status;
}

/* Page after page of the contexts that there are. */
static enum cx_status prune_many(struct pruning *pruning)
{
    struct cx_list_query query = {
        .namespace_id = pruning->request->namespace_id,
        .id_prefix = pruning->request->id_prefix,
        .count_max = CX_PAGE_SIZE_MAX,
    };
    uint8_t last_id[CX_CONTEXT_ID_SIZE_MAX];
    struct cx_list_page page = {0};
    enum cx_status status;

    do {
        uint64_t wait_for;

        status = cx_engine_list(pruning->engine, &query, &page, &wait_for, pruning->error);
        if (status != CX_OK) {
            return status;
        }
        pruning->outcome.wait_for =
            wait_for > pruning->outcome.wait_for ? wait_for : pruning->outcome.wait_for;
        for (size_t i = 0; i < page.count && status == CX_OK; i++) {
            status = prune_context(pruning, page.rows[i].id);
        }
        if (page.last_id.size > 0) {
            memcpy(last_id, page.last_id.data, page.last_id.size);
        }
        query.after_id = (struct cx_bytes){last_id, page.last_id.size};
        if (!page.more) {
            query.count_max = 0; /* That was the last one. */
        }
        cx_list_page_done(&page);
    } while (status == CX_OK && query.count_max > 0);
    return status;
}

enum cx_status cx_engine_prune_points(struct cx_engine *engine,
                                      const struct cx_prune_request *request,
                                      struct cx_write_outcome *ret_outcome, uint64_t *ret_removed,
                                      uint64_t *ret_kept, struct cx_error *ret_error)
{
    struct pruning pruning = {.engine = engine, .request = request, .error = ret_error};
    enum cx_status status = request->context_id.size > 0
                                ? prune_context(&pruning, request->context_id)
                                : prune_many(&pruning);

    *ret_outcome = pruning.outcome;
    *ret_removed = pruning.removed;
    *ret_kept = pruning.kept;
    return status;
}
