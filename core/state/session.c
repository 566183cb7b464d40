#include "core/state/session.h"

#include <assert.h>
#include <stddef.h>

#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/context.h"
#include "core/state/tracked_query.h"

/* ---- Making one. ------------------------------------------------------------ */

static void session_free(struct cx_tree_item *item)
{
    struct cx_session *session = cx_session_of(item);

    assert(session->activation_count == 0 && session->resource_count == 0);
    cx_labels_unref(session->labels);
    cx_labels_unref(session->new_labels);
    cx_free(session);
}

const struct cx_tree_class cx_session_class = {
    .key_offset = offsetof(struct cx_session, bytes),
    .free_item = session_free,
};

/* How contexts begin that the session creates. */
static enum cx_status set_new_context(struct cx_session *session, uint8_t **at,
                                      const struct cx_new_context *properties)
{
    const struct cx_label_list labels = {properties->labels, properties->label_count};
    enum cx_status status = cx_labels_new(labels, &session->new_labels);
    struct cx_label_list copy;

    if (status != CX_OK) {
        return status;
    }
    copy = cx_labels_list(session->new_labels);
    session->may_create = true;
    session->new_context = *properties;
    session->new_context.type = cx_bytes_put(at, properties->type);
    session->new_context.parent_id = cx_bytes_put(at, properties->parent_id);
    session->new_context.labels = copy.items;
    return CX_OK;
}

static size_t session_size(const struct cx_session_start_request *start)
{
    const struct cx_new_context *create = start->create_if_missing;

    return sizeof(struct cx_session) + start->name.namespace_id.size + 1 + start->name.id.size +
           start->owner.size + start->default_context_id.size +
           (create != NULL ? create->type.size + create->parent_id.size : 0);
}

enum cx_status cx_session_new(const struct cx_session_start_request *start,
                              struct cx_session **ret_session)
{
    const struct cx_label_list labels = {start->labels, start->label_count};
    struct cx_session *session = cx_calloc(session_size(start));
    enum cx_status status;
    uint8_t *at;

    if (session == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    session->item.refs = 1;
    session->item.key_size = (uint16_t)(start->name.namespace_id.size + 1 + start->name.id.size);
    session->item.extra = (uint16_t)start->owner.size;
    session->namespace_size = (uint8_t)start->name.namespace_id.size;
    session->max_active_contexts = start->max_active_contexts;
    session->point_on_loss = start->point_on_loss;
    session->ttl_us = start->ttl_us;
    session->deadline_us = INT64_MAX;

    at = session->bytes;
    cx_bytes_put(&at, start->name.namespace_id);
    at++; /* The NUL. */
    cx_bytes_put(&at, start->name.id);
    cx_bytes_put(&at, start->owner);
    session->default_context_id = cx_bytes_put(&at, start->default_context_id);
    status = cx_labels_new(labels, &session->labels);
    if (status == CX_OK && start->create_if_missing != NULL) {
        status = set_new_context(session, &at, start->create_if_missing);
    }
    if (status != CX_OK) {
        cx_session_unref(session);
        return status;
    }
    *ret_session = session;
    return CX_OK;
}

void cx_session_unref(struct cx_session *session)
{
    cx_tree_item_unref(&cx_session_class, session != NULL ? &session->item : NULL);
}

struct cx_bytes cx_session_namespace(const struct cx_session *session)
{
    return (struct cx_bytes){session->bytes, session->namespace_size};
}

struct cx_bytes cx_session_id(const struct cx_session *session)
{
    return (struct cx_bytes){session->bytes + session->namespace_size + 1,
                             session->item.key_size - session->namespace_size - 1u};
}

struct cx_bytes cx_session_owner(const struct cx_session *session)
{
    return (struct cx_bytes){session->bytes + session->item.key_size, session->item.extra};
}

enum cx_status cx_session_not_found(struct cx_error *error, struct cx_bytes id)
{
    enum cx_status status =
        cx_error_set(error, CX_REASON_SESSION_NOT_FOUND,
                     "there is no such session: it has ended, or was lost; start a new one");

