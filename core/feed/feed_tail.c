/* The tail: what becomes durable goes into the last block, and wakes those whom it concerns. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/feed/feed_internal.h"

/* ---- The hand-over, on the log's writer. ------------------------------------ */

/* Takes the frames over. Without memory for that, the tail reads them from the log. */
static void handing_add_locked(struct cx_feed *feed, struct cx_buffer *frames, uint64_t first,
                               size_t count)
{
    struct cx_handed *handed;

    if (feed->handed_bytes + frames->size > CX_FEED_HANDED_BYTES_MAX) {
        return;
    }
    handed = cx_alloc(sizeof *handed);
    if (handed == NULL) {
        return;
    }
    *handed = (struct cx_handed){.frames = *frames, .first = first, .count = count};
    *frames = (struct cx_buffer){0};
    *feed->handed_end = handed;
    feed->handed_end = &handed->next;
    feed->handed_bytes += handed->frames.size;
}

void cx_feed_hand_over(struct cx_feed *feed, struct cx_buffer *frames, uint64_t first, size_t count)
{
    cx_feed_set_durable(feed, first + count - 1);
    if (!__atomic_load_n(&feed->interested, __ATOMIC_SEQ_CST)) {
        return;
    }
    pthread_mutex_lock(&feed->handing);
    handing_add_locked(feed, frames, first, count);
    feed->announced = true;
    pthread_mutex_unlock(&feed->handing);
    pthread_cond_signal(&feed->handed);
}

bool cx_feed_await_tail(struct cx_feed *feed)
{
    bool stopped;

    pthread_mutex_lock(&feed->handing);
    while (!feed->announced && !feed->handing_stopped) {
        pthread_cond_wait(&feed->handed, &feed->handing);
    }
    feed->announced = false;
    stopped = feed->handing_stopped;
    pthread_mutex_unlock(&feed->handing);
    return !stopped;
}

/* ---- What comes next. ------------------------------------------------------- */

static void current_done(struct cx_feed *feed)
{
    cx_feed_free_handed(feed->current);
    feed->current = NULL;
}

/* Takes the next batch that was handed over. */
static void current_take(struct cx_feed *feed)
{
    current_done(feed);
    pthread_mutex_lock(&feed->handing);
    feed->current = feed->handed_first;
    if (feed->current != NULL) {
        feed->handed_first = feed->current->next;
        feed->current->next = NULL;
        feed->handed_bytes -= feed->current->frames.size;
        if (feed->handed_first == NULL) {
            feed->handed_end = &feed->handed_first;
        }
        feed->current_offset = 0;
        feed->current_next = feed->current->first;
    }
    pthread_mutex_unlock(&feed->handing);
}

/* The next record of the batch that is current. False at its end. */
static bool current_record(struct cx_feed *feed, struct cx_log_record *ret_record)
{
    const struct cx_handed *current = feed->current;

    if (current == NULL || feed->current_next == current->first + current->count) {
        return false;
    }
    *ret_record = cx_log_frame_read(current->frames.data + feed->current_offset);
    assert(ret_record->revision == feed->current_next);
    return true;
}

static void current_advance(struct cx_feed *feed, const struct cx_log_record *record)
{
    feed->current_offset += cx_log_frame_size(record->payload.size);
    feed->current_next++;
}

/* Goes along what was handed over up to `revision`. False when it is not there: what comes
 * first begins later, or nothing is there. */
static bool current_seek(struct cx_feed *feed, uint64_t revision)
{
    struct cx_log_record record;

    for (;;) {
        while (current_record(feed, &record)) {
            if (record.revision >= revision) {
                return record.revision == revision;
            }
            current_advance(feed, &record);
        }
        current_take(feed);
        if (feed->current == NULL) {
            return false;
        }
    }
}

/* ---- Building. -------------------------------------------------------------- */

/* A run of records on its way into a block. */
struct building {
    struct cx_block *block;
    bool full;
};

static enum cx_status on_record(void *arg, const struct cx_log_record *record)
{
    struct building *building = arg;
    enum cx_status status = cx_block_add(building->block, record);

    building->full = status == CX_OUT_OF_RANGE;
    return status;
}

/* Adds what comes next, until the block is full: the rest of one batch that was handed over, or
 * what the log has up to the next one, or else up to `durable`. */
static enum cx_status build(struct cx_feed *feed, struct building *building, uint64_t durable)
{
    uint64_t next = building->block->next;
    struct cx_log_record record;
    enum cx_status status = CX_OK;

    if (!current_seek(feed, next)) {
        uint64_t last = feed->current != NULL ? feed->current_next - 1 : durable;

        return feed->options.log->ops->read(feed->options.log, next, last, on_record, building);
    }
    while (status == CX_OK && current_record(feed, &record)) {
        status = on_record(building, &record);
        if (status == CX_OK) {
            current_advance(feed, &record);
        }
    }
    return status;
}

/* ---- Publishing. ------------------------------------------------------------ */

static void on_selected(void *arg, struct cx_selector_link *link, const struct cx_event *event)
{
    struct cx_subscription *subscription = link->subscription;
    const struct cx_feed_position *position = &subscription->position;
    struct cx_feed_position found = {event->revision, event->index};

    if (subscription->state != CX_SUBSCRIPTION_PARKED || event->revision < position->revision ||
        (event->revision == position->revision && event->index < position->index) ||
        (subscription->bound != 0 && event->revision > subscription->bound) ||
        !cx_subscription_wants(subscription, event)) {
        return;
    }
    cx_subscription_wake_locked(subscription, arg);
    subscription->position = found;
}

