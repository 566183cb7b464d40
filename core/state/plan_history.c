/* Plans of what makes histories longer or shorter. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/state/activity.h"
#include "core/state/plan_common.h"

/* ---- Longer. ---------------------------------------------------------------- */

/* What is to be dropped so that a history with what is new stays within its bounds. */
struct trimming {
    uint64_t count; /* Of what is left. */
    uint64_t bytes;
    uint64_t upto; /* The last sequence that is dropped. 0: none. */
    size_t dropped;
};

static bool is_above(const struct cx_plan *plan, const struct trimming *trimming)
{
    return trimming->count > plan->history_count_max || trimming->bytes > plan->history_bytes_max;
}

static bool is_too_large(const struct cx_plan *plan, const struct trimming *trimming)
{
    return trimming->dropped < CX_TRIM_MAX && is_above(plan, trimming);
}

static void drop(struct trimming *trimming, uint64_t sequence, uint64_t weight)
{
    trimming->count--;
    trimming->bytes -= weight;
    trimming->upto = sequence;
    trimming->dropped++;
}

/* Drops the oldest of the history. */
static void drop_old(const struct cx_plan *plan, const struct cx_tracked *before,
                     struct trimming *trimming)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&cx_activity_class, &before->history, (struct cx_bytes){0}, &cursor);

    for (; item != NULL && is_too_large(plan, trimming); item = cx_tree_next(&cursor)) {
        const struct cx_activity *activity = cx_activity_of(item);

        drop(trimming, cx_activity_sequence(activity), cx_activity_weight(activity));
    }
}

/* Drops the oldest of those that come with the change, but never the last one. */
static void drop_new(const struct cx_plan *plan, const struct cx_change_item *item,
                     uint64_t last_sequence, struct trimming *trimming)
{
    uint64_t sequence = item->first_sequence;

    for (size_t i = 0; i < item->op_count && sequence < last_sequence; i++) {
        if (!is_too_large(plan, trimming)) {
            return;
        }
        if (item->ops[i].kind == CX_MUTATION_RECORD) {
            drop(trimming, sequence++, cx_activity_content_weight(item->ops[i].activity));
        }
    }
}

