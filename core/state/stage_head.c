#include "core/state/stage_head.h"

#include "core/state/stage_tracking.h"

/* The fence after the activation of an item that begins, if any: the last one. */
static uint64_t fence_after(const struct cx_context *context, const struct cx_change_item *item)
{
    uint64_t begun =
        item->activation_count > 0 ? item->activations[item->activation_count - 1].fence : 0;

    return begun != 0 ? begun : cx_context_fence(context);
}

/* An expiry that slides moves with every change but an end, and the end of a session. */
static void head_set_expiry(const struct cx_stage *stage, const struct cx_staged_item *staged,
                            enum cx_item_kind kind, struct cx_change_head *head)
{
    const struct cx_context *context = staged->context;
    bool slides = context->sliding &&
                  (kind == CX_ITEM_UPDATE || (kind == CX_ITEM_TOUCH && !stage->session.parts));

    if (staged->expiry_set || slides) {
        head->expire_us = staged->expiry_set ? staged->ttl_us : context->ttl_us;
        head->expires_from_now = head->expire_us != 0;
    } else {
        head->expire_us = context->end_time_us;
    }
}

static struct cx_change_head head_of(const struct cx_stage *stage,
                                     const struct cx_staged_item *staged,
                                     const struct cx_change_item *item)
{
    const struct cx_context *context = staged->context;
    bool makes_state = item->kind == CX_ITEM_CREATE || item->kind == CX_ITEM_UPDATE;
    struct cx_change_head head = {0};

    if (item->kind != CX_ITEM_CREATE && context->life != CX_CONTEXT_LIVE) {
        return head;
    }
    head.told = true;
    head.parent_id = cx_context_parent_id(context);
    head.create_time_us = context->create_time_us; /* 0 of one that is new. */
    head.update_time_us = makes_state ? 0 : context->update_time_us;
    head_set_expiry(stage, staged, item->kind, &head);
    head.entry_count = makes_state ? staged->entry_count : context->entry_count;
    head.size_bytes = makes_state ? staged->size_bytes : context->size_bytes;
    head.fence = fence_after(context, item);
    return head;
}

static bool heads_equal(const struct cx_change_head *a, const struct cx_change_head *b)
{
    return a->told == b->told && cx_bytes_equal(a->parent_id, b->parent_id) &&
           a->create_time_us == b->create_time_us && a->update_time_us == b->update_time_us &&
           a->expires_from_now == b->expires_from_now && a->expire_us == b->expire_us &&
           a->entry_count == b->entry_count && a->size_bytes == b->size_bytes &&
           a->fence == b->fence;
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
