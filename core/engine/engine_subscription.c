#include "core/engine/subscription.h"

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine_internal.h"

/* Pages without anything to tell that one call looks at. */
enum { PAGES_MAX = 16 };

/* A page of contexts, as of one revision. */
struct page {
    struct cx_snapshot rows[CX_SNAPSHOT_ROWS];
    size_t count;
    size_t told;
    uint64_t revision;
    uint32_t end_shard; /* Where the place is once it was told. */
    size_t end_id_size;
    uint8_t end_id[CX_CONTEXT_ID_SIZE_MAX];
};

struct cx_engine_subscription {
    struct cx_engine *engine;
    struct cx_subscription *feed;
    struct page *page; /* NULL: there is no snapshot, or it is over. */
    bool page_taken;   /* What it holds is still to be told. */
    uint32_t shard;    /* The place. */
    size_t id_size;
    uint8_t id[CX_CONTEXT_ID_SIZE_MAX];
};

/* ---- The place. ------------------------------------------------------------- */

static struct cx_snapshot_place place_of(const struct cx_engine_subscription *subscription)
{
    return (struct cx_snapshot_place){subscription->shard,
                                      {subscription->id, subscription->id_size}};
}

/* Whether the context of an event has been shown; a session needs no showing. */
static bool was_shown(void *arg, const struct cx_event *event)
{
    const struct cx_engine_subscription *subscription = arg;
    unsigned shard = cx_name_shard(event->hash);

    if (event->item == NULL || shard < subscription->shard) {
        return true;
    }
    return shard == subscription->shard &&
           cx_bytes_compare(event->item->id, place_of(subscription).id) <= 0;
}

static void place_set(struct cx_engine_subscription *subscription, uint32_t shard,
                      struct cx_bytes id)
{
    assert(id.size <= sizeof subscription->id);
    subscription->shard = shard;
    subscription->id_size = id.size;
    if (id.size > 0) {
        memcpy(subscription->id, id.data, id.size);
    }
}

/* ---- A page. ---------------------------------------------------------------- */

struct taking {
    struct cx_engine_subscription *subscription;
    const struct cx_event_filter *filter;
    int64_t now_us;
};

static void page_add(const struct taking *taking, struct cx_context *context)
{
    struct page *page = taking->subscription->page;

    if (context->life != CX_CONTEXT_LIVE || cx_context_is_expired(context, taking->now_us)) {
        return;
    }
    cx_context_snapshot(context, &page->rows[page->count++]);
}

static void page_end(struct page *page, uint32_t shard, struct cx_bytes id)
{
    page->end_shard = shard;
    page->end_id_size = id.size;
    if (id.size > 0) {
        memcpy(page->end_id, id.data, id.size);
    }
}

/* Adds the contexts of the list, in the order of their ids, under the lock of their shard. */
static void page_walk_locked(const struct taking *taking, const struct cx_shard *shard,
                             struct cx_bytes prefix, struct cx_bytes start)
{
    struct cx_engine_subscription *subscription = taking->subscription;
    struct cx_bytes id = place_of(subscription).id;
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = cx_tree_seek(&cx_context_class, &shard->by_id, start, &cursor);
    size_t looked_at = 0;

    for (; item != NULL && cx_bytes_has_prefix(cx_tree_item_key(&cx_context_class, item), prefix);
         item = cx_tree_next(&cursor)) {
        struct cx_context *context = (struct cx_context *)item;

        if (looked_at++ == CX_SNAPSHOT_ROWS) {
            page_end(subscription->page, subscription->shard, id);
            return;
        }
        if (looked_at == 1 && cx_bytes_equal(cx_context_id(context), id)) {
            continue; /* The last one that was shown. */
        }
        id = cx_context_id(context);
        if (cx_event_filter_match_kind(taking->filter, cx_context_type(context),
                                       cx_labels_list(context->labels))) {
            page_add(taking, context);
        }
    }
    page_end(subscription->page, subscription->shard + 1, (struct cx_bytes){0});
}

/* The same for a filter that names its contexts: those of one shard, CX_SNAPSHOT_ROWS of them at
 * a time, in the order of their ids. */
