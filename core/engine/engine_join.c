/* Merges: what one context has come to since a common state is brought into another. */

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine_change.h"
#include "core/engine/engine_points.h"
#include "core/engine/engine_prepare.h"
#include "core/engine/recovery.h"
#include "core/state/ancestor.h"
#include "core/state/earlier.h"
#include "core/state/three_way.h"

enum { ANCESTOR, TARGET, SOURCE };

struct write_merge {
    struct cx_engine_write base;
    const struct cx_merge_request *request;
    struct cx_prepared prepared;
    struct cx_step_list steps;
    struct cx_merge_result *result; /* Its states are what is compared. */
    uint64_t ancestor_wait_for;     /* What is told was also derived from the one that is named. */
    bool says_more;                 /* What was merged of the source last, if anything, is older. */
    bool no_ancestor;
    bool out_of_memory;
    char *safety_id;
};

static enum cx_plan_result merge_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_merge *merge = (struct write_merge *)write;

    return cx_plan_merge(plan, merge->request, &merge->prepared);
}

/* A context that the answer is derived from. */
static struct cx_context *find_named(struct cx_engine_write *write, const struct cx_plan *plan,
                                     const struct cx_context_name *name)
{
    struct cx_context *context;
    struct cx_name_key key;

    cx_name_key_init(&key, name->namespace_id, name->id);
    context = cx_state_find(plan->state, &key);
    cx_engine_write_note(write, cx_state_derived_from(plan->state, &key, context));
    return context;
}

/* The common state as a snapshot without a name. */
static void show_base(struct cx_base *base, struct cx_snapshot *ret_snapshot)
{
    struct cx_label_list labels = cx_labels_list(base->labels);

    *ret_snapshot = (struct cx_snapshot){
        .labels = labels.items,
        .label_count = labels.count,
        .version = base->version,
        .labels_held = cx_labels_ref(base->labels),
        .entries = cx_tree_copy(&base->entries),
    };
}

/* Takes the states that are to be compared, under the locks. */
static void take_states(struct write_merge *merge, struct cx_context *target,
                        struct cx_context *source)
{
    struct cx_snapshot *states = merge->result->states;
    struct cx_kept_state state;
    struct cx_base *base = NULL;

    if (cx_earlier_take(source, &merge->prepared.ref, &state) != CX_OK) {
        merge->out_of_memory = true;
        return;
    }
    cx_context_snapshot(target, &states[TARGET]);
    cx_snapshot_of_state(source, &state, &states[SOURCE]);
    merge->says_more = source != target && cx_merged_says_more(target, source, &state);
    if (merge->request->ancestor.id.size == 0) {
        base = cx_ancestor_find(source, &state, target);
        merge->no_ancestor = base == NULL;
    }
    if (base != NULL) {
        show_base(base, &states[ANCESTOR]);
        cx_base_unref(base);
    }
    cx_kept_state_done(&state);
}

static void merge_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_merge *merge = (struct write_merge *)write;
    struct cx_context *target = find_named(write, plan, &merge->request->target);

    if (merge->prepared.moved) { /* Only then are the locks of both held. */
        take_states(merge, target, find_named(write, plan, &merge->request->source));
        return;
    }
    if (target != NULL) {
        write->version = write->version != 0 ? write->version : target->version;
        cx_engine_set_safety_id(write, plan, target, merge->safety_id);
    }
}

/* ---- Comparing. ------------------------------------------------------------- */

static void drop_states(struct cx_merge_result *result)
{
    for (size_t i = 0; i < 3; i++) {
        cx_snapshot_done(&result->states[i]);
    }
}

static enum cx_on_conflict rule_for(const struct cx_merge_request *request, struct cx_bytes key)
{
    size_t low = 0;
    size_t high = request->rule_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = cx_bytes_compare(request->rules[middle].key, key);