static enum cx_plan_result set_trimmed(struct cx_plan *plan, const struct cx_tracked *before,
                                       const struct trimming *trimming, struct cx_change_item *item)
{
    struct cx_run *run = cx_arena_alloc(plan->arena, sizeof *run);
    struct cx_tree_cursor cursor;
    struct cx_tree_item *oldest = NULL;

    if (run == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    if (before != NULL) {
        oldest = cx_tree_seek(&cx_activity_class, &before->history, (struct cx_bytes){0}, &cursor);
    }
    run->first =
        oldest != NULL ? cx_activity_sequence(cx_activity_of(oldest)) : item->first_sequence;
    run->last = trimming->upto;
    item->trimmed = (struct cx_run_list){run, 1};
    return CX_PLAN_CHANGE;
}

static uint64_t subtract(uint64_t from, uint64_t number)
{
    return from > number ? from - number : 0;
}

enum cx_plan_result cx_plan_set_history(struct cx_plan *plan, struct cx_bytes namespace_id,
                                        const struct cx_tracked *before,
                                        struct cx_change_item *item)
{
    bool goes_on = item->kind != CX_ITEM_CREATE && before != NULL;
    struct trimming trimming = {
        .count = goes_on ? before->history_count : 0,
        .bytes = goes_on ? before->history_bytes : 0,
    };
    uint64_t added_bytes = 0;
    uint64_t added = 0;

    for (size_t i = 0; i < item->op_count; i++) {
        if (item->ops[i].kind == CX_MUTATION_RECORD) {
            added_bytes += cx_activity_content_weight(item->ops[i].activity);
            added++;
        }
    }
    if (added == 0) {
        return CX_PLAN_CHANGE;
    }
    trimming.count += added;
    trimming.bytes += added_bytes;
    item->first_sequence = before != NULL ? before->last_sequence + 1 : 1;
    if (goes_on) {
        drop_old(plan, before, &trimming);
    }
    drop_new(plan, item, item->first_sequence + added - 1, &trimming);
    if (trimming.dropped == CX_TRIM_MAX && trimming.upto < item->first_sequence &&
        is_above(plan, &trimming)) {
        cx_name_key_init(&plan->expired, namespace_id, item->id);
        plan->trim_count_max = subtract(plan->history_count_max, added);
        plan->trim_bytes_max = subtract(plan->history_bytes_max, added_bytes);
        return CX_PLAN_NEEDS_TRIM;
    }
    return trimming.dropped > 0 ? set_trimmed(plan, goes_on ? before : NULL, &trimming, item)
                                : CX_PLAN_CHANGE;
}

/* ---- Shorter. --------------------------------------------------------------- */

/* The request, its context, and whether it was made before. */
struct shortening {
    const struct cx_context_name *name;
    const struct cx_author *author;
    struct cx_bytes request_id;
    uint64_t content_hash;

    const struct cx_name_key *key;
    struct cx_hash128 id;
    struct cx_context *context;
};

static enum cx_plan_result shortening_begin(struct cx_plan *plan, struct shortening *shortening)
{
    const struct cx_context_name *name = shortening->name;
    enum cx_plan_result result;

    shortening->key = cx_plan_key(plan, name->namespace_id, name->id);
    if (shortening->key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_need_shard(plan, shortening->key->shard);
    if (result == CX_PLAN_CHANGE && shortening->request_id.size > 0) {
        shortening->id = cx_request_id_hash(shortening->key, shortening->request_id);
        result =
            cx_plan_check_request(plan, shortening->key, shortening->id, shortening->content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, shortening->key, &shortening->context);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!cx_context_is_live(shortening->context)) {
        return cx_plan_not_found(plan, shortening->context);
    }
    return cx_plan_check_author(plan, name->namespace_id, shortening->context, shortening->author);
}

/* Makes the change of a round, the last one unless plan->more. */
static enum cx_plan_result shortening_finish(struct cx_plan *plan,
                                             const struct shortening *shortening,
                                             struct cx_run_list trimmed)
{
    struct cx_change_item item = cx_plan_touch(shortening->context);
    enum cx_plan_result result = cx_plan_change_begin(plan, shortening->name->namespace_id, 1);

    item.session_id = shortening->author->session_id;
    item.trimmed = trimmed;
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_add_item(plan, shortening->key, &item);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!plan->more) {
        cx_plan_mark(plan, shortening->id, shortening->content_hash, 0);
    }
    return cx_plan_change_finish(plan);
}

static const struct cx_tree *history_of(const struct cx_context *context)
{
    static const struct cx_tree nothing;

    return context->tracked != NULL ? &context->tracked->history : &nothing;
}

/* Drops the oldest within a run. */
static enum cx_plan_result drop_within(struct cx_plan *plan, const struct shortening *shortening,
                                       const struct cx_run *within)
{
    struct cx_run *run = cx_arena_alloc(plan->arena, sizeof *run);

    if (run == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    plan->count =
        cx_history_take(history_of(shortening->context), within, CX_TRIM_MAX, run, &plan->more);
    if (plan->count == 0) {
        return CX_PLAN_NOTHING;
    }
    return shortening_finish(plan, shortening, (struct cx_run_list){run, 1});
}

/* The first sequence that a truncate keeps, as things are now. */
static uint64_t find_kept(const struct cx_truncate_request *request,
                          const struct cx_context *context)
{
    uint64_t last = context->tracked != NULL ? context->tracked->last_sequence : 0;
    uint64_t first = request->from_sequence != 0
                         ? request->from_sequence
                         : cx_history_find_time(history_of(context), request->from_time_us);

    return first <= last ? first : last + 1; /* What comes meanwhile stays. */
}

enum cx_plan_result cx_plan_truncate(struct cx_plan *plan,
                                     const struct cx_truncate_request *request,
                                     uint64_t *from_sequence)
{
    struct shortening shortening = {
        .name = &request->name,
        .author = &request->author,
        .request_id = request->request_id,
        .content_hash = cx_truncate_request_hash(request),
    };
    enum cx_plan_result result = shortening_begin(plan, &shortening);
    struct cx_run within = {1, 0};

    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (*from_sequence == 0) {
        *from_sequence = find_kept(request, shortening.context);
    }
    within.last = *from_sequence - 1;
    return drop_within(plan, &shortening, &within);
}

enum cx_plan_result cx_plan_trim(struct cx_plan *plan, const struct cx_name_key *key)
{
    static const struct cx_author nobody;
    struct cx_context_name name;
    struct shortening shortening = {.name = &name, .author = &nobody, .key = key};
    enum cx_plan_result result = cx_plan_look(plan, key, &shortening.context);
    struct trimming trimming = {0};
    struct cx_run within = {1, 0};
    const struct cx_tracked *tracked;

    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!cx_context_is_live(shortening.context) || shortening.context->tracked == NULL) {
        return CX_PLAN_NOTHING;
    }
    name = (struct cx_context_name){
        cx_context_namespace(shortening.context),
        cx_context_id(shortening.context),
    };
    tracked = shortening.context->tracked;
    trimming.count = tracked->history_count;
    trimming.bytes = tracked->history_bytes;
    drop_old(plan, tracked, &trimming);
    within.last =
        trimming.upto < tracked->last_sequence ? trimming.upto : subtract(trimming.upto, 1);
    return drop_within(plan, &shortening, &within);
}

/* ---- Optimizing. ------------------------------------------------------------ */

/* Makes the cut under the lock where that is quick. */
static enum cx_plan_result cut_make(struct cx_plan *plan, struct cx_optimizing *optimizing,
                                    const struct cx_context *context)
{
    const struct cx_tracked *tracked = context->tracked;
    uint64_t revision = tracked != NULL ? tracked->history_revision : 0;

    if (optimizing->has_cut && (optimizing->request->dry_run || tracked == NULL ||
                                optimizing->cut_revision >= tracked->trim_revision)) {
        return CX_PLAN_CHANGE;
    }
    cx_history_cut_done(&optimizing->cut);
    optimizing->has_cut = false;
    if (tracked != NULL && tracked->history_count > CX_OPTIMIZE_INLINE_MAX) {
        return CX_PLAN_NOTHING;
    }
    if (cx_history_optimize(history_of(context), optimizing->request, &optimizing->cut) != CX_OK) {
        return cx_plan_out_of_memory(plan);
    }
    optimizing->has_cut = true;
    optimizing->cut_revision = revision;
    return CX_PLAN_CHANGE;
}

/* Takes the next runs of the cut, of which something is still there. */
static enum cx_plan_result cut_take(struct cx_plan *plan, struct cx_optimizing *optimizing,
                                    const struct cx_tree *history, struct cx_run_list *ret_runs)
{
    const struct cx_history_cut *cut = &optimizing->cut;
    size_t left = cut->count - optimizing->next_run;
    size_t room = left < CX_TRIM_MAX ? left : CX_TRIM_MAX;
    struct cx_run *runs = cx_arena_alloc(plan->arena, (room + 1) * sizeof *runs);
    size_t count = 0;

    if (runs == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    while (optimizing->next_run < cut->count && plan->count < CX_TRIM_MAX) {
        struct cx_run within = cut->runs[optimizing->next_run];
        bool more;
        uint64_t taken;

        within.first = optimizing->next_first != 0 ? optimizing->next_first : within.first;
        taken = cx_history_take(history, &within, CX_TRIM_MAX - plan->count, &runs[count], &more);
        plan->count += taken;
        optimizing->next_first = more ? runs[count].last + 1 : 0;
        optimizing->next_run += !more;
        count += taken > 0;
    }
    plan->more = optimizing->next_run < cut->count;
    *ret_runs = (struct cx_run_list){runs, count};
    return count > 0 ? CX_PLAN_CHANGE : CX_PLAN_NOTHING;
}

enum cx_plan_result cx_plan_optimize(struct cx_plan *plan, struct cx_optimizing *optimizing)
{
    const struct cx_optimize_request *request = optimizing->request;
    struct shortening shortening = {
        .name = &request->name,
        .author = &request->author,
        .request_id = request->request_id,
        .content_hash = cx_optimize_request_hash(request),
    };
    struct cx_run_list runs;
    enum cx_plan_result result;

    if (request->dry_run) {
        shortening.request_id.size = 0; /* It changes nothing to be remembered. */
    }
    result = shortening_begin(plan, &shortening);
    if (result == CX_PLAN_CHANGE && !optimizing->again) {
        result = cut_make(plan, optimizing, shortening.context);
    }
    if (result == CX_PLAN_CHANGE) {
        result = request->dry_run
                     ? CX_PLAN_NOTHING
                     : cut_take(plan, optimizing, history_of(shortening.context), &runs);
    }
    return result == CX_PLAN_CHANGE ? shortening_finish(plan, &shortening, runs) : result;
}
