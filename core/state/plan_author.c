/* Who may write: sessions, leases, fences. */

#include <inttypes.h>

#include "core/base/limits.h"
#include "core/state/plan_common.h"

static enum cx_plan_result session_not_found(struct cx_plan *plan, struct cx_bytes id)
{
    (void)cx_session_not_found(plan->error, id);
    return CX_PLAN_FAILED;
}

enum cx_plan_result cx_plan_check_lease(struct cx_plan *plan, const struct cx_session *session)
{
    if (!cx_session_has_lapsed(session, plan->lease_now_us)) {
        return CX_PLAN_CHANGE;
    }
    cx_name_key_init(&plan->expired, cx_session_namespace(session), cx_session_id(session));
    plan->expired_is_session = true;
    return CX_PLAN_NEEDS_EXPIRY;
}

enum cx_plan_result cx_plan_session(struct cx_plan *plan, struct cx_bytes namespace_id,
                                    struct cx_bytes session_id, struct cx_session **ret_session)
{
    const struct cx_session_name name = {namespace_id, session_id};
    enum cx_plan_result result;
    struct cx_session *session;
    struct cx_name_key key;

    if (!cx_session_key(&key, &name)) {
        return session_not_found(plan, session_id);
    }
    result = cx_plan_need_shard(plan, key.shard);
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    session = cx_state_find_session(plan->state, &key);
    if (session == NULL) {
        cx_plan_note(plan, plan->state->shards[key.shard].session_end_revision);
        return session_not_found(plan, session_id);
    }
    cx_plan_note(plan, session->revision);
    *ret_session = session;
    return cx_plan_check_lease(plan, session);
}

enum cx_plan_result cx_plan_check_fence(struct cx_plan *plan, const struct cx_context *context,
                                        uint64_t fence, bool guarded)
{
    const struct cx_activation *exclusive =
        context != NULL && context->tracked != NULL ? context->tracked->exclusive : NULL;

    if (fence == 0 && (!guarded || exclusive == NULL || !exclusive->guard)) {
        return CX_PLAN_CHANGE;
    }
    if (exclusive != NULL) {
        enum cx_plan_result result = cx_plan_check_lease(plan, exclusive->session);

        if (result != CX_PLAN_CHANGE || exclusive->fence == fence) {
            return result;
        }
    }
    return cx_plan_stale(plan, context,
                         fence != 0
                             ? "the activation of that fence is no longer in force; activate "
                               "the context again and see what was done meanwhile"
                             : "another activation guards the context; activate it "
                               "exclusively and write with that fence");
}

enum cx_plan_result cx_plan_stale(struct cx_plan *plan, const struct cx_context *context,
                                  const char *message)
{
    uint64_t current = context != NULL ? cx_context_fence(context) : 0;

    (void)cx_error_set(plan->error, CX_REASON_STALE_FENCE, "%s", message);
    cx_error_detail_number(plan->error, "current_fence", current);
    return CX_PLAN_FAILED;
}

enum cx_plan_result cx_plan_check_author(struct cx_plan *plan, struct cx_bytes namespace_id,
                                         const struct cx_context *context,
                                         const struct cx_author *author)
{
    struct cx_session *session;
    enum cx_plan_result result = CX_PLAN_CHANGE;

    if (author->session_id.size > 0) {
        result = cx_plan_session(plan, namespace_id, author->session_id, &session);
    }
    return result == CX_PLAN_CHANGE ? cx_plan_check_fence(plan, context, author->fence, true)
                                    : result;
}

enum cx_plan_result cx_plan_busy(struct cx_plan *plan, const struct cx_session *session)
{
    struct cx_bytes owner = cx_session_owner(session);

    (void)cx_error_set(plan->error, CX_REASON_CONTEXT_BUSY,
                       "another session has the context exclusively; wait, or take it over");
    cx_error_detail(plan->error, "session_id", cx_session_id(session));
    cx_error_detail(plan->error, "owner", owner);
    return CX_PLAN_FAILED;
}

enum cx_plan_result cx_plan_check_sessions(struct cx_plan *plan, const struct cx_context *context)
{
    uint64_t fitting = plan->change_size_max / 4 / CX_PLAN_STEP_WEIGHT;
    uint64_t count_max = fitting < CX_CONTEXT_SESSIONS_MAX ? fitting : CX_CONTEXT_SESSIONS_MAX;

    if (context == NULL || context->tracked == NULL ||
        context->tracked->activation_count < count_max) {
        return CX_PLAN_CHANGE;
    }
    (void)cx_error_limit(plan->error, "context_sessions_max", count_max);
    return CX_PLAN_FAILED;
}
