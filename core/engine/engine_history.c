/* Histories, files, usage and resources of contexts: looking at them, and making
 * histories shorter. What is looked at is copied under the lock, O(1), and walked
 * outside. */

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine_change.h"
#include "core/state/file.h"
#include "core/state/history.h"
#include "core/state/tracked.h"
#include "core/state/usage.h"

enum { CUT_ATTEMPTS_MAX = 10 };

/* ---- Looking. --------------------------------------------------------------- */

/* Takes a copy of one of the trees of a context. An empty one where there is nothing. */
static enum cx_status take_tree(struct cx_engine *engine, const struct cx_context_name *name,
                                size_t offset, struct cx_tree *ret_tree, uint64_t *ret_wait_for,
                                struct cx_error *error)
{
    struct cx_context *context;
    enum cx_status status;
    struct cx_name_key key;

    *ret_tree = (struct cx_tree){0};
    cx_name_key_init(&key, name->namespace_id, name->id);
    pthread_mutex_lock(&engine->locks[key.shard]);
    status = cx_engine_find_locked(engine, &key, &context, ret_wait_for, error);
    if (status == CX_OK && context->tracked != NULL) {
        const char *base = (const char *)context->tracked;

        *ret_tree = cx_tree_copy((const struct cx_tree *)(const void *)(base + offset));
    }
    pthread_mutex_unlock(&engine->locks[key.shard]);
    return status;
}

enum cx_status cx_engine_list_activities(struct cx_engine *engine,
                                         const struct cx_activity_query *query,
                                         struct cx_activity_page *ret_page, uint64_t *ret_wait_for,
                                         struct cx_error *ret_error)
{
    enum cx_status status;

    *ret_page = (struct cx_activity_page){0};
    status = take_tree(engine, &query->name, offsetof(struct cx_tracked, history),
                       &ret_page->history, ret_wait_for, ret_error);
    if (status != CX_OK) {
        return status;
    }
    if (cx_history_list(query, ret_page) != CX_OK) {
        cx_activity_page_done(ret_page);
        return cx_error_out_of_memory(ret_error);
    }
    return CX_OK;
}

enum cx_status cx_engine_list_files(struct cx_engine *engine, const struct cx_tracked_query *query,
                                    struct cx_file_page *ret_page, uint64_t *ret_wait_for,
                                    struct cx_error *ret_error)
{
    enum cx_status status;

    *ret_page = (struct cx_file_page){0};
    status = take_tree(engine, &query->name, offsetof(struct cx_tracked, files), &ret_page->files,
                       ret_wait_for, ret_error);
    if (status != CX_OK) {
        return status;
    }
    if (cx_file_list(query, ret_page) != CX_OK) {
        cx_file_page_done(ret_page);
        return cx_error_out_of_memory(ret_error);
    }
    return CX_OK;
}

/* Whether a page shows a resource of a session whose term is over: its key. */
static bool page_find_lapsed(const struct cx_engine *engine, const struct cx_resource_page *page,
                             struct cx_name_key *ret_key)
{
    int64_t now_us = engine->options.clock->monotonic_us(engine->options.clock);

    for (size_t i = 0; i < page->count; i++) {
        struct cx_tree_item *item =
            cx_tree_get(&cx_resource_class, &page->resources, page->rows[i].name);
        const struct cx_session *session = cx_resource_of(item)->session;

        if (cx_session_has_lapsed(session, now_us)) {
            cx_name_key_init(ret_key, cx_session_namespace(session), cx_session_id(session));
            return true;
        }
    }
    return false;
}

enum cx_status cx_engine_list_resources(struct cx_engine *engine,
                                        const struct cx_tracked_query *query,
                                        struct cx_resource_page *ret_page, uint64_t *ret_wait_for,
                                        struct cx_error *ret_error)
{
    struct cx_name_key lapsed;