        if (order == 0) {
            return request->rules[middle].rule;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return request->on_conflict;
}

/* The place of the next conflict that is told, or NULL. */
static struct cx_merge_conflict *add_conflict(struct cx_merge_result *result)
{
    if (result->conflict_count++ >= CX_CONFLICTS_TOLD_MAX) {
        return NULL;
    }
    return &((struct cx_merge_conflict *)result->memory)[result->told_count++];
}

static void tell_entry(struct cx_merge_result *result, const struct cx_three_way_step *step)
{
    struct cx_merge_conflict *conflict = add_conflict(result);

    if (conflict != NULL) {
        const struct cx_snapshot *states = result->states;

        *conflict = (struct cx_merge_conflict){.key = step->key};
        conflict->has_ancestor =
            cx_snapshot_find(&states[ANCESTOR], step->key, &conflict->ancestor);
        conflict->has_target = cx_snapshot_find(&states[TARGET], step->key, &conflict->target);
        conflict->has_source = cx_snapshot_find(&states[SOURCE], step->key, &conflict->source);
    }
}

static void tell_label(struct cx_merge_result *result, const struct cx_three_way_label_step *step)
{
    struct cx_merge_conflict *conflict = add_conflict(result);

    if (conflict != NULL) {
        *conflict = (struct cx_merge_conflict){
            .key = step->key,
            .in_labels = true,
            .has_ancestor = step->ancestor != NULL,
            .has_target = step->target != NULL,
            .has_source = step->source != NULL,
        };
        conflict->ancestor_label = conflict->has_ancestor ? step->ancestor->value : conflict->key;
        conflict->target_label = conflict->has_target ? step->target->value : conflict->key;
        conflict->source_label = conflict->has_source ? step->source->value : conflict->key;
    }
}

/* Whether what became of a key is to be remembered, also where nothing is taken. */
static bool is_decision(const struct write_merge *merge, enum cx_three_way_kind kind)
{
    return kind == CX_THREE_WAY_CONFLICT || (kind == CX_THREE_WAY_SAME && merge->says_more);
}

static enum cx_status join_entries(struct write_merge *merge)
{
    const struct cx_snapshot *states = merge->result->states;
    struct cx_three_way walk;
    struct cx_three_way_step step;
    enum cx_status status = CX_OK;

    cx_three_way_begin(&walk, &states[ANCESTOR].entries, &states[TARGET].entries,
                       &states[SOURCE].entries);
    while (status == CX_OK && cx_three_way_next(&walk, &step)) {
        enum cx_on_conflict rule = CX_CONFLICT_TAKE_SOURCE;

        merge->prepared.decided |= is_decision(merge, step.kind);
        if (step.kind == CX_THREE_WAY_SAME) {
            continue;
        }
        if (step.kind == CX_THREE_WAY_CONFLICT) {
            rule = rule_for(merge->request, step.key);
        }
        if (rule == CX_CONFLICT_TAKE_SOURCE) {
            status = cx_steps_add_entry(&merge->steps, step.key, step.source);
        } else if (rule == CX_CONFLICT_REPORT) {
            tell_entry(merge->result, &step);
        }
    }
    return status;
}

static struct cx_label_list labels_of(const struct cx_snapshot *snapshot)
{
    return (struct cx_label_list){snapshot->labels, snapshot->label_count};
}

static enum cx_status join_labels(struct write_merge *merge)
{
    const struct cx_snapshot *states = merge->result->states;
    struct cx_three_way_labels walk;
    struct cx_three_way_label_step step;
    enum cx_status status = CX_OK;

    cx_three_way_labels_begin(&walk, labels_of(&states[ANCESTOR]), labels_of(&states[TARGET]),
                              labels_of(&states[SOURCE]));
    while (status == CX_OK && cx_three_way_labels_next(&walk, &step)) {
        bool conflict = step.kind == CX_THREE_WAY_CONFLICT;

        merge->prepared.decided |= is_decision(merge, step.kind);
        if (step.kind == CX_THREE_WAY_TAKE ||
            (conflict && merge->request->on_conflict == CX_CONFLICT_TAKE_SOURCE)) {
            status = cx_steps_add_label(&merge->steps, step.key, step.source);
        } else if (conflict && merge->request->on_conflict == CX_CONFLICT_REPORT) {
            tell_label(merge->result, &step);
        }
    }
    return status;
}

/* The ancestor that the request names: its own state, read like any other. */
static enum cx_status take_named_ancestor(struct write_merge *merge)
{
    const struct cx_merge_request *request = merge->request;
    uint64_t wait_for;
    enum cx_status status =
        cx_engine_get(merge->base.engine, &request->ancestor, &request->ancestor_at,
                      &merge->result->states[ANCESTOR], &wait_for, merge->base.error);

    if (wait_for > merge->ancestor_wait_for) {
        merge->ancestor_wait_for = wait_for;
    }
    return status;
}

/* Nothing that is kept connects the two contexts, or it is one. */
static enum cx_status no_ancestor(const struct write_merge *merge)
{
    const struct cx_merge_request *request = merge->request;