    cx_error_detail(error, "session_id", id);
    return status;
}

struct cx_activation *cx_session_find(const struct cx_session *session,
                                      const struct cx_context *context)
{
    struct cx_activation *activation = session->activation_oldest;

    while (activation != NULL && activation->context != context) {
        activation = activation->session_next;
    }
    return activation;
}

/* ---- Resources. ------------------------------------------------------------- */

static void resource_free(struct cx_tree_item *item)
{
    struct cx_resource *resource = cx_resource_of(item);

    cx_labels_unref(resource->labels);
    cx_session_unref(resource->session);
    cx_free(resource);
}

const struct cx_tree_class cx_resource_class = {
    .key_offset = offsetof(struct cx_resource, bytes),
    .free_item = resource_free,
};

void cx_session_hold(struct cx_session *session, struct cx_resource *resource)
{
    resource->next = session->resource_newest;
    resource->previous = NULL;
    if (session->resource_newest != NULL) {
        session->resource_newest->previous = resource;
    }
    session->resource_newest = resource;
    session->resource_count++;
}

void cx_session_let_go(struct cx_resource *resource)
{
    struct cx_session *session = resource->session;

    if (resource->previous != NULL) {
        resource->previous->next = resource->next;
    } else {
        session->resource_newest = resource->next;
    }
    if (resource->next != NULL) {
        resource->next->previous = resource->previous;
    }
    session->resource_count--;
}

enum cx_status cx_resource_new(struct cx_session *session, struct cx_context *context,
                               const struct cx_activity_content *acquired,
                               struct cx_resource **ret_resource)
{
    const struct cx_resource_event *event = &acquired->detail.resource;
    const struct cx_label_list labels = {acquired->labels, acquired->label_count};
    struct cx_resource *resource =
        cx_calloc(sizeof *resource + event->name.size + event->type.size);
    enum cx_status status;
    uint8_t *at;

    if (resource == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    status = cx_labels_new(labels, &resource->labels);
    if (status != CX_OK) {
        cx_free(resource);
        return status;
    }
    resource->item.refs = 1;
    resource->item.key_size = (uint16_t)event->name.size;
    resource->item.extra = (uint16_t)event->type.size;
    cx_tree_item_ref(&session->item);
    resource->session = session;
    resource->context = context;
    at = resource->bytes;
    cx_bytes_put(&at, event->name);
    cx_bytes_put(&at, event->type);
    *ret_resource = resource;
    return CX_OK;
}

void cx_resource_view(const struct cx_resource *resource, struct cx_resource_view *ret_view)
{
    struct cx_label_list labels = cx_labels_list(resource->labels);

    *ret_view = (struct cx_resource_view){
        .name = cx_tree_item_key(&cx_resource_class, &resource->item),
        .type = {resource->bytes + resource->item.key_size, resource->item.extra},
        .session_id = cx_session_id(resource->session),
        .labels = labels.items,
        .label_count = labels.count,
        .time_us = resource->time_us,
    };
}

enum cx_status cx_resource_list(const struct cx_tracked_query *query, struct cx_resource_page *page)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item;

