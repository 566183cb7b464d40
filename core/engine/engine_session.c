/* Sessions: starts, renewals, ends, and the leases that tell which are lost.
 *
 * A session's lease in its shard's heap is never later than its deadline (but for one that could
 * not be ended and is put off), which a renewal moves by itself: whoever finds a lease due looks
 * at the deadline. So a renewal costs a look-up and one number. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine_change.h"

/* When the end of a session that failed is tried again. */
enum { RETRY_US = 1000000 };

static int64_t steady_us(const struct cx_engine *engine)
{
    return engine->options.clock->monotonic_us(engine->options.clock);
}

/* When a session ends, by the clock on the wall. */
static int64_t expire_time_us(const struct cx_engine *engine, const struct cx_session *session)
{
    const struct cx_clock *clock = engine->options.clock;
    int64_t deadline_us = __atomic_load_n(&session->deadline_us, __ATOMIC_RELAXED);

    return clock->wall_us(clock) + (deadline_us - clock->monotonic_us(clock));
}

void cx_engine_view_session(const struct cx_engine *engine, const struct cx_session *session,
                            struct cx_session_view *ret_view)
{
    cx_session_view_fill(session, ret_view);
    ret_view->expire_time_us = expire_time_us(engine, session);
}

/* ---- Leases. ---------------------------------------------------------------- */

static void renew(struct cx_session *session, int64_t now_us)
{
    __atomic_store_n(&session->deadline_us, now_us + session->ttl_us, __ATOMIC_RELAXED);
}

/* Gives a session a full term, and puts its lease where it belongs. */
static void start_lease(struct cx_shard *shard, struct cx_session *session, int64_t now_us)
{
    renew(session, now_us);
    cx_due_set(&shard->leases, &session->lease, session->deadline_us);
}

void cx_engine_start_leases(struct cx_engine *engine)
{
    int64_t now_us = steady_us(engine);

    for (unsigned i = 0; i < CX_SHARDS; i++) {
        struct cx_shard *shard = &engine->state.shards[i];
        struct cx_tree_cursor cursor;
        struct cx_tree_item *item =
            cx_tree_seek(&cx_session_class, &shard->sessions, (struct cx_bytes){0}, &cursor);

        for (; item != NULL; item = cx_tree_next(&cursor)) {
            start_lease(shard, cx_session_of(item), now_us);
        }
    }
}

/* The name of a session of a shard whose term is over. Leases that were renewed meanwhile
 * are put where they belong. */
static bool shard_first_lapsed(struct cx_engine *engine, unsigned index,
                               struct cx_name_key *ret_key)
{
    struct cx_shard *shard = &engine->state.shards[index];
    int64_t now_us = steady_us(engine);
    struct cx_due_mark *first;
    bool lapsed = false;
    int64_t time_us;

    pthread_mutex_lock(&engine->locks[index]);
    first = cx_due_first(&shard->leases, &time_us);
    while (first != NULL && time_us <= now_us && !lapsed) {
        struct cx_session *session = CX_CONTAINER_OF(first, struct cx_session, lease);

        lapsed = cx_session_has_lapsed(session, now_us);
        if (lapsed) {
            cx_name_key_init(ret_key, cx_session_namespace(session), cx_session_id(session));
        } else {
            cx_due_set(&shard->leases, first, session->deadline_us);
            first = cx_due_first(&shard->leases, &time_us);
        }
    }
    pthread_mutex_unlock(&engine->locks[index]);
    return lapsed;
}

/* Has a session looked at again a little later, so that others get their turn. */
static void put_off(struct cx_engine *engine, const struct cx_name_key *key)
{
    struct cx_shard *shard = &engine->state.shards[key->shard];
    struct cx_session *session;

    pthread_mutex_lock(&engine->locks[key->shard]);
    session = cx_state_find_session(&engine->state, key);
    if (session != NULL) {
        cx_due_set(&shard->leases, &session->lease, steady_us(engine) + RETRY_US);
    }
    pthread_mutex_unlock(&engine->locks[key->shard]);
}

void cx_engine_run_leases(struct cx_engine *engine, unsigned shard)
{
    struct cx_name_key key;

    while (shard_first_lapsed(engine, shard, &key)) {
        struct cx_error error;

        if (cx_engine_lapse(engine, &key, &error) != CX_OK) {
            put_off(engine, &key); /* Nobody takes it for alive meanwhile. */
        }
    }
}

struct write_lapse {
    struct cx_engine_write base;
    const struct cx_name_key *key;
};