    if (cx_bytes_equal(request->source.id, request->target.id)) {
        return cx_error_set(merge->base.error, CX_REASON_NO_COMMON_ANCESTOR,
                            "of two states of one context no ancestor is looked for; name it");
    }
    return cx_error_set(merge->base.error, CX_REASON_NO_COMMON_ANCESTOR,
                        "the two contexts have no state in common: neither forks nor merges "
                        "connect them, or only later ones than the state that is to be merged, or "
                        "more than %u forks ago; name the ancestor",
                        CX_LINEAGE_MAX);
}

/* Works out what the merge comes to. */
static enum cx_status merge_prepare(struct write_merge *merge)
{
    struct cx_merge_result *result = merge->result;
    enum cx_status status;

    if (merge->no_ancestor) {
        return no_ancestor(merge);
    }
    if (merge->out_of_memory) {
        return cx_error_out_of_memory(merge->base.error);
    }
    if (merge->request->ancestor.id.size > 0) {
        status = take_named_ancestor(merge);
        if (status != CX_OK) {
            return status;
        }
    }
    cx_steps_reset(&merge->steps);
    result->conflict_count = 0;
    result->told_count = 0;
    merge->prepared.decided = false;
    status = join_entries(merge);
    if (status == CX_OK) {
        status = join_labels(merge);
    }
    if (status == CX_OK && merge->steps.too_large && result->conflict_count == 0) {
        return cx_error_limit(merge->base.error, "change_size_max", merge->steps.weight_max);
    }
    merge->prepared.is_set = true;
    merge->prepared.target_version = result->states[TARGET].version;
    merge->prepared.ops = merge->steps.ops;
    merge->prepared.op_count = result->conflict_count == 0 ? merge->steps.count : 0;
    return status == CX_OK ? status : cx_error_out_of_memory(merge->base.error);
}

static enum cx_status merge_run(struct write_merge *merge)
{
    unsigned attempts = 0;
    enum cx_status status;

    for (;;) {
        status = cx_engine_write_run(&merge->base);
        if (status != CX_OK || !merge->prepared.moved) {
            return status;
        }
        if (attempts++ == CX_PREPARE_ATTEMPTS_MAX) {
            return cx_engine_head_moved(merge->base.error, merge->result->states[TARGET].version);
        }
        status = merge_prepare(merge);
        if (status != CX_OK) {
            return status;
        }
        if (merge->result->conflict_count == 0) {
            drop_states(merge->result);
        } else {
            merge->base.version = merge->result->states[TARGET].version;
            return CX_OK; /* They are told as of the states that were compared. */
        }
    }
}

enum cx_status cx_engine_merge(struct cx_engine *engine, const struct cx_merge_request *request,
                               struct cx_write_outcome *ret_outcome,
                               struct cx_merge_result *ret_result,
                               char ret_safety_id[CX_POINT_ID_ROOM], struct cx_error *ret_error)
{
    struct write_merge merge = {
        .base = cx_engine_write_begin(
            engine, cx_engine_shards_of(&request->target, request->author.session_id), ret_error),
        .request = request,
        .result = ret_result,
        .safety_id = ret_safety_id,
    };
    enum cx_status status = CX_RESOURCE_EXHAUSTED;

    *ret_result = (struct cx_merge_result){0};
    ret_safety_id[0] = '\0';
    merge.steps.weight_max = engine->change_size_max;
    merge.base.grows = true;
    merge.base.plan = merge_plan;
    merge.base.done = merge_done;
    ret_result->memory = cx_calloc(CX_CONFLICTS_TOLD_MAX * sizeof *ret_result->conflicts);
    ret_result->conflicts = ret_result->memory;
    status = ret_result->memory != NULL ? merge_run(&merge) : cx_error_out_of_memory(ret_error);
    *ret_outcome = cx_engine_write_outcome(&merge.base);
    if (merge.ancestor_wait_for > ret_outcome->wait_for) {
        ret_outcome->wait_for = merge.ancestor_wait_for;
    }
    ret_result->applied = ret_result->conflict_count == 0 && !request->dry_run;
    ret_result->changed_count =
        merge.base.replayed || ret_result->conflict_count > 0 ? 0 : merge.steps.changed_count;
    cx_steps_done(&merge.steps);
    if (status != CX_OK) {
        cx_merge_result_done(ret_result);
    }
    return status;
}
