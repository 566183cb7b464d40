/* Which contexts are active in which sessions, and what these hold. */

#include "core/base/memory.h"
#include "core/engine/engine_change.h"
#include "core/state/tracked.h"

/* ---- Activation. ------------------------------------------------------------ */

typedef enum cx_plan_result (*activation_fn)(struct cx_plan *plan,
                                             const struct cx_activation_request *request);

struct write_activation {
    struct cx_engine_write base;
    const struct cx_activation_request *request;
    activation_fn plan;
    struct cx_session_view *view; /* Room for it, once the plan is made. */
    bool there;                   /* The view is set. */
    struct cx_snapshot *snapshot; /* NULL: is not wanted. */
};

/* The session of the request, or NULL. *ret_revision is what that was last made so by. */
static struct cx_session *find_session(const struct cx_plan *plan,
                                       const struct cx_activation_request *request,
                                       uint64_t *ret_revision)
{
    const struct cx_session_name name = {request->name.namespace_id, request->session_id};
    struct cx_session *session;
    struct cx_name_key key;

    *ret_revision = 0;
    if (!cx_session_key(&key, &name)) {
        return NULL;
    }
    session = cx_state_find_session(plan->state, &key);
    *ret_revision =
        session != NULL ? session->revision : plan->state->shards[key.shard].session_end_revision;
    return session;
}

/* Whether the change makes contexts, and so takes more memory than an activation alone. */
static bool creates(const struct cx_change *change)
{
    return change->item_count > 0 && change->items[0].kind == CX_ITEM_CREATE;
}

/* Room for the answer is there before anything is changed. */
static enum cx_plan_result activation_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_activation *activation = (struct write_activation *)write;
    enum cx_plan_result result = activation->plan(plan, activation->request);
    const struct cx_session *session;
    uint64_t revision;

    if (result > CX_PLAN_NOTHING) {
        return result;
    }
    session = find_session(plan, activation->request, &revision);
    if (session != NULL && result == CX_PLAN_NOTHING &&
        cx_plan_check_lease(plan, session) != CX_PLAN_CHANGE) {
        return CX_PLAN_NEEDS_EXPIRY;
    }
    cx_free(activation->view);
    activation->view = session != NULL ? cx_alloc(cx_session_view_room(session)) : NULL;
    if (session != NULL && activation->view == NULL) {
        (void)cx_error_out_of_memory(plan->error);
        return CX_PLAN_FAILED;
    }
    write->grows = creates(&plan->change);
    return result;
}

/* Shows the context as it is now; after a repeat it may be gone. */
static void show_context(struct write_activation *activation, const struct cx_plan *plan)
{
    const struct cx_context_name *name = &activation->request->name;
    struct cx_context *context;
    struct cx_name_key key;

    cx_name_key_init(&key, name->namespace_id, name->id);
    context = cx_state_find(plan->state, &key);
    cx_engine_write_note(&activation->base, cx_state_derived_from(plan->state, &key, context));
    if (cx_context_is_live(context) && !cx_context_is_expired(context, activation->base.now_us)) {
        cx_context_snapshot(context, activation->snapshot);
    }
}

static void activation_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_activation *activation = (struct write_activation *)write;
    uint64_t revision;
    const struct cx_session *session = find_session(plan, activation->request, &revision);

    cx_engine_write_note(write, revision);
    if (session != NULL) {
        cx_engine_view_session(write->engine, session, activation->view);
        activation->there = true;
    }
    if (activation->snapshot != NULL) {
        show_context(activation, plan);
    }
}

/* Carries out one of the three. */
static enum cx_status run(struct cx_engine *engine, struct write_activation *activation,
                          struct cx_write_outcome *ret_outcome,
                          struct cx_session_view **ret_session, struct cx_error *error)
{
    const struct cx_activation_request *request = activation->request;
    enum cx_status status;

    activation->base = cx_engine_write_begin(
        engine, cx_engine_shards_of(&request->name, request->session_id), error);
    activation->base.plan = activation_plan;
    activation->base.done = activation_done;
    status = cx_engine_write_run(&activation->base);
    *ret_outcome = cx_engine_write_outcome(&activation->base);
    if (status != CX_OK || !activation->there) {
        cx_session_view_free(activation->view);
        activation->view = NULL;
    }
    *ret_session = activation->view;
    return status;
}

enum cx_status cx_engine_activate(struct cx_engine *engine,
                                  const struct cx_activation_request *request,
                                  struct cx_write_outcome *ret_outcome,
                                  struct cx_activation_view *ret_activation,
                                  struct cx_session_view **ret_session,
                                  struct cx_snapshot *ret_snapshot, struct cx_error *ret_error)
{
    struct write_activation activation = {
        .request = request,
        .plan = cx_plan_activate,
        .snapshot = ret_snapshot,
    };
    enum cx_status status;