static enum cx_plan_result lapse_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    return cx_plan_lapse(plan, ((struct write_lapse *)write)->key);
}

enum cx_status cx_engine_lapse(struct cx_engine *engine, const struct cx_name_key *key,
                               struct cx_error *ret_error)
{
    struct write_lapse lapse = {
        .base = cx_engine_write_begin(engine, 1ULL << key->shard, ret_error),
        .key = key,
    };

    enum cx_status status;

    lapse.base.plan = lapse_plan;
    lapse.base.ends = true;
    do {
        lapse.base.more = false;
        status = cx_engine_write_run(&lapse.base);
    } while (status == CX_OK && lapse.base.more);
    return status;
}

/* ---- Starts. ---------------------------------------------------------------- */

struct write_start {
    struct cx_engine_write base;
    const struct cx_session_start_request *request;
    struct cx_session_view *view; /* Room for it, once the plan is made. */
    bool there;                   /* The view is set. */
};

/* Room for the answer is there before anything is changed. */
static enum cx_plan_result start_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_start *start = (struct write_start *)write;
    const struct cx_session_name *name = &start->request->name;
    enum cx_plan_result result = cx_plan_start_session(plan, start->request);
    const struct cx_session *session = plan->stage.session.session;
    struct cx_name_key key;

    if (result > CX_PLAN_NOTHING) {
        return result;
    }
    if (session == NULL) {
        cx_name_key_init(&key, name->namespace_id, name->id);
        session = cx_state_find_session(plan->state, &key);
    }
    if (session != NULL && result == CX_PLAN_NOTHING &&
        cx_plan_check_lease(plan, session) != CX_PLAN_CHANGE) {
        return CX_PLAN_NEEDS_EXPIRY;
    }
    cx_free(start->view);
    start->view = session != NULL ? cx_alloc(cx_session_view_room(session)) : NULL;
    if (session != NULL && start->view == NULL) {
        (void)cx_error_out_of_memory(plan->error);
        return CX_PLAN_FAILED;
    }
    return result;
}

static void start_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_start *start = (struct write_start *)write;
    const struct cx_session_name *name = &start->request->name;
    struct cx_session *session;
    struct cx_name_key key;

    cx_name_key_init(&key, name->namespace_id, name->id);
    session = cx_state_find_session(plan->state, &key);
    if (session == NULL) { /* A repeat, and it has ended. */
        uint64_t ended = plan->state->shards[key.shard].session_end_revision;

        write->wait_for = ended > write->wait_for ? ended : write->wait_for;
        return;
    }
    if (!write->replayed) {
        start_lease(&plan->state->shards[key.shard], session, steady_us(write->engine));
    }
    write->wait_for = session->revision > write->wait_for ? session->revision : write->wait_for;
    cx_engine_view_session(write->engine, session, start->view);
    start->there = true;
}

enum cx_status cx_engine_start_session(struct cx_engine *engine,
                                       const struct cx_session_start_request *request,
                                       struct cx_write_outcome *ret_outcome,
                                       struct cx_session_view **ret_session,
                                       struct cx_error *ret_error)
{
    struct cx_session_start_request named = *request;
    char made_up[CX_MADE_UP_ID_SIZE + 1];
    struct write_start start = {.request = &named};
    enum cx_status status;

    assert(request->ttl_us >= CX_SESSION_TTL_US_MIN && request->ttl_us <= CX_SESSION_TTL_US_MAX);
    if (named.name.id.size == 0) {
        cx_engine_make_up_id(engine, CX_MADE_UP_SESSION, request->name.namespace_id,
                             request->request_id, made_up);
        named.name.id = cx_bytes_of(made_up);
    }
    start.base = cx_engine_write_begin(
        engine, cx_engine_shard_of_session(named.name.namespace_id, named.name.id), ret_error);
    start.base.grows = true;
    start.base.plan = start_plan;
    start.base.done = start_done;
    status = cx_engine_write_run(&start.base);
    *ret_outcome = cx_engine_write_outcome(&start.base);
    if (status != CX_OK || !start.there) {
        cx_session_view_free(start.view);
        start.view = NULL;
    }
    *ret_session = start.view;
    return status;
}

/* ---- Ends. ------------------------------------------------------------------ */

struct write_end {
    struct cx_engine_write base;
    const struct cx_session_end_request *request;
};

static enum cx_plan_result end_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    return cx_plan_end_session(plan, ((struct write_end *)write)->request);
}