    assert(query->count_max >= 1 && query->count_max <= CX_PAGE_SIZE_MAX);
    page->rows = cx_alloc(query->count_max * sizeof *page->rows);
    if (page->rows == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    item = cx_tracked_query_first(query, &cx_resource_class, &page->resources, &cursor);
    while (item != NULL && page->count < query->count_max) {
        cx_resource_view(cx_resource_of(item), &page->rows[page->count++]);
        item = cx_tracked_query_next(query, &cx_resource_class, &cursor);
    }
    page->more = item != NULL;
    return CX_OK;
}

void cx_resource_page_done(struct cx_resource_page *page)
{
    cx_free(page->rows);
    cx_tree_done(&cx_resource_class, &page->resources);
    *page = (struct cx_resource_page){0};
}

/* ---- Looking at one. -------------------------------------------------------- */

/* Where the parts of a copy go. */
struct copier {
    struct cx_session_view *view;
    struct cx_label *labels;
    struct cx_activation_view *activations;
    uint8_t *at;
};

size_t cx_session_view_room(const struct cx_session *session)
{
    struct cx_label_list labels = cx_labels_list(session->labels);
    size_t size = sizeof(struct cx_session_view) + labels.count * sizeof(struct cx_label) +
                  (session->activation_count + 1) * sizeof(struct cx_activation_view) +
                  session->item.key_size + session->item.extra + CX_CONTEXT_ID_SIZE_MAX;

    for (size_t i = 0; i < labels.count; i++) {
        size += labels.items[i].key.size + labels.items[i].value.size;
    }
    for (const struct cx_activation *each = session->activation_oldest; each != NULL;
         each = each->session_next) {
        size += cx_context_id(each->context).size;
    }
    return size;
}

static void copy_labels(struct copier *copier, struct cx_label_list list)
{
    copier->view->labels = copier->labels;
    copier->view->label_count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        copier->labels[i].key = cx_bytes_put(&copier->at, list.items[i].key);
        copier->labels[i].value = cx_bytes_put(&copier->at, list.items[i].value);
    }
}

static void copy_activations(struct copier *copier, const struct cx_session *session)
{
    struct cx_activation_view *next = copier->activations;

    copier->view->activations = copier->activations;
    copier->view->activation_count = session->activation_count;
    for (const struct cx_activation *each = session->activation_oldest; each != NULL;
         each = each->session_next) {
        *next = (struct cx_activation_view){
            .context_id = cx_bytes_put(&copier->at, cx_context_id(each->context)),
            .fence = each->fence,
            .exclusive = each->fence != 0,
            .time_us = each->time_us,
        };
        if (each == session->current) {
            copier->view->current_context_id = next->context_id;
        }
        next++;
    }
}

void cx_session_view_fill(const struct cx_session *session, struct cx_session_view *ret_view)
{
    struct cx_label_list labels = cx_labels_list(session->labels);
    struct copier copier = {.view = ret_view};

    copier.labels = (struct cx_label *)(copier.view + 1);
    copier.activations = (struct cx_activation_view *)(copier.labels + labels.count);
    copier.at = (uint8_t *)(copier.activations + session->activation_count);
    *copier.view = (struct cx_session_view){
        .namespace_id = cx_bytes_put(&copier.at, cx_session_namespace(session)),
        .id = cx_bytes_put(&copier.at, cx_session_id(session)),
        .owner = cx_bytes_put(&copier.at, cx_session_owner(session)),
        .create_time_us = session->create_time_us,
        .start_revision = session->start_revision,
    };
    copy_labels(&copier, labels);
    copy_activations(&copier, session);
}

uint64_t cx_session_mix(uint64_t digest, const struct cx_session *session)
{
    const uint64_t numbers[] = {
        session->may_create,
        session->point_on_loss,
        session->new_context.create_parent,
        session->new_context.sliding,
        (uint64_t)session->new_context.ttl_us,
        session->max_active_contexts,
        (uint64_t)session->ttl_us,
        (uint64_t)session->create_time_us,
        session->start_revision,
        session->revision,
        session->resource_count,
    };

    digest = cx_hash_mix(digest, (struct cx_bytes){session->bytes, session->item.key_size});
    digest = cx_hash_mix(digest, cx_session_owner(session));
    digest = cx_hash_mix(digest, (struct cx_bytes){(const uint8_t *)numbers, sizeof numbers});
    digest = cx_labels_mix(digest, cx_labels_list(session->labels));
    digest = cx_labels_mix(digest, cx_labels_list(session->new_labels));
    digest = cx_hash_mix(digest, session->default_context_id);
    digest = cx_hash_mix(digest, session->new_context.type);
    digest = cx_hash_mix(digest, session->new_context.parent_id);
    for (const struct cx_activation *each = session->activation_oldest; each != NULL;
         each = each->session_next) {
        digest = cx_hash_mix(digest, cx_context_id(each->context));
        digest = cx_hash_mix_number(digest, each == session->current);
    }
    return digest;
}
