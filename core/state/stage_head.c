#include "core/state/stage_head.h"

#include "core/state/point.h"
#include "core/state/stage_tracking.h"

/* The fence after the activation of an item that begins, if any: the last one. */
static uint64_t fence_after(const struct cx_context *context, const struct cx_change_item *item)
{
    uint64_t begun =
        item->activation_count > 0 ? item->activations[item->activation_count - 1].fence : 0;

    return begun != 0 ? begun : cx_context_fence(context);
}

/* An expiry that slides moves with every change but an end, the end of a session, and what a timer
 * does to points. */
static void head_set_expiry(const struct cx_stage *stage, const struct cx_staged_item *staged,
                            const struct cx_change_item *item, struct cx_change_head *head)
{
    const struct cx_context *context = staged->context;
    bool slides = context->sliding &&
                  (item->kind == CX_ITEM_UPDATE ||
                   (item->kind == CX_ITEM_TOUCH && !item->by_timer && !stage->session.parts));

    if (staged->expiry_set || slides) {
        head->expire_us = staged->expiry_set ? staged->ttl_us : context->ttl_us;
        head->expires_from_now = head->expire_us != 0;
    } else {
        head->expire_us = context->end_time_us;
    }
}

/* The policy, and where it was forked from. */
static void head_set_origin(const struct cx_staged_item *staged, enum cx_item_kind kind,
                            struct cx_change_head *head)
{
    const struct cx_recovery *recovery = staged->context->recovery;
    const struct cx_base *origin = recovery != NULL ? recovery->forked_from : NULL;

    if (kind == CX_ITEM_CREATE) {
        origin = staged->forked_from;
    }
    if (staged->policy_set) {
        head->policy = staged->policy;
    } else if (recovery != NULL) {
        head->policy = recovery->policy;
    }
    if (origin != NULL) {
        head->forked_from_id = cx_base_id(origin);
        head->forked_from_version = origin->version;
    }
}

static struct cx_change_head head_of(const struct cx_stage *stage,
                                     const struct cx_staged_item *staged,
                                     const struct cx_change_item *item)
{
    const struct cx_context *context = staged->context;
    bool makes_state = item->kind == CX_ITEM_CREATE || item->kind == CX_ITEM_UPDATE ||
                       item->kind == CX_ITEM_UNDELETE;
    struct cx_change_head head = {0};

    if (!makes_state && context->life != CX_CONTEXT_LIVE) {
        return head;
    }
    head.told = true;
    head.parent_id = cx_context_parent_id(context);
    head.create_time_us = context->create_time_us; /* 0 of one that is new. */
    head.update_time_us = makes_state ? 0 : context->update_time_us;
    head_set_expiry(stage, staged, item, &head);
    head.entry_count = makes_state ? staged->entry_count : context->entry_count;
    head.size_bytes = makes_state ? staged->size_bytes : context->size_bytes;
    head.fence = fence_after(context, item);
    head_set_origin(staged, item->kind, &head);
    return head;
}

static bool policies_equal(const struct cx_recovery_policy *a, const struct cx_recovery_policy *b)
{
    return a->is_set == b->is_set && a->retention.keep_last == b->retention.keep_last &&
           a->retention.keep_every == b->retention.keep_every &&
           a->retention.keep_within_us == b->retention.keep_within_us &&
           a->point_every_changes == b->point_every_changes &&
           a->point_every_us == b->point_every_us;
}

static bool heads_equal(const struct cx_change_head *a, const struct cx_change_head *b)
{
    return a->told == b->told && cx_bytes_equal(a->parent_id, b->parent_id) &&
           a->create_time_us == b->create_time_us && a->update_time_us == b->update_time_us &&
           a->expires_from_now == b->expires_from_now && a->expire_us == b->expire_us &&
           a->entry_count == b->entry_count && a->size_bytes == b->size_bytes &&
           a->fence == b->fence && policies_equal(&a->policy, &b->policy) &&
           cx_bytes_equal(a->forked_from_id, b->forked_from_id) &&
           a->forked_from_version == b->forked_from_version;
}

enum cx_status cx_stage_head(const struct cx_stage *stage, const struct cx_staged_item *staged,
                             struct cx_change_item *item)
{
    const struct cx_change_head head = head_of(stage, staged, item);

    if (!cx_stage_is_planning(stage) && !heads_equal(&head, &item->head)) {
        return CX_DATA_LOSS;
    }
    item->head = head;
    return CX_OK;
}
