/* The loader: reads blocks from the log for those who are behind, one after the other, and
 * looks through each for all who wait for it.
 *
 * It goes on where the last load ended as long as anybody waits there, so that all who come
 * from about the same place are served by one sweep. */

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/feed/feed_internal.h"

bool cx_feed_await_load(struct cx_feed *feed)
{
    bool stopping;

    pthread_mutex_lock(&feed->mutex);
    while (feed->waiting == NULL && feed->load_ahead == 0 && !feed->stopping) {
        pthread_cond_wait(&feed->load_wanted, &feed->mutex);
    }
    stopping = feed->stopping;
    pthread_mutex_unlock(&feed->mutex);
    return !stopping;
}

/* ---- Which block. ----------------------------------------------------------- */

/* The lowest position that anybody waits for at or behind the head; else the lowest of all; 0
 * when nobody waits. */
static uint64_t choose_locked(const struct cx_feed *feed)
{
    uint64_t lowest = 0;
    uint64_t ahead = 0;

    for (const struct cx_subscription *each = feed->waiting; each != NULL;
         each = each->waiting_next) {
        uint64_t revision = each->position.revision;

        if (lowest == 0 || revision < lowest) {
            lowest = revision;
        }
        if (revision >= feed->load_head && (ahead == 0 || revision < ahead)) {
            ahead = revision;
        }
    }
    return ahead != 0 ? ahead : lowest;
}

/* A block that is looked through, and for whom. */
struct loading {
    uint64_t first;
    uint64_t last;          /* Where it must end. 0: nothing is to be read. */
    struct cx_block *block; /* Held. */
    uint64_t next;          /* Behind what it shows, */
    size_t count;           /* and how many events that is. */
    enum cx_status status;
};

static void loading_look_locked(struct cx_feed *feed, struct loading *loading,
                                struct cx_block *block)
{
    loading->block = block;
    loading->next = block->shown_next;
    loading->count = block->shown_count;
    feed->load_head = block->shown_next;
}

static bool loading_begin_locked(struct cx_feed *feed, struct loading *ret_loading)
{
    uint64_t floor = cx_feed_floor(feed);
    uint64_t first = choose_locked(feed);
    struct cx_block *block;

    if (first == 0) {
        first = feed->load_ahead;
        feed->load_ahead = 0;
    }
    if (first == 0 || first >= feed->tail_next) {
        return false;
    }
    *ret_loading = (struct loading){.first = first, .next = first + 1};
    block = cx_feed_hold_locked(feed, first);
    if (block != NULL) {
        loading_look_locked(feed, ret_loading, block);
    } else if (first > floor) {
        ret_loading->last = cx_feed_next_block_locked(feed, first, feed->tail_next) - 1;
    }
    return true;
}

/* ---- Loading. --------------------------------------------------------------- */

static enum cx_status on_record(void *arg, const struct cx_log_record *record)
{
    return cx_block_add(arg, record);
}

/* Reads what the log has there. NULL: `status` says why not. */
static struct cx_block *load(struct cx_feed *feed, struct loading *loading)
{
    struct cx_block *block = cx_block_new(loading->first);

    if (block == NULL) {
        loading->status = CX_RESOURCE_EXHAUSTED;
        return NULL;
    }
    loading->status = feed->options.log->ops->read(feed->options.log, loading->first, loading->last,
                                                   on_record, block);
    if (loading->status == CX_OUT_OF_RANGE && block->next > block->first) {
        loading->status = CX_OK; /* It is full. */
    }
    if (loading->status != CX_OK) {
        cx_block_free(block);
        return NULL;
    }
    cx_block_seal(block);
    return block;
}

static void loaded_locked(struct cx_feed *feed, struct loading *loading, struct cx_block *block,
                          struct cx_block **garbage)
{
    block->shown_count = block->event_count;
    block->shown_next = block->next;
    if (cx_feed_insert_locked(feed, block, garbage)) {
        loading_look_locked(feed, loading, block);
        return;
    }
    loading->status = CX_RESOURCE_EXHAUSTED;
    block->garbage_next = *garbage;
    *garbage = block;
}

/* ---- Those who wait. -------------------------------------------------------- */

/* Takes those who wait within what was loaded off the list. */
static struct cx_subscription *take_locked(struct cx_feed *feed, const struct loading *loading)
{
    struct cx_subscription *taken = NULL;
    struct cx_subscription *next;

    for (struct cx_subscription *each = feed->waiting; each != NULL; each = next) {
        next = each->waiting_next;
        if (each->position.revision >= loading->first && each->position.revision < loading->next) {
            cx_subscription_delist(each);
            each->state = CX_SUBSCRIPTION_LOADING;
            each->waiting_next = taken;
            taken = each;
        }
    }
    return taken;
}

/* Looks for what it wants. Whether there is something for it to do. */
static bool look_through(struct cx_subscription *subscription, const struct loading *loading)
{
    const struct cx_block *block = loading->block;
    const struct cx_feed_position *position = &subscription->position;
    size_t from;
    size_t found;

    if (loading->status != CX_OK) {
        subscription->failure = loading->status;
    }
    if (block == NULL) {
        return true; /* It failed, or is not retained any more. */
    }
    from = cx_block_seek(block, loading->count, position->revision, position->index);
    found = cx_subscription_find(subscription, block, from, loading->count);
    cx_subscription_advance(subscription,
                            found < loading->count ? block->events[found].revision : loading->next);
    return found < loading->count || cx_subscription_is_bound(subscription);
}

/* Gives one of them back, or lets it wait for the next block. */
static void settle_locked(struct cx_feed *feed, struct cx_subscription *subscription,
                          struct cx_work **done)
{
    bool goes_on = !subscription->found && !subscription->progress_due && !subscription->closed &&
                   feed->ended == CX_REASON_NONE &&
                   subscription->position.revision < feed->tail_next;

    if (goes_on) {
        subscription->state = CX_SUBSCRIPTION_WAITING;
        cx_subscription_enlist(&feed->waiting, subscription);
        return;
    }
    cx_subscription_wake_locked(subscription, done);
    if (subscription->closed) {
        cx_feed_forget_locked(feed, subscription);
        cx_subscription_free(subscription);
    }
}

/* ---- The step. -------------------------------------------------------------- */

bool cx_feed_step_load(struct cx_feed *feed, struct cx_work **ret_done)
{
    struct cx_subscription *taken;
    struct cx_subscription *next;
    struct cx_block *garbage = NULL;
    struct cx_block *loaded = NULL;
    struct loading loading;
    bool any;

    pthread_mutex_lock(&feed->mutex);
    any = loading_begin_locked(feed, &loading);
    pthread_mutex_unlock(&feed->mutex);
    if (!any) {
        return false;
    }
    if (loading.last != 0) {
        loaded = load(feed, &loading);
    }
    pthread_mutex_lock(&feed->mutex);
    if (loaded != NULL) {
        loaded_locked(feed, &loading, loaded, &garbage);
    }
    taken = take_locked(feed, &loading);
    pthread_mutex_unlock(&feed->mutex);

    for (struct cx_subscription *each = taken; each != NULL; each = each->waiting_next) {
        each->found = look_through(each, &loading);
    }

    pthread_mutex_lock(&feed->mutex);
    for (; taken != NULL; taken = next) {
        next = taken->waiting_next;
        settle_locked(feed, taken, ret_done);
    }
    if (loading.block != NULL) {
        cx_feed_let_go_locked(feed, loading.block);
    }
    pthread_mutex_unlock(&feed->mutex);
    cx_feed_free_garbage(garbage);
    return true;
}
