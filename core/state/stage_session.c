/* Staging of what happens to the session of a change. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/state/stage_lists.h"
#include "core/state/stage_tracking.h"

static enum cx_status session_row(struct cx_stage *stage, const struct cx_session *session,
                                  bool starts)
{
    struct cx_tree *list = &stage->state->shards[stage->session.key.shard].sessions_by_start;
    struct cx_session_row_id id;
    struct cx_row_names names = {.names = {cx_session_namespace(session)}, .count = 1};
    struct cx_bytes key;
    enum cx_status status;

    cx_session_row_id_init(&id, starts ? UINT64_MAX : session->start_revision,
                           cx_session_id(session));
    names.id = (struct cx_bytes){id.bytes, id.size};
    if (starts) {
        status = cx_row_new(&names, &stage->session.row);
        return status == CX_OK
                   ? cx_stage_list_add(stage, list, &cx_row_class, &stage->session.row->item)
                   : status;
    }
    status = cx_row_key(stage->arena, &names, &key);
    return status == CX_OK ? cx_stage_list_remove(stage, list, &cx_row_class, key) : status;
}

static enum cx_status session_start(struct cx_stage *stage, struct cx_shard *shard,
                                    const struct cx_session_start_request *start)
{
    struct cx_session *session;
    enum cx_status status = cx_session_new(start, &session);

    if (status != CX_OK) {
        return status;
    }
    session->shard = (uint8_t)stage->session.key.shard;
    stage->session.session = session;
    status = cx_stage_list_add(stage, &shard->sessions, &cx_session_class,
                               cx_tree_item_ref(&session->item));
    return status == CX_OK ? session_row(stage, session, true) : status;
}

static enum cx_status session_end(struct cx_stage *stage, struct cx_shard *shard,
                                  struct cx_session *session)
{
    enum cx_status status =
        cx_stage_list_remove(stage, &shard->sessions, &cx_session_class,
                             cx_tree_item_key(&cx_session_class, &session->item));

    session->ending = true;
    return status == CX_OK ? session_row(stage, session, false) : status;
}

/* What is to be told of a session that is there. */
static void tell(const struct cx_session *session, struct cx_session_change *change)
{
    struct cx_label_list labels = cx_labels_list(session->labels);

    change->start.owner = cx_session_owner(session);
    change->start.labels = labels.items;
    change->start.label_count = labels.count;
    change->start.ttl_us = session->ttl_us;
    change->create_time_us = session->create_time_us;
}

/* Whether it is what a logged change tells. */
static bool is_told(const struct cx_session *session, const struct cx_session_change *change)
{
    const struct cx_label_list told = {change->start.labels, change->start.label_count};
    struct cx_label_list labels = cx_labels_list(session->labels);

    return cx_bytes_equal(cx_session_owner(session), change->start.owner) &&
           labels.count == told.count && cx_labels_include(labels, told) &&
           session->ttl_us == change->start.ttl_us &&
           session->create_time_us == change->create_time_us;
}

/* What a change tells of a session that is there: all but a part tell something. */
static enum cx_status stage_told(const struct cx_stage *stage, const struct cx_session *session,
                                 struct cx_session_change *change)
{
    if (change->step == CX_SESSION_PART) {
        return CX_OK;
    }
    if (cx_stage_is_planning(stage)) {
        tell(session, change);
        return CX_OK;
    }
    return is_told(session, change) ? CX_OK : CX_DATA_LOSS;
}

static enum cx_status stage_session(struct cx_stage *stage, struct cx_session_change *change)
{
    const struct cx_session_name *name = &change->start.name;
    struct cx_session *found;
    struct cx_shard *shard;
    enum cx_status status;

    cx_name_key_init(&stage->session.key, name->namespace_id, name->id);
    shard = &stage->state->shards[stage->session.key.shard];
    found = cx_state_find_session(stage->state, &stage->session.key);
    if ((found == NULL) != (change->step == CX_SESSION_START)) {
        return CX_DATA_LOSS;
    }
    if (found == NULL) {
        return session_start(stage, shard, &change->start);
    }
    cx_tree_item_ref(&found->item);
    stage->session.session = found;
    stage->session.parts = change->step != CX_SESSION_SWITCH;
    status = stage_told(stage, found, change);
    if (status != CX_OK) {
        return status;
    }
    return change->step == CX_SESSION_END || change->step == CX_SESSION_LOSE
               ? session_end(stage, shard, found)
               : CX_OK;
}

enum cx_status cx_stage_session(struct cx_stage *stage, struct cx_session_change *change)
{
    enum cx_status status = CX_OK;

    if (change->step != CX_SESSION_NONE) {
        status = stage_session(stage, change);
    }
    if (status == CX_RESOURCE_EXHAUSTED && stage->error != NULL) {
        status = cx_error_out_of_memory(stage->error);
    }
    return status;
}

/* The activation that will be the current one, which may begin with this change. */
static struct cx_activation *find_current(const struct cx_stage *stage, struct cx_bytes id)
{
    const struct cx_session *session = stage->session.session;
    const struct cx_context *context;
    struct cx_activation *found;
    struct cx_name_key key;

    cx_name_key_init(&key, cx_session_namespace(session), id);
    context = cx_stage_find(stage, &key);
    found = context != NULL ? cx_session_find(session, context) : NULL;
    if (found != NULL && found->staged) {
        found = NULL;
    }
    for (size_t i = 0; i < stage->item_count; i++) {
        const struct cx_staged_item *staged = &stage->items[i];
        struct cx_staged_activation *each =
            staged->tracking != NULL ? staged->tracking->activations : NULL;

        for (; each != NULL && staged->context == context; each = each->next) {
            found = each->begins && each->activation->session == session ? each->activation : found;
        }
    }
    return found;
}

enum cx_status cx_stage_session_finish(struct cx_stage *stage, const struct cx_change *change)
{
    struct cx_staged_session *staged = &stage->session;
    const struct cx_session *session = staged->session;

    switch (change->session.step) {
    case CX_SESSION_NONE:
    case CX_SESSION_PART:
        return CX_OK;
    case CX_SESSION_START:
        return cx_due_reserve(&stage->state->shards[staged->key.shard].leases, 1);
    case CX_SESSION_SWITCH:
        staged->current = find_current(stage, change->session.current_id);
        return staged->current != NULL ? CX_OK : CX_DATA_LOSS;
    default:
        return staged->ended_activations == session->activation_count &&
                       staged->ended_resources == session->resource_count
                   ? CX_OK
                   : CX_DATA_LOSS;
    }
}

void cx_staged_session_done(struct cx_staged_session *staged)
{
    if (staged->session != NULL) {
        staged->session->ending = false;
        cx_session_unref(staged->session);
    }
    staged->session = NULL;
}