static void wake_bounded_locked(struct cx_feed *feed, struct cx_work **done)
{
    struct cx_subscription *next;

    for (struct cx_subscription *each = feed->bounded; each != NULL; each = next) {
        next = each->waiting_next;
        if (feed->tail_next > cx_subscription_awaits(each)) {
            cx_subscription_wake_locked(each, done);
        }
    }
}

/* What there is to do. */
struct step {
    uint64_t from;
    uint64_t durable;
    struct cx_block *held; /* The tail's block, if it goes on. */
};

/* Shows what the block has got. False: it is not the feed's, and nothing was shown. */
static bool publish_locked(struct cx_feed *feed, const struct step *step, struct cx_block *block,
                           struct cx_work **done, struct cx_block **garbage)
{
    size_t first_event = block->shown_count;

    if (feed->tail_next != step->from || feed->tail != step->held) {
        return false; /* The last subscription left meanwhile, and perhaps another came. */
    }
    if (feed->tail == NULL) {
        if (!cx_feed_insert_locked(feed, block, garbage)) {
            return false;
        }
        block->holds--; /* The tail is never dropped. */
        feed->tail = block;
    }
    block->shown_count = block->event_count;
    block->shown_next = block->next;
    feed->tail_next = block->next;
    for (size_t i = first_event; i < block->shown_count; i++) {
        cx_selectors_visit(&feed->selectors, &block->events[i], on_selected, done);
    }
    wake_bounded_locked(feed, done);
    return true;
}

/* ---- The step. -------------------------------------------------------------- */

static bool step_begin(struct cx_feed *feed, struct step *ret_step)
{
    bool wanted;

    pthread_mutex_lock(&feed->mutex);
    *ret_step = (struct step){
        .from = feed->tail_next,
        .durable = __atomic_load_n(&feed->durable, __ATOMIC_SEQ_CST),
        .held = feed->tail,
    };
    wanted = feed->subscription_count > 0 && feed->ended == CX_REASON_NONE &&
             ret_step->from <= ret_step->durable;
    if (wanted && ret_step->held != NULL) {
        ret_step->held->holds++; /* The tail may begin anew meanwhile. */
    }
    pthread_mutex_unlock(&feed->mutex);
    return wanted;
}

/* Drops what nobody wants. */
static void handed_drop(struct cx_feed *feed)
{
    struct cx_handed *handed;

    current_done(feed);
    pthread_mutex_lock(&feed->handing);
    handed = feed->handed_first;
    feed->handed_first = NULL;
    feed->handed_end = &feed->handed_first;
    feed->handed_bytes = 0;
    pthread_mutex_unlock(&feed->handing);
    cx_feed_free_handed(handed);
}

/* The tail cannot be read: those at the tail go on by way of the loader, and are told there
 * if it cannot either. */
static void skip_locked(struct cx_feed *feed, uint64_t durable, struct cx_work **done)
{
    for (struct cx_subscription *each = feed->subscriptions; each != NULL; each = each->next) {
        if (each->state == CX_SUBSCRIPTION_PARKED) {
            cx_subscription_wake_locked(each, done);
        }
    }
    feed->tail = NULL;
    if (feed->tail_next <= durable) { /* Else others have begun anew meanwhile. */
        feed->tail_next = durable + 1;
    }
}

/* Publishes what was built into the block, which is new or held. Whether it is the feed's. */
static bool step_end_locked(struct cx_feed *feed, const struct step *step,
                            const struct building *building, enum cx_status status,
                            struct cx_work **done, struct cx_block **garbage)
{
    struct cx_block *block = building->block;
    bool known = block == step->held;

    if (block != NULL && block->next > step->from) {
        known = publish_locked(feed, step, block, done, garbage) || known;
    }
    if (building->full && feed->tail == block) {
        feed->tail = NULL; /* What follows begins a new block. */
    } else if (status != CX_OK && !building->full) {
        skip_locked(feed, step->durable, done);
    }
    return known;
}

bool cx_feed_step_tail(struct cx_feed *feed, struct cx_work **ret_done)
{
    struct building building = {0};
    struct cx_block *garbage = NULL;
    enum cx_status status = CX_RESOURCE_EXHAUSTED;
    struct step step;
    bool known;

    if (!step_begin(feed, &step)) {
        if (!__atomic_load_n(&feed->interested, __ATOMIC_SEQ_CST)) {
            handed_drop(feed);
        }
        return false;
    }
    building.block = step.held != NULL ? step.held : cx_block_new(step.from);
    if (building.block != NULL) {
        status = build(feed, &building, step.durable);
    }
    if (building.full) {
        cx_block_seal(building.block);
    }
    pthread_mutex_lock(&feed->mutex);
    known = step_end_locked(feed, &step, &building, status, ret_done, &garbage);
    if (step.held != NULL) {
        cx_feed_let_go_locked(feed, step.held);
    }
    pthread_mutex_unlock(&feed->mutex);
    if (!known) {
        cx_block_free(building.block);
    }
    cx_feed_free_garbage(garbage);
    return true;
}