static void page_find_locked(const struct taking *taking)
{
    struct cx_engine_subscription *subscription = taking->subscription;
    const struct cx_event_filter *filter = taking->filter;
    struct cx_bytes after = place_of(subscription).id;

    for (size_t looked_at = 0; looked_at < CX_SNAPSHOT_ROWS; looked_at++) {
        const struct cx_bytes *id = cx_event_filter_next_id(filter, subscription->shard, after);
        struct cx_name_key key;
        struct cx_context *context;

        if (id == NULL) {
            page_end(subscription->page, subscription->shard + 1, (struct cx_bytes){0});
            return;
        }
        after = *id;
        cx_name_key_init(&key, filter->namespace_id, *id);
        context = cx_state_find(&subscription->engine->state, &key);
        if (context != NULL && cx_bytes_has_prefix(*id, filter->id_prefix) &&
            cx_event_filter_match_kind(filter, cx_context_type(context),
                                       cx_labels_list(context->labels))) {
            page_add(taking, context);
        }
    }
    page_end(subscription->page, subscription->shard, after);
}

/* Takes the next page. */
static enum cx_status page_take(struct cx_engine_subscription *subscription)
{
    struct cx_engine *engine = subscription->engine;
    const struct taking taking = {
        .subscription = subscription,
        .filter = cx_subscription_filter(subscription->feed),
        .now_us = engine->options.clock->wall_us(engine->options.clock),
    };
    struct cx_row_names names = {.names = {taking.filter->namespace_id}, .count = 1};
    struct cx_bytes after = place_of(subscription).id;
    struct cx_arena arena = {0};
    struct cx_bytes prefix;
    struct cx_bytes start;
    enum cx_status status;

    names.id = taking.filter->id_prefix;
    status = cx_row_key(&arena, &names, &prefix);
    if (status == CX_OK) {
        names.id = cx_bytes_compare(after, names.id) > 0 ? after : names.id;
        status = cx_row_key(&arena, &names, &start);
    }
    if (status == CX_OK) {
        pthread_mutex_lock(&engine->locks[subscription->shard]);
        subscription->page->revision = cx_commit_revision(&engine->commit);
        if (taking.filter->context_id_count > 0) {
            page_find_locked(&taking);
        } else {
            page_walk_locked(&taking, &engine->state.shards[subscription->shard], prefix, start);
        }
        pthread_mutex_unlock(&engine->locks[subscription->shard]);
        subscription->page_taken = true;
        cx_subscription_set_bound(subscription->feed, subscription->page->revision);
    }
    cx_arena_done(&arena);
    return status;
}

static void page_clear(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        cx_snapshot_done(&page->rows[i]);
    }
    page->count = 0;
    page->told = 0;
}

/* All of the page was told: what comes next is behind it. */
static void page_done(struct cx_engine_subscription *subscription)
{
    struct page *page = subscription->page;

    page_clear(page);
    subscription->page_taken = false;
    place_set(subscription, page->end_shard, (struct cx_bytes){page->end_id, page->end_id_size});
    if (subscription->shard == CX_SHARDS) {
        cx_subscription_set_also(subscription->feed, NULL, NULL);
        cx_subscription_set_bound(subscription->feed, 0);
        cx_free(page);
        subscription->page = NULL;
    }
}

/* ---- A subscription. -------------------------------------------------------- */

enum cx_status cx_engine_subscribe(struct cx_engine *engine,
                                   const struct cx_subscribe_request *request,
                                   struct cx_engine_subscription **ret_subscription,
                                   struct cx_error *ret_error)
{
    struct cx_engine_subscription *subscription = cx_calloc(sizeof *subscription);
    enum cx_status status;

    if (subscription == NULL) {
        return cx_error_out_of_memory(ret_error);
    }
    subscription->engine = engine;
    cx_feed_set_durable(engine->feed, cx_commit_durable(&engine->commit));
    if (request->with_snapshot) {
        subscription->page = cx_calloc(sizeof *subscription->page);
        place_set(subscription, request->place.shard, request->place.id);
    }
    if (request->with_snapshot && subscription->page == NULL) {
        status = cx_error_out_of_memory(ret_error);
    } else {
        status = cx_feed_subscribe(engine->feed, &request->feed, &subscription->feed, ret_error);
    }
    if (status != CX_OK) {
        cx_free(subscription->page);
        cx_free(subscription);
        return status;
    }
    if (request->with_snapshot) {
        cx_subscription_set_also(subscription->feed, was_shown, subscription);
    }
    *ret_subscription = subscription;
    return CX_OK;
}

