#include "core/state/past.h"

#include <assert.h>

#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/activity.h"
#include "core/state/file.h"
#include "core/state/tracked.h"
#include "core/state/usage.h"

/* True when the reference that is given back was the last one. */
static bool was_last(uint32_t *refs)
{
    return __atomic_fetch_sub(refs, 1, __ATOMIC_ACQ_REL) == 1;
}

/* ---- Histories that go on. -------------------------------------------------- */

/* The one that leans on the head now, to be leant on. NULL when out of memory. */
static struct cx_later *get_later(struct cx_tracked *tracked)
{
    if (tracked->later == NULL) {
        tracked->later = cx_calloc(sizeof *tracked->later);
        if (tracked->later == NULL) {
            return NULL;
        }
        tracked->later->refs = 1;
        tracked->later->first_sequence = tracked->last_sequence;
    }
    __atomic_fetch_add(&tracked->later->refs, 1, __ATOMIC_RELAXED);
    return tracked->later;
}

void cx_later_unref(struct cx_later *later)
{
    if (later == NULL || !was_last(&later->refs)) {
        return;
    }
    cx_tree_done(&cx_activity_class, &later->history);
    cx_free(later);
}

void cx_past_settle(struct cx_tracked *tracked)
{
    struct cx_later *later = tracked != NULL ? tracked->later : NULL;

    if (later == NULL) {
        return;
    }
    if (__atomic_load_n(&later->refs, __ATOMIC_ACQUIRE) > 1) {
        later->history = cx_tree_copy(&tracked->history);
        later->taken = true;
    }
    cx_later_unref(later);
    tracked->later = NULL;
}

void cx_past_prepare(struct cx_tracked *tracked, uint64_t added, bool drops)
{
    const struct cx_later *later = tracked->later;

    if (later != NULL &&
        (drops || tracked->last_sequence + added - later->first_sequence > CX_LEAN_MAX)) {
        cx_past_settle(tracked);
    }
}

/* ---- Pasts. ----------------------------------------------------------------- */

bool cx_past_is_worth(const struct cx_tracked *tracked)
{
    return tracked != NULL && (tracked->last_sequence != 0 || tracked->history_count > 0);
}

struct cx_past *cx_past_new(void)
{
    struct cx_past *past = cx_calloc(sizeof *past);

    if (past != NULL) {
        past->refs = 1;
    }
    return past;
}

/* All but the history. */
static void fill_rest(struct cx_past *past, const struct cx_tracked *tracked)
{
    past->last_sequence = tracked->last_sequence;
    past->history_count = tracked->history_count;
    past->history_bytes = tracked->history_bytes;
    past->files = cx_tree_copy(&tracked->files);
    past->file_count = tracked->file_count;
    past->usage = cx_tree_copy(&tracked->usage);
    past->usage_count = tracked->usage_count;
}

void cx_past_fill(struct cx_past *past, const struct cx_tracked *tracked)
{
    fill_rest(past, tracked);
    past->history = cx_tree_copy(&tracked->history);
}

struct cx_past *cx_past_ref(struct cx_past *past)
{
    if (past != NULL) {
        __atomic_fetch_add(&past->refs, 1, __ATOMIC_RELAXED);
    }
    return past;
}

void cx_past_unref(struct cx_past *past)
{
    if (past == NULL || !was_last(&past->refs)) {
        return;
    }
    cx_later_unref(past->later);
    cx_tree_done(&cx_activity_class, &past->history);
    cx_tree_done(&cx_file_class, &past->files);
    cx_tree_done(&cx_usage_class, &past->usage);
    cx_free(past);
}

enum cx_status cx_past_take(struct cx_tracked *tracked, struct cx_past **ret_past)
{
    struct cx_past *past;

    if (!cx_past_is_worth(tracked)) {
        *ret_past = NULL;
        return CX_OK;
    }
    if (tracked->past == NULL || tracked->past->later != NULL) {
        past = cx_past_new();
        if (past == NULL) {
            return CX_RESOURCE_EXHAUSTED;
        }
        cx_past_fill(past, tracked);
        cx_past_unref(tracked->past);
        tracked->past = past;
    }
    *ret_past = cx_past_ref(tracked->past);
    return CX_OK;
}

enum cx_status cx_past_lean(struct cx_tracked *tracked, struct cx_past **ret_past)
{
    struct cx_past *past;

    if (!cx_past_is_worth(tracked)) {
        *ret_past = NULL;
        return CX_OK;
    }
    if (tracked->past == NULL) {
        past = cx_past_new();
        if (past == NULL) {
            return CX_RESOURCE_EXHAUSTED;
        }
        past->later = get_later(tracked);
        if (past->later == NULL) {
            cx_past_unref(past);
            return CX_RESOURCE_EXHAUSTED;
        }
        fill_rest(past, tracked);
        tracked->past = past;
    }
    *ret_past = cx_past_ref(tracked->past);
    return CX_OK;
}

/* The history that it begins. */
static const struct cx_tree *history_of(const struct cx_past *past,
                                        const struct cx_tracked *tracked)
{
    const struct cx_later *later = past->later;

    if (later == NULL) {
        return &past->history;
    }
    assert(later->taken || later == tracked->later);
    return later->taken ? &later->history : &tracked->history;
}

/* Drops what came behind a sequence. */
static enum cx_status cut(struct cx_tree *history, uint64_t last_sequence)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = cx_tree_last(history, &cursor);
    enum cx_status status = CX_OK;

    while (item != NULL && cx_activity_sequence(cx_activity_of(item)) > last_sequence) {
        struct cx_tree_item *removed;

        status = cx_tree_remove(&cx_activity_class, history, NULL,
                                cx_tree_item_key(&cx_activity_class, item), &removed);
        if (status != CX_OK) {
            return status;
        }
        cx_tree_item_unref(&cx_activity_class, removed);
        item = cx_tree_last(history, &cursor);
    }
    return CX_OK;
}

enum cx_status cx_past_whole(struct cx_past *past, const struct cx_tracked *tracked,
                             struct cx_past **ret_past)
{
    struct cx_past *whole;

    if (past == NULL || past->later == NULL) {
        *ret_past = cx_past_ref(past);
        return CX_OK;
    }
    whole = cx_past_new();
    if (whole == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    whole->last_sequence = past->last_sequence;
    whole->history = cx_tree_copy(history_of(past, tracked));
    whole->history_count = past->history_count;
    whole->history_bytes = past->history_bytes;
    whole->files = cx_tree_copy(&past->files);
    whole->file_count = past->file_count;
    whole->usage = cx_tree_copy(&past->usage);
    whole->usage_count = past->usage_count;
    if (cut(&whole->history, past->last_sequence) != CX_OK) {
        cx_past_unref(whole);
        return CX_RESOURCE_EXHAUSTED;
    }
    *ret_past = whole;
    return CX_OK;
}

uint64_t cx_past_mix(uint64_t digest, const struct cx_past *past, const struct cx_tracked *tracked)
{
    if (past == NULL) {
        return cx_hash_mix_number(digest, 0);
    }
    digest = cx_hash_mix_number(digest, past->last_sequence);
    digest = cx_hash_mix_number(digest, past->history_count);
    digest = cx_hash_mix_number(digest, past->history_bytes);
    return cx_history_mix(digest, history_of(past, tracked), past->last_sequence, &past->files,
                          &past->usage);
}
