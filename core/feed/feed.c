/* The feed as a whole, and the life of a subscription. */

#include "core/feed/feed.h"

#include <assert.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/container_of.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/feed/feed_internal.h"

/* ---- The feed. -------------------------------------------------------------- */

enum cx_status cx_feed_new(const struct cx_feed_options *options, struct cx_feed **ret_feed)
{
    struct cx_feed *feed = cx_calloc(sizeof *feed);

    if (feed == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    feed->options = *options;
    feed->floor = options->floor;
    feed->durable = options->durable;
    feed->tail_next = options->durable + 1;
    feed->handed_end = &feed->handed_first;
    pthread_mutex_init(&feed->mutex, NULL);
    pthread_cond_init(&feed->load_wanted, NULL);
    pthread_mutex_init(&feed->handing, NULL);
    pthread_cond_init(&feed->handed, NULL);
    *ret_feed = feed;
    return CX_OK;
}

void cx_feed_free_handed(struct cx_handed *handed)
{
    while (handed != NULL) {
        struct cx_handed *next = handed->next;

        cx_buffer_done(&handed->frames);
        cx_free(handed);
        handed = next;
    }
}

void cx_feed_free(struct cx_feed *feed)
{
    struct cx_block *garbage = NULL;

    if (feed == NULL) {
        return;
    }
    assert(feed->subscription_count == 0);
    feed->tail = NULL;
    cx_feed_drop_locked(feed, &garbage);
    assert(feed->block_count == 0); /* Nobody holds a batch. */
    cx_feed_free_garbage(garbage);
    cx_free(feed->blocks);
    cx_selectors_done(&feed->selectors);
    cx_due_done(&feed->due);
    cx_feed_free_handed(feed->current);
    cx_feed_free_handed(feed->handed_first);
    pthread_mutex_destroy(&feed->mutex);
    pthread_cond_destroy(&feed->load_wanted);
    pthread_mutex_destroy(&feed->handing);
    pthread_cond_destroy(&feed->handed);
    cx_free(feed);
}

/* Sets a number that never goes back. Returns whether it was lower. */
static bool raise_number(uint64_t *number, uint64_t value)
{
    uint64_t before = __atomic_load_n(number, __ATOMIC_SEQ_CST);

    while (before < value && !__atomic_compare_exchange_n(number, &before, value, true,
                                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    return before < value;
}

void cx_feed_set_floor(struct cx_feed *feed, uint64_t floor)
{
    if (raise_number(&feed->floor, floor)) {
        cx_purges_forget(feed->options.purges, floor);
    }
}

void cx_feed_set_durable(struct cx_feed *feed, uint64_t revision)
{
    (void)raise_number(&feed->durable, revision);
}

uint64_t cx_feed_floor(const struct cx_feed *feed)
{
    return __atomic_load_n(&feed->floor, __ATOMIC_ACQUIRE);
}

void cx_feed_end(struct cx_feed *feed, enum cx_reason reason, struct cx_work **ret_done)
{
    pthread_mutex_lock(&feed->mutex);
    if (feed->ended == CX_REASON_NONE) {
        feed->ended = reason;
    }
    for (struct cx_subscription *each = feed->subscriptions; each != NULL; each = each->next) {
        if (each->state == CX_SUBSCRIPTION_PARKED || each->state == CX_SUBSCRIPTION_WAITING) {
            cx_subscription_wake_locked(each, ret_done);
        }
    }
    pthread_mutex_unlock(&feed->mutex);
}

void cx_feed_stop(struct cx_feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    feed->stopping = true;
    pthread_mutex_unlock(&feed->mutex);
    pthread_cond_signal(&feed->load_wanted);
    pthread_mutex_lock(&feed->handing);
    feed->handing_stopped = true;
    pthread_mutex_unlock(&feed->handing);
    pthread_cond_signal(&feed->handed);
}

void cx_feed_statistics(struct cx_feed *feed, struct cx_feed_statistics *ret_statistics)
{
    pthread_mutex_lock(&feed->mutex);
    *ret_statistics = (struct cx_feed_statistics){
        .subscriptions = feed->subscription_count,
        .cached_bytes = feed->block_bytes,
    };
    pthread_mutex_unlock(&feed->mutex);
}

/* ---- Progress. -------------------------------------------------------------- */

/* A subscription has been quiet for its interval, unless it was told something meanwhile. */
static void quiet_locked(struct cx_feed *feed, struct cx_subscription *subscription, int64_t now_us,
                         struct cx_work **done)
{
    int64_t due_us = subscription->told_us + subscription->progress_interval_us;

    if (due_us > now_us) {
        cx_due_set(&feed->due, &subscription->due, due_us);
        return;
    }
    cx_due_set(&feed->due, &subscription->due, now_us + subscription->progress_interval_us);
    if (subscription->state == CX_SUBSCRIPTION_ACTIVE) {
        return; /* It is being told something, as slowly as its reader reads. */
    }
    subscription->progress_due = true;
    if (subscription->state != CX_SUBSCRIPTION_LOADING) {
        cx_subscription_wake_locked(subscription, done);
    }
}

bool cx_subscription_is_quiet(struct cx_subscription *subscription)
{
    struct cx_feed *feed = subscription->feed;
    int64_t now_us = feed->options.clock->monotonic_us(feed->options.clock);
    bool quiet;

    pthread_mutex_lock(&feed->mutex);
    quiet = now_us - subscription->told_us >= subscription->progress_interval_us;
    if (quiet) {
        subscription->told_us = now_us;
    }
    pthread_mutex_unlock(&feed->mutex);
    return quiet;
}

void cx_feed_step_timers(struct cx_feed *feed, struct cx_work **ret_done)
{
    int64_t now_us = feed->options.clock->monotonic_us(feed->options.clock);
    struct cx_block *garbage = NULL;
    const struct cx_due_mark *mark;
    int64_t due_us;

    pthread_mutex_lock(&feed->mutex);
    while ((mark = cx_due_first(&feed->due, &due_us)) != NULL && due_us <= now_us) {
        quiet_locked(feed, CX_CONTAINER_OF(mark, struct cx_subscription, due), now_us, ret_done);
    }
    if (feed->subscription_count == 0) {
        feed->tail = NULL;
        cx_feed_drop_locked(feed, &garbage);
    }
    cx_feed_shrink_locked(feed, &garbage);
    pthread_mutex_unlock(&feed->mutex);
    cx_feed_free_garbage(garbage);
}

/* ---- Lists and links. ------------------------------------------------------- */

void cx_subscription_enlist(struct cx_subscription **list, struct cx_subscription *subscription)
{
    assert(subscription->waiting_place == NULL);
    subscription->waiting_next = *list;
    subscription->waiting_place = list;
    if (*list != NULL) {
        (*list)->waiting_place = &subscription->waiting_next;
    }
    *list = subscription;
}

void cx_subscription_delist(struct cx_subscription *subscription)
{
    if (subscription->waiting_place == NULL) {
        return;
    }
    *subscription->waiting_place = subscription->waiting_next;
    if (subscription->waiting_next != NULL) {
        subscription->waiting_next->waiting_place = subscription->waiting_place;
    }
    subscription->waiting_place = NULL;
}

/* One with many links leaves them where they are while it is not parked. */
static bool keeps_links(const struct cx_subscription *subscription)
{
    return subscription->link_count > 1;
}

static void links_add_locked(struct cx_subscription *subscription)
{
    for (size_t i = 0; i < subscription->link_count; i++) {
        cx_selectors_add(&subscription->feed->selectors, &subscription->links[i]);
    }
}

static void links_remove_locked(struct cx_subscription *subscription)
{
    for (size_t i = 0; i < subscription->link_count; i++) {
        cx_selectors_remove(&subscription->feed->selectors, &subscription->links[i]);
    }
}

void cx_subscription_park_locked(struct cx_subscription *subscription, struct cx_waiter *waiter)
{
    struct cx_feed *feed = subscription->feed;

    if (!keeps_links(subscription)) {
        links_add_locked(subscription);
    }
    if (cx_subscription_awaits(subscription) != 0) {
        cx_subscription_enlist(&feed->bounded, subscription);
    }
    subscription->state = CX_SUBSCRIPTION_PARKED;
    subscription->waiter = waiter;
}

void cx_subscription_wake_locked(struct cx_subscription *subscription, struct cx_work **done)
{
    struct cx_waiter *waiter = subscription->waiter;

    assert(subscription->state != CX_SUBSCRIPTION_ACTIVE && waiter != NULL);
    if (subscription->state == CX_SUBSCRIPTION_PARKED) {
        /* Of what was published meanwhile, it wanted nothing. */
        cx_subscription_advance(subscription, subscription->feed->tail_next);
        if (!keeps_links(subscription)) {
            links_remove_locked(subscription);
        }
    }
    cx_subscription_delist(subscription);
    subscription->state = CX_SUBSCRIPTION_ACTIVE;
    subscription->waiter = NULL;
    waiter->status = CX_OK;
    waiter->work.next = *done;
    *done = &waiter->work;
}

/* ---- A subscription begins and ends. ---------------------------------------- */

static struct cx_subscription *subscription_new(struct cx_feed *feed,
                                                const struct cx_feed_request *request)
{
    struct cx_event_filter *filter = cx_event_filter_copy(request->filter);
    size_t link_count = filter != NULL ? cx_selector_link_count(filter) : 0;
    struct cx_subscription *subscription =
        filter != NULL
            ? cx_calloc(sizeof *subscription + link_count * sizeof subscription->links[0])
            : NULL;

    if (subscription == NULL) {
        cx_free(filter);
        return NULL;
    }
    subscription->feed = feed;
    subscription->filter = filter;
    subscription->without_values = request->without_values;
    subscription->progress_interval_us = request->progress_interval_us;
    subscription->link_count = link_count;
    cx_selector_links_init(filter, subscription, subscription->links);
    return subscription;
}

void cx_subscription_free(struct cx_subscription *subscription)
{
    if (subscription != NULL) {
        cx_free(subscription->filter);
        cx_free(subscription->owned);
        cx_free(subscription);
    }
}

enum cx_status cx_feed_ended_error(enum cx_reason reason, struct cx_error *error)
{
    return reason == CX_REASON_STOPPING
               ? cx_error_set(error, reason, "the server is stopping; go on with the last cursor")
               : cx_error_set(error, reason, "the server's disk has failed");
}

enum cx_status cx_feed_compacted_error(struct cx_error *error)
{
    return cx_error_set(error, CX_REASON_CURSOR_COMPACTED,
                        "what the cursor names is not retained any more; begin with "
                        "`oldest_cursor`, or read the contexts anew");
}

enum cx_status cx_feed_load_error(enum cx_status status, struct cx_error *error)
{
    switch (status) {
    case CX_RESOURCE_EXHAUSTED:
        return cx_error_out_of_memory(error);
    case CX_DATA_LOSS:
        return cx_error_set(error, CX_REASON_DAMAGED,
                            "a part of the log cannot be read back; check the server's disk");
    default:
        return cx_error_set(error, CX_REASON_NOT_READY,
                            "the log cannot be read now; go on with the last cursor");
    }
}

/* The first look at where it wants to begin. */
static enum cx_status position_settle(struct cx_feed *feed, const struct cx_feed_request *request,
                                      struct cx_feed_position *ret_position, struct cx_error *error)
{
    uint64_t durable = __atomic_load_n(&feed->durable, __ATOMIC_SEQ_CST);
    uint64_t floor = cx_feed_floor(feed);

    *ret_position = request->position;
    if (!request->has_position) {
        *ret_position = (struct cx_feed_position){durable + 1, 0};
    } else if (request->position.revision == 0) {
        *ret_position = (struct cx_feed_position){floor + 1, 0};
    } else if (request->position.revision > durable + 1 ||
               (request->position.revision == durable + 1 && request->position.index > 0)) {
        cx_error_set(error, CX_REASON_INVALID_FIELD,
                     "cursor names a place that this log has not reached: is it another server's, "
                     "or was this one set back?");
        cx_error_detail(error, "field", cx_bytes_of("cursor"));
        cx_error_detail(error, "rule", cx_bytes_of("not of the future"));
        return CX_INVALID_ARGUMENT;
    } else if (request->position.revision <= floor) {
        return cx_feed_compacted_error(error);
    }
    return CX_OK;
}

static enum cx_status admit_locked(struct cx_feed *feed, struct cx_subscription *subscription,
                                   const struct cx_feed_request *request, struct cx_error *error)
{
    enum cx_status status;

    if (feed->ended != CX_REASON_NONE) {
        return cx_feed_ended_error(feed->ended, error);
    }
    if (feed->subscription_count >= feed->options.subscriptions_max) {
        return cx_error_limit(error, "subscriptions_max", feed->options.subscriptions_max);
    }
    /* From here on the writer hands over: what it does not is durable by now. */
    __atomic_store_n(&feed->interested, true, __ATOMIC_SEQ_CST);
    status = position_settle(feed, request, &subscription->position, error);
    if (status != CX_OK) {
        return status;
    }
    if (cx_due_reserve(&feed->due, 1) != CX_OK ||
        cx_selectors_reserve(&feed->selectors, subscription->link_count) != CX_OK) {
        return cx_error_out_of_memory(error);
    }
    return CX_OK;
}

static void begin_locked(struct cx_feed *feed, struct cx_subscription *subscription)
{
    subscription->begun = __atomic_load_n(&feed->durable, __ATOMIC_SEQ_CST);
    if (feed->subscription_count == 0) { /* Nobody has missed what nobody wanted. */
        feed->tail = NULL;
        feed->tail_next = subscription->begun + 1;
    }
    subscription->next = feed->subscriptions;
    if (subscription->next != NULL) {
        subscription->next->previous = subscription;
    }
    feed->subscriptions = subscription;
    feed->subscription_count++;
    subscription->told_us = feed->options.clock->monotonic_us(feed->options.clock);
    /* Those that begin together are not told of progress together for ever. */
    subscription->told_us -= subscription->progress_interval_us / 4 *
                             (int64_t)(feed->begun_count++ % CX_PROGRESS_STEPS) /
                             (int64_t)CX_PROGRESS_STEPS;
    cx_due_set(&feed->due, &subscription->due,
               subscription->told_us + subscription->progress_interval_us);
    if (keeps_links(subscription)) {
        links_add_locked(subscription);
    }
}

enum cx_status cx_feed_subscribe(struct cx_feed *feed, const struct cx_feed_request *request,
                                 struct cx_subscription **ret_subscription,
                                 struct cx_error *ret_error)
{
    struct cx_subscription *subscription = subscription_new(feed, request);
    enum cx_status status;

    assert(request->progress_interval_us > 0);
    if (subscription == NULL) {
        return cx_error_out_of_memory(ret_error);
    }
    pthread_mutex_lock(&feed->mutex);
    status = admit_locked(feed, subscription, request, ret_error);
    if (status == CX_OK) {
        begin_locked(feed, subscription);
    }
    __atomic_store_n(&feed->interested, feed->subscription_count > 0, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&feed->mutex);
    if (status != CX_OK) {
        cx_subscription_free(subscription);
        return status;
    }
    *ret_subscription = subscription;
    return CX_OK;
}

void cx_feed_forget_locked(struct cx_feed *feed, struct cx_subscription *subscription)
{
    if (keeps_links(subscription) || subscription->state == CX_SUBSCRIPTION_PARKED) {
        links_remove_locked(subscription);
    }
    cx_subscription_delist(subscription);
    cx_selectors_release(&feed->selectors, subscription->link_count);
    cx_due_set(&feed->due, &subscription->due, 0);
    if (subscription->next != NULL) {
        subscription->next->previous = subscription->previous;
    }
    if (subscription->previous != NULL) {
        subscription->previous->next = subscription->next;
    } else {
        feed->subscriptions = subscription->next;
    }
    feed->subscription_count--;
    __atomic_store_n(&feed->interested, feed->subscription_count > 0, __ATOMIC_SEQ_CST);
}

bool cx_subscription_close(struct cx_subscription *subscription, void *owned)
{
    struct cx_feed *feed = subscription->feed;
    bool had_waiter;

    pthread_mutex_lock(&feed->mutex);
    subscription->owned = owned;
    if (subscription->state == CX_SUBSCRIPTION_LOADING) {
        subscription->closed = true; /* The loader finds out, and completes the waiter. */
        pthread_mutex_unlock(&feed->mutex);
        return false;
    }
    had_waiter = subscription->state != CX_SUBSCRIPTION_ACTIVE;
    cx_feed_forget_locked(feed, subscription);
    pthread_mutex_unlock(&feed->mutex);
    cx_subscription_free(subscription);
    return had_waiter;
}