    for (size_t lapses = 0;; lapses++) {
        enum cx_status status;

        *ret_page = (struct cx_resource_page){0};
        status = take_tree(engine, &query->name, offsetof(struct cx_tracked, resources),
                           &ret_page->resources, ret_wait_for, ret_error);
        if (status != CX_OK) {
            return status;
        }
        if (cx_resource_list(query, ret_page) != CX_OK) {
            cx_resource_page_done(ret_page);
            return cx_error_out_of_memory(ret_error);
        }
        if (lapses == CX_ENGINE_LAPSES_MAX || !page_find_lapsed(engine, ret_page, &lapsed) ||
            cx_engine_lapse(engine, &lapsed, ret_error) != CX_OK) {
            return CX_OK;
        }
        cx_resource_page_done(ret_page);
    }
}

enum cx_status cx_engine_summarize_usage(struct cx_engine *engine,
                                         const struct cx_context_name *name,
                                         struct cx_usage_summary *ret_summary,
                                         uint64_t *ret_wait_for, struct cx_error *ret_error)
{
    struct cx_tree usage = {0};
    enum cx_status status;

    *ret_summary = (struct cx_usage_summary){0};
    if (name->id.size == 0) {
        status = cx_namespaces_summarize_usage(&engine->state.namespaces, name->namespace_id,
                                               ret_summary);
        *ret_wait_for = cx_commit_revision(&engine->commit);
        return status == CX_OK ? CX_OK : cx_error_out_of_memory(ret_error);
    }
    status = take_tree(engine, name, offsetof(struct cx_tracked, usage), &usage, ret_wait_for,
                       ret_error);
    if (status != CX_OK) {
        return status;
    }
    status = cx_usage_summarize(&usage, ret_summary);
    cx_tree_done(&cx_usage_class, &usage);
    return status == CX_OK ? CX_OK : cx_error_out_of_memory(ret_error);
}

/* ---- Truncating. ------------------------------------------------------------ */

struct write_truncate {
    struct cx_engine_write base;
    const struct cx_truncate_request *request;
    uint64_t from_sequence; /* The first to keep. 0: not known yet. */
};

static enum cx_plan_result truncate_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_truncate *truncate = (struct write_truncate *)write;

    return cx_plan_truncate(plan, truncate->request, &truncate->from_sequence);
}

enum cx_status cx_engine_truncate_history(struct cx_engine *engine,
                                          const struct cx_truncate_request *request,
                                          struct cx_write_outcome *ret_outcome,
                                          struct cx_error *ret_error)
{
    struct write_truncate truncate = {
        .base = cx_engine_write_begin(
            engine, cx_engine_shards_of(&request->name, request->author.session_id), ret_error),
        .request = request,
    };
    enum cx_status status;

    truncate.base.plan = truncate_plan;
    do {
        truncate.base.more = false;
        status = cx_engine_write_run(&truncate.base);
    } while (status == CX_OK && truncate.base.more);
    *ret_outcome = cx_engine_write_outcome(&truncate.base);
    return status;
}

struct write_trim {
    struct cx_engine_write base;
    const struct cx_plan *wanted;
};

static enum cx_plan_result trim_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    const struct cx_plan *wanted = ((struct write_trim *)write)->wanted;

    plan->history_count_max = wanted->trim_count_max;
    plan->history_bytes_max = wanted->trim_bytes_max;
    return cx_plan_trim(plan, &wanted->expired);
}

enum cx_status cx_engine_trim(struct cx_engine *engine, const struct cx_plan *wanted,
                              struct cx_error *ret_error)
{
    struct write_trim trim = {
        .base = cx_engine_write_begin(engine, 1ULL << wanted->expired.shard, ret_error),
        .wanted = wanted,
    };

    trim.base.plan = trim_plan;
    return cx_engine_write_run(&trim.base);
}

/* ---- Optimizing. ------------------------------------------------------------ */

struct write_optimize {
    struct cx_engine_write base;
    struct cx_optimizing optimizing;
    struct cx_optimizing planned; /* As it is when the round has been applied. */
    struct cx_tree history;       /* What a cut is to be made for outside the locks. */
    uint64_t history_revision;
    uint64_t context_version; /* When that was looked at. */
    bool wants_cut;
    struct cx_optimize_result kept; /* Of a repeat: what is there now. */
};