    *ret_snapshot = (struct cx_snapshot){0};
    *ret_activation = (struct cx_activation_view){0};
    status = run(engine, &activation, ret_outcome, ret_session, ret_error);
    for (size_t i = 0; *ret_session != NULL && i < (*ret_session)->activation_count; i++) {
        if (cx_bytes_equal((*ret_session)->activations[i].context_id, request->name.id)) {
            *ret_activation = (*ret_session)->activations[i];
        }
    }
    return status;
}

enum cx_status cx_engine_switch(struct cx_engine *engine,
                                const struct cx_activation_request *request,
                                struct cx_write_outcome *ret_outcome,
                                struct cx_session_view **ret_session, struct cx_error *ret_error)
{
    struct write_activation activation = {.request = request, .plan = cx_plan_switch};

    return run(engine, &activation, ret_outcome, ret_session, ret_error);
}

enum cx_status cx_engine_deactivate(struct cx_engine *engine,
                                    const struct cx_activation_request *request,
                                    struct cx_write_outcome *ret_outcome,
                                    struct cx_session_view **ret_session,
                                    struct cx_error *ret_error)
{
    struct write_activation activation = {.request = request, .plan = cx_plan_deactivate};

    return run(engine, &activation, ret_outcome, ret_session, ret_error);
}

/* ---- Status. ---------------------------------------------------------------- */

static enum cx_status copy_sessions(const struct cx_tracked *tracked,
                                    struct cx_context_status *status)
{
    size_t size = tracked->activation_count * (sizeof *status->session_ids + CX_SESSION_ID_SIZE);
    uint8_t *at;

    status->memory = cx_alloc(size + 1);
    if (status->memory == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    status->session_ids = status->memory;
    at = (uint8_t *)(status->session_ids + tracked->activation_count);
    for (const struct cx_activation *each = tracked->activation_oldest; each != NULL;
         each = each->context_next) {
        struct cx_bytes *id = &status->session_ids[status->session_count++];

        *id = cx_bytes_put(&at, cx_session_id(each->session));
        if (each == tracked->exclusive) {
            status->exclusive_session_id = *id;
            status->guarded = each->guard;
        }
    }
    return CX_OK;
}

/* A session whose term is over among those that have a context active: its key. */
static bool find_lapsed(const struct cx_tracked *tracked, int64_t lease_now_us,
                        struct cx_name_key *ret_key)
{
    for (const struct cx_activation *each = tracked->activation_oldest; each != NULL;
         each = each->context_next) {
        if (cx_session_has_lapsed(each->session, lease_now_us)) {
            cx_name_key_init(ret_key, cx_session_namespace(each->session),
                             cx_session_id(each->session));
            return true;
        }
    }
    return false;
}

/* One look at a context. *ret_lapsed: a session is to be ended first, and the look repeated. */
static enum cx_status look(struct cx_engine *engine, const struct cx_name_key *key,
                           bool shows_lapsed, struct cx_context_status *ret_status,
                           bool *ret_lapsed, struct cx_name_key *ret_lapsed_key,
                           uint64_t *ret_wait_for)
{
    const struct cx_clock *clock = engine->options.clock;
    enum cx_status status = CX_OK;
    struct cx_context *context;
    struct cx_error error;

    *ret_status = (struct cx_context_status){0};
    *ret_lapsed = false;
    pthread_mutex_lock(&engine->locks[key->shard]);
    if (cx_engine_find_locked(engine, key, &context, ret_wait_for, &error) == CX_OK) {
        ret_status->exists = true;
        ret_status->version = context->version;
        ret_status->fence = cx_context_fence(context);
        *ret_lapsed = context->tracked != NULL && !shows_lapsed &&
                      find_lapsed(context->tracked, clock->monotonic_us(clock), ret_lapsed_key);
        if (context->tracked != NULL && !*ret_lapsed) {
            status = copy_sessions(context->tracked, ret_status);
        }
    }
    pthread_mutex_unlock(&engine->locks[key->shard]);
    return status;
}

enum cx_status cx_engine_status(struct cx_engine *engine, const struct cx_context_name *name,
                                struct cx_context_status *ret_status, uint64_t *ret_wait_for,
                                struct cx_error *ret_error)
{
    struct cx_name_key lapsed_key;
    struct cx_name_key key;
    size_t lapses = 0;