struct cx_feed_position cx_engine_oldest(const struct cx_engine *engine)
{
    return (struct cx_feed_position){cx_feed_floor(engine->feed) + 1, 0};
}

bool cx_engine_unsubscribe(struct cx_engine_subscription *subscription)
{
    if (subscription == NULL) {
        return false;
    }
    if (subscription->page != NULL) {
        page_clear(subscription->page);
        cx_free(subscription->page);
    }
    return cx_subscription_close(subscription->feed, subscription);
}

const struct cx_event_filter *cx_engine_filter(const struct cx_engine_subscription *subscription)
{
    return cx_subscription_filter(subscription->feed);
}

bool cx_engine_has_context(const struct cx_engine_subscription *subscription)
{
    const struct page *page = subscription->page;

    return page != NULL && subscription->page_taken && page->told > 0 && page->told < page->count;
}

static void tell_context(struct cx_engine_subscription *subscription, struct cx_told *ret_told)
{
    struct page *page = subscription->page;

    ret_told->kind = CX_TOLD_SNAPSHOT;
    ret_told->before = place_of(subscription);
    if (page->told > 0) {
        ret_told->before.id = page->rows[page->told - 1].id;
    }
    ret_told->context = &page->rows[page->told++];
    ret_told->next = cx_subscription_position(subscription->feed);
    ret_told->in_snapshot = true;
    ret_told->place = (struct cx_snapshot_place){subscription->shard, ret_told->context->id};
}

/* Everything up to the page's revision was told: now the page is. False when there is nothing
 * in it that is left to tell. */
static bool next_of_page(struct cx_engine_subscription *subscription, struct cx_told *ret_told)
{
    if (subscription->page->told < subscription->page->count) {
        tell_context(subscription, ret_told);
        return true;
    }
    page_done(subscription);
    return false;
}

/* What the feed's outcome is called here; those that are left are told apart before. */
static enum cx_told_kind told_kind(enum cx_feed_outcome outcome)
{
    switch (outcome) {
    case CX_FEED_EVENTS:
        return CX_TOLD_EVENTS;
    case CX_FEED_CAUGHT_UP:
        return CX_TOLD_CAUGHT_UP;
    case CX_FEED_PROGRESS:
        return CX_TOLD_PROGRESS;
    case CX_FEED_WAIT:
        return CX_TOLD_NOTHING;
    default:
        assert(outcome == CX_FEED_ENDED);
        return CX_TOLD_END;
    }
}

void cx_engine_next(struct cx_engine_subscription *subscription, uint64_t size_max,
                    struct cx_waiter *waiter, struct cx_told *ret_told, struct cx_error *ret_error)
{
    ret_told->context = NULL;
    ret_told->batch.block = NULL;
    for (size_t pages = 0; pages < PAGES_MAX; pages++) {
        enum cx_feed_outcome outcome;

        if (subscription->page != NULL && !subscription->page_taken &&
            page_take(subscription) != CX_OK) {
            (void)cx_error_out_of_memory(ret_error);
            ret_told->kind = CX_TOLD_END;
            return;
        }
        ret_told->in_snapshot = subscription->page != NULL;
        ret_told->place = place_of(subscription);
        outcome =
            cx_subscription_next(subscription->feed, size_max, waiter, &ret_told->batch, ret_error);
        if (outcome != CX_FEED_BOUND) {
            /* One that waits may be with another thread by now. */
            ret_told->kind = told_kind(outcome);
            ret_told->next = ret_told->batch.next;
            return;
        }
        if (next_of_page(subscription, ret_told)) {
            return;
        }
    }
    ret_told->kind =
        cx_subscription_is_quiet(subscription->feed) ? CX_TOLD_PROGRESS : CX_TOLD_LATER;
    ret_told->in_snapshot = subscription->page != NULL;
    ret_told->place = place_of(subscription);
    ret_told->next = cx_subscription_position(subscription->feed);
}

void cx_engine_end_subscriptions(struct cx_engine *engine)
{
    struct cx_work *done = NULL;

    cx_feed_end(engine->feed, CX_REASON_STOPPING, &done);
    cx_engine_complete(engine, done);
}