/* A plan may be made several times before it is applied: progress counts then. */
static enum cx_plan_result optimize_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_optimize *optimize = (struct write_optimize *)write;
    struct cx_optimizing *optimizing = &optimize->optimizing;
    enum cx_plan_result result;

    optimize->planned = *optimizing;
    result = cx_plan_optimize(plan, &optimize->planned);
    optimizing->cut = optimize->planned.cut;
    optimizing->has_cut = optimize->planned.has_cut;
    optimizing->cut_revision = optimize->planned.cut_revision;
    return result;
}

static void optimize_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_optimize *optimize = (struct write_optimize *)write;
    const struct cx_context_name *name = &optimize->optimizing.request->name;
    const struct cx_tracked *tracked = NULL;
    const struct cx_context *context;
    struct cx_name_key key;

    optimize->optimizing = optimize->planned;
    optimize->wants_cut = !write->replayed && !optimize->planned.has_cut;
    if (!optimize->wants_cut && !write->replayed) {
        return;
    }
    cx_name_key_init(&key, name->namespace_id, name->id);
    context = cx_state_find(plan->state, &key);
    cx_engine_write_note(write, cx_state_derived_from(plan->state, &key, context));
    if (cx_context_is_live(context)) {
        tracked = context->tracked;
    }
    if (optimize->wants_cut) {
        optimize->history = cx_tree_copy(&tracked->history);
        optimize->history_revision = tracked->history_revision;
        optimize->context_version = context->version;
    } else if (tracked != NULL) {
        optimize->kept.kept_count = tracked->history_count;
        optimize->kept.kept_bytes = tracked->history_bytes;
    }
}

/* Makes the cut for the copy that was taken. */
static enum cx_status make_cut(struct write_optimize *optimize, struct cx_error *error)
{
    struct cx_optimizing *optimizing = &optimize->optimizing;
    enum cx_status status =
        cx_history_optimize(&optimize->history, optimizing->request, &optimizing->cut);

    if (status != CX_OK) {
        return cx_error_out_of_memory(error);
    }
    optimizing->has_cut = true;
    optimizing->cut_revision = optimize->history_revision;
    return CX_OK;
}

static enum cx_status head_moved(const struct write_optimize *optimize)
{
    enum cx_status status =
        cx_error_set(optimize->base.error, CX_REASON_HEAD_MOVED,
                     "the history changed again and again meanwhile; try again");

    cx_error_detail_number(optimize->base.error, "current_version", optimize->context_version);
    return status;
}

/* Makes cuts and rounds until all is done. */
static enum cx_status optimize_run(struct write_optimize *optimize)
{
    struct cx_engine_write *write = &optimize->base;
    size_t cuts = 0;
    enum cx_status status;

    do {
        write->more = false;
        optimize->wants_cut = false;
        status = cx_engine_write_run(write);
        if (status == CX_OK && optimize->wants_cut) {
            status =
                cuts++ < CUT_ATTEMPTS_MAX ? make_cut(optimize, write->error) : head_moved(optimize);
            cx_tree_done(&cx_activity_class, &optimize->history);
        } else {
            optimize->optimizing.again = true;
        }
    } while (status == CX_OK && (optimize->wants_cut || write->more));
    return status;
}

enum cx_status cx_engine_optimize_history(struct cx_engine *engine,
                                          const struct cx_optimize_request *request,
                                          struct cx_write_outcome *ret_outcome,
                                          struct cx_optimize_result *ret_result,
                                          struct cx_error *ret_error)
{
    struct write_optimize optimize = {
        .base = cx_engine_write_begin(
            engine, cx_engine_shards_of(&request->name, request->author.session_id), ret_error),
        .optimizing.request = request,
    };
    enum cx_status status;

    optimize.base.plan = optimize_plan;
    optimize.base.done = optimize_done;
    status = optimize_run(&optimize);
    *ret_outcome = cx_engine_write_outcome(&optimize.base);
    *ret_result = optimize.base.replayed ? optimize.kept : optimize.optimizing.cut.result;
    cx_history_cut_done(&optimize.optimizing.cut);
    return status;
}