    cx_name_key_init(&key, name->namespace_id, name->id);
    for (;;) {
        bool lapsed;
        enum cx_status status = look(engine, &key, lapses == CX_ENGINE_LAPSES_MAX, ret_status,
                                     &lapsed, &lapsed_key, ret_wait_for);

        if (!lapsed) {
            return status == CX_OK ? CX_OK : cx_error_out_of_memory(ret_error);
        }
        lapses = cx_engine_lapse(engine, &lapsed_key, ret_error) == CX_OK ? lapses + 1
                                                                          : CX_ENGINE_LAPSES_MAX;
    }
}

/* ---- Resources. ------------------------------------------------------------- */

typedef enum cx_plan_result (*resource_fn)(struct cx_plan *plan,
                                           const struct cx_resource_request *request);

struct write_resource {
    struct cx_engine_write base;
    const struct cx_resource_request *request;
    resource_fn plan;
    struct cx_resource_page *page; /* With room for one row. NULL: is not wanted. */
};

/* The resource, if the session of the request holds it. */
static const struct cx_resource *find_held(const struct cx_plan *plan,
                                           const struct cx_resource_request *request)
{
    struct cx_tree_item *found = NULL;
    const struct cx_context *context;
    struct cx_name_key key;

    cx_name_key_init(&key, request->name.namespace_id, request->name.id);
    context = cx_state_find(plan->state, &key);
    if (context != NULL && context->tracked != NULL) {
        found = cx_tree_get(&cx_resource_class, &context->tracked->resources, request->resource);
    }
    return found != NULL && cx_bytes_equal(cx_session_id(cx_resource_of(found)->session),
                                           request->session_id)
               ? cx_resource_of(found)
               : NULL;
}

static enum cx_plan_result resource_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_resource *resource = (struct write_resource *)write;
    enum cx_plan_result result = resource->plan(plan, resource->request);
    const struct cx_resource *held =
        result == CX_PLAN_NOTHING ? find_held(plan, resource->request) : NULL;

    return held != NULL && cx_plan_check_lease(plan, held->session) != CX_PLAN_CHANGE
               ? CX_PLAN_NEEDS_EXPIRY
               : result;
}

/* Shows the resource as it is held now, if this session still does. */
static void resource_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_resource *resource = (struct write_resource *)write;
    const struct cx_resource_request *request = resource->request;
    struct cx_resource_page *page = resource->page;
    const struct cx_resource *held;
    struct cx_context *context;
    struct cx_name_key key;

    cx_name_key_init(&key, request->name.namespace_id, request->name.id);
    context = cx_state_find(plan->state, &key);
    cx_engine_write_note(write, cx_state_derived_from(plan->state, &key, context));
    held = page != NULL ? find_held(plan, request) : NULL;
    if (held != NULL) {
        page->resources = cx_tree_copy(&context->tracked->resources);
        cx_resource_view(held, &page->rows[0]);
        page->count = 1;
    }
}

static enum cx_status run_resource(struct cx_engine *engine, struct write_resource *resource,
                                   struct cx_write_outcome *ret_outcome, struct cx_error *error)
{
    const struct cx_resource_request *request = resource->request;
    enum cx_status status;

    resource->base = cx_engine_write_begin(
        engine, cx_engine_shards_of(&request->name, request->session_id), error);
    resource->base.grows = resource->page != NULL;
    resource->base.plan = resource_plan;
    resource->base.done = resource_done;
    status = cx_engine_write_run(&resource->base);
    *ret_outcome = cx_engine_write_outcome(&resource->base);
    return status;
}

enum cx_status cx_engine_acquire_resource(struct cx_engine *engine,
                                          const struct cx_resource_request *request,
                                          struct cx_write_outcome *ret_outcome,
                                          struct cx_resource_page *ret_page,
                                          struct cx_error *ret_error)
{
    struct write_resource resource = {
        .request = request,
        .plan = cx_plan_acquire,
        .page = ret_page,
    };
    enum cx_status status;

    *ret_outcome = (struct cx_write_outcome){0};
    *ret_page = (struct cx_resource_page){.rows = cx_alloc(sizeof *ret_page->rows)};
    if (ret_page->rows == NULL) {
        return cx_error_out_of_memory(ret_error);
    }
    status = run_resource(engine, &resource, ret_outcome, ret_error);
    if (status != CX_OK) {
        cx_resource_page_done(ret_page);
    }
    return status;
}

enum cx_status cx_engine_release_resource(struct cx_engine *engine,
                                          const struct cx_resource_request *request,
                                          struct cx_write_outcome *ret_outcome,
                                          struct cx_error *ret_error)
{
    struct write_resource resource = {.request = request, .plan = cx_plan_release};

    return run_resource(engine, &resource, ret_outcome, ret_error);
}
