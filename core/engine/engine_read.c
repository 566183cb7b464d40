/* Reading one context. */

#include "core/engine/engine_internal.h"
#include "core/state/earlier.h"

/* Takes what is needed under the lock: a point, or the head and the way back from it. */
static enum cx_status take_locked(struct cx_engine *engine, struct cx_context *context,
                                  const struct cx_state_at *at, struct cx_snapshot *ret_snapshot,
                                  struct cx_undo_path *ret_path, struct cx_error *error)
{
    struct cx_base_ref ref;
    enum cx_status status;

    if (cx_state_at_is_newest(at)) {
        cx_context_snapshot(context, ret_snapshot); /* What nearly everybody asks for. */
        return CX_OK;
    }
    status = cx_earlier_find(context, at, engine->options.clock->wall_us(engine->options.clock),
                             &ref, error);
    if (status != CX_OK) {
        return status;
    }
    if (ref.kind == CX_BASE_POINT) {
        const struct cx_point *point = cx_recovery_find(context->recovery, ref.number);

        cx_snapshot_of_state(context, &point->state, ret_snapshot);
        return CX_OK;
    }
    if (ref.kind == CX_BASE_VERSION) {
        const struct cx_state_at version = {.version = ref.number};

        if (cx_context_find_path(context, &version, ret_path) != CX_OK) {
            return cx_error_out_of_memory(error);
        }
    }
    cx_context_snapshot(context, ret_snapshot);
    return CX_OK;
}

enum cx_status cx_engine_find_locked(struct cx_engine *engine, const struct cx_name_key *key,
                                     struct cx_context **ret_context, uint64_t *ret_wait_for,
                                     struct cx_error *ret_error)
{
    int64_t now_us = engine->options.clock->wall_us(engine->options.clock);
    struct cx_context *context = cx_state_find(&engine->state, key);

    *ret_wait_for = cx_state_derived_from(&engine->state, key, context);
    if (!cx_context_is_live(context) || cx_context_is_expired(context, now_us)) {
        return cx_context_not_found(ret_error, context);
    }
    *ret_context = context;
    return CX_OK;
}

enum cx_status cx_engine_get(struct cx_engine *engine, const struct cx_context_name *name,
                             const struct cx_state_at *at, struct cx_snapshot *ret_snapshot,
                             uint64_t *ret_wait_for, struct cx_error *ret_error)
{
    struct cx_undo_path path = {0};
    struct cx_name_key key;
    struct cx_context *context;
    enum cx_status status;

    cx_name_key_init(&key, name->namespace_id, name->id);
    pthread_mutex_lock(&engine->locks[key.shard]);
    status = cx_engine_find_locked(engine, &key, &context, ret_wait_for, ret_error);
    if (status == CX_OK) {
        status = take_locked(engine, context, at, ret_snapshot, &path, ret_error);
    }
    pthread_mutex_unlock(&engine->locks[key.shard]);

    if (status == CX_OK && path.count > 0) {
        status = cx_snapshot_go_back(ret_snapshot, &path);
        cx_undo_path_done(&path);
        if (status != CX_OK) {
            return cx_error_out_of_memory(ret_error);
        }
    }
    return status;
}
