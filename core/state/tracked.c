#include "core/state/tracked.h"

#include <assert.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/state/activity.h"
#include "core/state/context.h"
#include "core/state/file.h"
#include "core/state/usage.h"

struct cx_tracked *cx_tracked_new(void)
{
    return cx_calloc(sizeof(struct cx_tracked));
}

struct cx_tracked *cx_tracked_bare(const struct cx_tracked *tracked)
{
    struct cx_tracked *bare = cx_tracked_new();

    if (bare != NULL) {
        bare->fence = tracked->fence;
        bare->last_sequence = tracked->last_sequence;
    }
    return bare;
}

void cx_tracked_move_on(struct cx_tracked *tracked)
{
    cx_past_unref(tracked->past);
    tracked->past = NULL;
}

void cx_tracked_free(struct cx_tracked *tracked)
{
    if (tracked == NULL) {
        return;
    }
    assert(tracked->activation_count == 0);
    cx_past_unref(tracked->past);
    cx_later_unref(tracked->later);
    cx_tree_done(&cx_activity_class, &tracked->history);
    cx_tree_done(&cx_file_class, &tracked->files);
    cx_tree_done(&cx_usage_class, &tracked->usage);
    cx_tree_done(&cx_resource_class, &tracked->resources);
    cx_free(tracked);
}

/* ---- Activations. ----------------------------------------------------------- */

static void link_newest(struct cx_tracked *tracked, struct cx_activation *activation)
{
    struct cx_session *session = activation->session;

    activation->context_previous = tracked->activation_newest;
    activation->context_next = NULL;
    if (tracked->activation_newest != NULL) {
        tracked->activation_newest->context_next = activation;
    } else {
        tracked->activation_oldest = activation;
    }
    tracked->activation_newest = activation;
    tracked->activation_count++;

    activation->session_previous = session->activation_newest;
    activation->session_next = NULL;
    if (session->activation_newest != NULL) {
        session->activation_newest->session_next = activation;
    } else {
        session->activation_oldest = activation;
    }
    session->activation_newest = activation;
    session->activation_count++;
}

static void unlink_both(struct cx_tracked *tracked, struct cx_activation *activation)
{
    struct cx_session *session = activation->session;

    if (activation->context_previous != NULL) {
        activation->context_previous->context_next = activation->context_next;
    } else {
        tracked->activation_oldest = activation->context_next;
    }
    if (activation->context_next != NULL) {
        activation->context_next->context_previous = activation->context_previous;
    } else {
        tracked->activation_newest = activation->context_previous;
    }
    tracked->activation_count--;

    if (activation->session_previous != NULL) {
        activation->session_previous->session_next = activation->session_next;
    } else {
        session->activation_oldest = activation->session_next;
    }
    if (activation->session_next != NULL) {
        activation->session_next->session_previous = activation->session_previous;
    } else {
        session->activation_newest = activation->session_previous;
    }
    session->activation_count--;
    if (tracked->exclusive == activation) {
        tracked->exclusive = NULL;
    }
}

/* What becomes the current context when the one that was is active no more. */
static struct cx_activation *fall_back(const struct cx_session *session)
{
    struct cx_activation *activation =
        session->default_context_id.size > 0 ? session->activation_oldest : NULL;

    while (activation != NULL &&
           !cx_bytes_equal(cx_context_id(activation->context), session->default_context_id)) {
        activation = activation->session_next;
    }
    return activation != NULL ? activation : session->activation_newest;
}

void cx_activation_begin(struct cx_tracked *tracked, struct cx_activation *activation)
{
    struct cx_session *session = activation->session;
    struct cx_activation *before = cx_session_find(session, activation->context);

    link_newest(tracked, activation);
    if (session->current == NULL || session->current == before) {
        session->current = activation;
    }
    if (before != NULL) {
        unlink_both(tracked, before);
        cx_free(before);
    }
    if (activation->fence != 0) {
        tracked->fence = activation->fence;
        tracked->exclusive = activation;
    }
}

void cx_activation_end(struct cx_tracked *tracked, struct cx_activation *activation)
{
    struct cx_session *session = activation->session;

    unlink_both(tracked, activation);
    if (session->current == activation) {
        session->current = fall_back(session);
    }
    cx_free(activation);
}

/* ---- The digest. ------------------------------------------------------------ */

static uint64_t mix_activations(uint64_t digest, const struct cx_tracked *tracked)
{
    for (const struct cx_activation *each = tracked->activation_oldest; each != NULL;
         each = each->context_next) {
        digest = cx_hash_mix(digest, cx_session_id(each->session));
        digest = cx_hash_mix_number(cx_hash_mix_number(digest, each->fence), each->guard);
        digest = cx_hash_mix_number(digest, (uint64_t)each->time_us);
    }
    return digest;
}

static uint64_t mix_resource(uint64_t digest, const struct cx_resource *resource)
{
    struct cx_resource_view view;

    cx_resource_view(resource, &view);
    digest = cx_hash_mix(cx_hash_mix(digest, view.name), view.type);
    digest = cx_hash_mix_number(cx_hash_mix(digest, view.session_id), (uint64_t)view.time_us);
    return cx_labels_mix(digest, cx_labels_list(resource->labels));
}

uint64_t cx_history_mix(uint64_t digest, const struct cx_tree *history, uint64_t last_sequence,
                        const struct cx_tree *files, const struct cx_tree *usage)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&cx_activity_class, history, (struct cx_bytes){0}, &cursor);

    for (; item != NULL && cx_activity_sequence(cx_activity_of(item)) <= last_sequence;
         item = cx_tree_next(&cursor)) {
        digest = cx_activity_mix(digest, cx_activity_of(item));
    }
    item = cx_tree_seek(&cx_file_class, files, (struct cx_bytes){0}, &cursor);
    for (; item != NULL; item = cx_tree_next(&cursor)) {
        digest = cx_file_mix(digest, cx_file_of(item));
    }
    item = cx_tree_seek(&cx_usage_class, usage, (struct cx_bytes){0}, &cursor);
    for (; item != NULL; item = cx_tree_next(&cursor)) {
        digest = cx_usage_mix(digest, cx_usage_of(item));
    }
    return digest;
}

uint64_t cx_tracked_mix(uint64_t digest, const struct cx_tracked *tracked)
{
    static const struct cx_tracked nothing;
    const struct cx_tracked *each = tracked != NULL ? tracked : &nothing;
    const uint64_t numbers[] = {
        each->fence,         each->last_sequence,    each->history_count,
        each->history_bytes, each->history_revision, each->trim_revision,
        each->usage_count,
    };
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item;

    digest = cx_hash_mix(digest, (struct cx_bytes){(const uint8_t *)numbers, sizeof numbers});
    digest = mix_activations(digest, each);
    digest =
        cx_history_mix(digest, &each->history, each->last_sequence, &each->files, &each->usage);
    item = cx_tree_seek(&cx_resource_class, &each->resources, (struct cx_bytes){0}, &cursor);
    for (; item != NULL; item = cx_tree_next(&cursor)) {
        digest = mix_resource(digest, cx_resource_of(item));
    }
    return digest;
}