enum cx_status cx_engine_end_session(struct cx_engine *engine,
                                     const struct cx_session_end_request *request,
                                     struct cx_write_outcome *ret_outcome,
                                     struct cx_error *ret_error)
{
    uint64_t shard = cx_engine_shard_of_session(request->name.namespace_id, request->name.id);
    struct write_end end = {.request = request};
    enum cx_status status;

    if (shard == 0) { /* No session can have this name. */
        *ret_outcome = (struct cx_write_outcome){0};
        return CX_OK;
    }
    end.base = cx_engine_write_begin(engine, shard, ret_error);
    end.base.plan = end_plan;
    end.base.ends = true;
    do {
        end.base.more = false;
        status = cx_engine_write_run(&end.base);
    } while (status == CX_OK && end.base.more);
    *ret_outcome = cx_engine_write_outcome(&end.base);
    return status;
}

/* ---- Looking at one. -------------------------------------------------------- */

/* What to do with a session, under its lock. */
typedef enum cx_status (*visit_fn)(struct cx_engine *engine, struct cx_session *session,
                                   int64_t now_us, void *arg, struct cx_error *error);

/* One look at a session. *ret_lapsed: its term is over, and it must be ended first, unless it is
 * shown as it still is. */
static enum cx_status visit_once(struct cx_engine *engine, const struct cx_name_key *key,
                                 visit_fn look, void *arg, bool shows_lapsed, bool *ret_lapsed,
                                 uint64_t *ret_wait_for, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    struct cx_session *session;
    int64_t now_us;

    pthread_mutex_lock(&engine->locks[key->shard]);
    now_us = steady_us(engine);
    session = cx_state_find_session(&engine->state, key);
    *ret_lapsed = session != NULL && !shows_lapsed && cx_session_has_lapsed(session, now_us);
    *ret_wait_for =
        session != NULL ? session->revision : engine->state.shards[key->shard].session_end_revision;
    if (session != NULL && !*ret_lapsed) {
        status = look(engine, session, now_us, arg, error);
    }
    pthread_mutex_unlock(&engine->locks[key->shard]);
    return session != NULL ? status : CX_NOT_FOUND;
}

/* Finds a live session, and has it looked at. One whose term is over is ended, so that what is
 * told of it is in the log; where that fails, a read shows it as it still is. */
static enum cx_status visit(struct cx_engine *engine, const struct cx_session_name *name,
                            visit_fn look, void *arg, bool reads, uint64_t *ret_wait_for,
                            struct cx_error *error)
{
    bool shows_lapsed = false;
    struct cx_name_key key;

    *ret_wait_for = 0;
    if (!cx_session_key(&key, name)) {
        return cx_session_not_found(error, name->id);
    }
    for (;;) {
        bool lapsed;
        enum cx_status status =
            visit_once(engine, &key, look, arg, shows_lapsed, &lapsed, ret_wait_for, error);

        if (!lapsed) {
            return status == CX_NOT_FOUND ? cx_session_not_found(error, name->id) : status;
        }
        status = cx_engine_lapse(engine, &key, error);
        if (status != CX_OK && !reads) {
            return status;
        }
        shows_lapsed = status != CX_OK;
    }
}

static enum cx_status look_renew(struct cx_engine *engine, struct cx_session *session,
                                 int64_t now_us, void *arg, struct cx_error *error)
{
    int64_t *expire_us = arg;

    (void)error;
    renew(session, now_us);
    *expire_us = expire_time_us(engine, session);
    return CX_OK;
}

enum cx_status cx_engine_renew_session(struct cx_engine *engine, const struct cx_session_name *name,
                                       int64_t *ret_expire_time_us, uint64_t *ret_wait_for,
                                       struct cx_error *ret_error)
{
    return visit(engine, name, look_renew, ret_expire_time_us, false, ret_wait_for, ret_error);
}

static enum cx_status look_view(struct cx_engine *engine, struct cx_session *session,
                                int64_t now_us, void *arg, struct cx_error *error)
{
    struct cx_session_view *view = cx_alloc(cx_session_view_room(session));

    (void)now_us;
    if (view == NULL) {
        return cx_error_out_of_memory(error);
    }
    cx_engine_view_session(engine, session, view);
    *(struct cx_session_view **)arg = view;
    return CX_OK;
}

enum cx_status cx_engine_get_session(struct cx_engine *engine, const struct cx_session_name *name,
                                     struct cx_session_view **ret_session, uint64_t *ret_wait_for,
                                     struct cx_error *ret_error)
{
    return visit(engine, name, look_view, ret_session, true, ret_wait_for, ret_error);
}
