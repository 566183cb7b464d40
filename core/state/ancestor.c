#include "core/state/ancestor.h"

/* A context on the way back through the forks, and the state of it that was left: NULL, the one
 * that the way begins with. */
struct step {
    uint64_t birth; /* See cx_context_birth(). */
    struct cx_base *left;
    struct cx_base *older;
};

static struct step first_step(const struct cx_context *context)
{
    return (struct step){
        .birth = cx_context_birth(context),
        .older = context->recovery != NULL ? context->recovery->forked_from : NULL,
    };
}

/* Goes on to the context that a state of this one was made in: itself, or one that it was forked
 * from. False: one of the same name, whose place it took, and of which no more is known. */
static bool step_to(struct step *step, uint64_t birth)
{
    struct step at = *step;

    while (at.birth != birth && at.older != NULL) {
        at = (struct step){at.older->birth, NULL, at.older->older};
    }
    if (at.birth != birth) {
        *step = (struct step){birth, step->left, NULL};
        return false;
    }
    at.left = step->left;
    *step = at;
    return true;
}

static bool step_back(struct step *step)
{
    struct cx_base *base = step->older;

    if (base == NULL) {
        return false;
    }
    *step = (struct step){base->birth, base, base->older};
    (void)step_to(step, base->state_birth);
    return true;
}

static bool is_aside(const struct cx_base *base)
{
    return base->version != base->head_version;
}

/* The state of one context that two ways, which left it at these, both come from. NULL: it is not
 * kept, or that of the context itself. */
static struct cx_base *common_of(struct cx_base *a, struct cx_base *b)
{
    struct cx_base *older;

    if (a != NULL && b != NULL && a->version == b->version) {
        return a;
    }
    if (a == NULL || b == NULL) {
        older = a != NULL ? a : b;
    } else if (a->head_version == b->head_version) {
        older = is_aside(a) ? b : a; /* The head that one of them was made from, or both. */
    } else {
        older = a->head_version < b->head_version ? a : b;
    }
    return older != NULL && !is_aside(older) ? older : NULL;
}

/* Where the ways back meet first. */
static struct cx_base *find_fork(const struct step *source, const struct cx_context *target)
{
    struct step from_target = first_step(target);

    do {
        struct step from_source = *source;

        do {
            if (from_source.birth == from_target.birth) {
                return common_of(from_source.left, from_target.left);
            }
        } while (step_back(&from_source));
    } while (step_back(&from_target));
    return NULL;
}

static struct cx_base *find_merged(const struct cx_context *target, uint64_t source_birth)
{
    const struct cx_merged *merged = target->recovery != NULL ? target->recovery->merged : NULL;

    while (merged != NULL && merged->base->birth != source_birth) {
        merged = merged->next;
    }
    return merged != NULL ? merged->base : NULL;
}

struct cx_base *cx_merged_find(const struct cx_context *target, const struct cx_context *source)
{
    return find_merged(target, cx_context_birth(source));
}

bool cx_merged_says_more(const struct cx_context *target, const struct cx_context *source,
                         const struct cx_kept_state *state)
{
    const struct cx_base *before = cx_merged_find(target, source);

    return state->version == state->head_version && state->birth == cx_context_birth(source) &&
           (before == NULL || state->version > before->version);
}

bool cx_ancestor_is_of(const struct cx_context *context, const struct cx_kept_state *state)
{
    struct step step = first_step(context);

    return step_to(&step, state->birth);
}

static struct cx_base *newer_of(struct cx_base *a, struct cx_base *b)
{
    if (a == NULL || b == NULL) {
        return a != NULL ? a : b;
    }
    return a->revision >= b->revision ? a : b;
}

struct cx_base *cx_ancestor_find(const struct cx_context *source, const struct cx_kept_state *state,
                                 const struct cx_context *target)
{
    struct step from = first_step(source);
    struct cx_base *taken = cx_merged_find(source, target);
    bool is_of_source = step_to(&from, state->birth);
    struct cx_base *found = find_fork(&from, target);
    struct cx_base *merged = find_merged(target, from.birth);

    /* A state from before a fork or merge knows nothing of it. */
    if (found != NULL && found->head_version > state->head_version) {
        found = NULL;
    }
    if (merged != NULL && merged->head_version <= state->head_version) {
        found = newer_of(merged, found);
    }
    if (taken != NULL && is_of_source && taken->revision <= state->head_revision) {
        found = newer_of(taken, found);
    }
    return cx_base_ref(found);
}
