#include "core/state/history.h"

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"

/* The first activity from `sequence` on. */
static struct cx_activity *seek(const struct cx_tree *history, uint64_t sequence,
                                struct cx_tree_cursor *ret_cursor)
{
    struct cx_sequence_key key;
    struct cx_tree_item *item;

    cx_sequence_key_init(&key, sequence);
    item = cx_tree_seek(&cx_activity_class, history, cx_sequence_key_bytes(&key), ret_cursor);
    return item != NULL ? cx_activity_of(item) : NULL;
}

/* The last activity before `sequence`. */
static struct cx_activity *seek_before(const struct cx_tree *history, uint64_t sequence,
                                       struct cx_tree_cursor *ret_cursor)
{
    struct cx_sequence_key key;
    struct cx_tree_item *item;

    cx_sequence_key_init(&key, sequence);
    item =
        cx_tree_seek_before(&cx_activity_class, history, cx_sequence_key_bytes(&key), ret_cursor);
    return item != NULL ? cx_activity_of(item) : NULL;
}

static struct cx_activity *go(struct cx_tree_cursor *cursor, bool back)
{
    struct cx_tree_item *item = back ? cx_tree_previous(cursor) : cx_tree_next(cursor);

    return item != NULL ? cx_activity_of(item) : NULL;
}

uint64_t cx_history_find_time(const struct cx_tree *history, int64_t time_us)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *last = cx_tree_last(history, &cursor);
    uint64_t low;
    uint64_t high;

    if (last == NULL || cx_activity_of(last)->time_us < time_us) {
        return UINT64_MAX;
    }
    /* The first from `high` on is late enough; all before `low` are too early. */
    high = cx_activity_sequence(cx_activity_of(last));
    low = cx_activity_sequence(seek(history, 0, &cursor));
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        const struct cx_activity *activity = seek(history, middle, &cursor);

        if (activity->time_us >= time_us) {
            high = middle;
        } else {
            low = cx_activity_sequence(activity) + 1;
        }
    }
    return cx_activity_sequence(seek(history, low, &cursor));
}

uint64_t cx_history_take(const struct cx_tree *history, const struct cx_run *within,
                         uint64_t count_max, struct cx_run *ret_run, bool *ret_more)
{
    struct cx_tree_cursor cursor;
    const struct cx_activity *activity = seek(history, within->first, &cursor);
    uint64_t count = 0;

    for (; activity != NULL && cx_activity_sequence(activity) <= within->last;
         activity = go(&cursor, false)) {
        if (count == count_max) {
            break;
        }
        ret_run->last = cx_activity_sequence(activity);
        ret_run->first = count == 0 ? ret_run->last : ret_run->first;
        count++;
    }
    *ret_more = activity != NULL && cx_activity_sequence(activity) <= within->last;
    return count;
}

/* ---- Pages. ----------------------------------------------------------------- */

/* The sequences that a query can select: from the first, before the end. None at all
 * reaches UINT64_MAX. */
struct range {
    uint64_t first;
    uint64_t end;
};

static struct range range_of(const struct cx_activity_query *query, const struct cx_tree *history)
{
    struct range range = {0, UINT64_MAX};

    if (query->start_time_us != 0) {
        range.first = cx_history_find_time(history, query->start_time_us);
    }
    if (query->end_time_us != 0) {
        range.end = cx_history_find_time(history, query->end_time_us);
    }
    if (query->from_sequence > range.first && !query->newest_first) {
        range.first = query->from_sequence;
    }
    if (query->from_sequence != 0 && query->from_sequence < range.end && query->newest_first) {
        range.end = query->from_sequence + 1;
    }
    return range;
}

static bool is_wanted(const struct cx_activity_query *query, const struct cx_activity *activity)
{
    struct cx_bytes type = cx_activity_type(activity);

    for (size_t i = 0; i < query->type_count; i++) {
        if (cx_bytes_equal(query->types[i], type)) {
            return true;
        }
    }
    return query->type_count == 0;
}

enum cx_status cx_history_list(const struct cx_activity_query *query, struct cx_activity_page *page)
{
    struct range range = range_of(query, &page->history);
    const struct cx_activity *activity;
    struct cx_tree_cursor cursor;
    size_t looked = 0;

    assert(query->count_max >= 1 && query->count_max <= CX_PAGE_SIZE_MAX);
    page->rows = cx_alloc(query->count_max * sizeof *page->rows);
    if (page->rows == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    activity = query->newest_first ? seek_before(&page->history, range.end, &cursor)
                                   : seek(&page->history, range.first, &cursor);
    for (; activity != NULL; activity = go(&cursor, query->newest_first)) {
        uint64_t sequence = cx_activity_sequence(activity);

        if (sequence < range.first || sequence >= range.end) {
            break;
        }
        if (page->count == query->count_max || looked == CX_PAGE_ROWS_MAX) {
            page->more = true;
            page->next_sequence = sequence;
            break;
        }
        looked++;
        if (is_wanted(query, activity)) {
            cx_activity_view(activity, &page->rows[page->count++]);
        }
    }
    return CX_OK;
}

/* ---- Optimizing. ------------------------------------------------------------ */

/* The activities that no newer one repeats: an open hash table, at most half full. Its
 * places hold the hashes too, so that growing it reads no activity. */
struct seen {
    struct seen_place {
        const struct cx_activity *activity; /* NULL: free. */
        uint64_t hash;
    } * places;
    size_t capacity; /* A power of two. */
    size_t count;
};

enum { SEEN_CAPACITY_MIN = 256, RUNS_CAPACITY_MIN = 16 };

/* The place of an activity that repeats this one, or a free one. */
static struct seen_place *seen_find(const struct seen *seen, const struct cx_activity *activity,
                                    uint64_t hash)
{
    size_t at = hash & (seen->capacity - 1);

    while (seen->places[at].activity != NULL &&
           (seen->places[at].hash != hash ||
            !cx_activity_repeats(seen->places[at].activity, activity))) {
        at = (at + 1) & (seen->capacity - 1);
    }
    return &seen->places[at];
}

static enum cx_status seen_grow(struct seen *seen)
{
    struct seen grown = {.capacity = seen->capacity > 0 ? 2 * seen->capacity : SEEN_CAPACITY_MIN,
                         .count = seen->count};

    grown.places = cx_calloc(grown.capacity * sizeof *grown.places);
    if (grown.places == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < seen->capacity; i++) {
        size_t at = seen->places[i].hash & (grown.capacity - 1);

        if (seen->places[i].activity == NULL) {
            continue;
        }
        while (grown.places[at].activity != NULL) {
            at = (at + 1) & (grown.capacity - 1);
        }
        grown.places[at] = seen->places[i];
    }
    cx_free(seen->places);
    *seen = grown;
    return CX_OK;
}

/* Adds an activity, unless one that repeats it is there. */
static enum cx_status seen_add(struct seen *seen, const struct cx_activity *activity,
                               bool *ret_repeats)
{
    uint64_t hash = cx_activity_hash(activity);
    struct seen_place *place;

    if (2 * seen->count >= seen->capacity) {
        enum cx_status status = seen_grow(seen);

        if (status != CX_OK) {
            return status;
        }
    }
    place = seen_find(seen, activity, hash);
    *ret_repeats = place->activity != NULL;
    if (place->activity == NULL) {
        *place = (struct seen_place){activity, hash};
        seen->count++;
    }
    return CX_OK;
}

/* What goes on while a history is walked from its newest activity to the oldest. */
struct optimizer {
    const struct cx_optimize_request *request;
    struct seen seen;
    struct cx_history_cut cut; /* Its runs: in falling order. */
    size_t run_capacity;
    bool ended;   /* What is kept ended: everything older goes. */
    bool dropped; /* The activity before this one was. */
};

static bool fits(const struct optimizer *optimizer, uint64_t weight)
{
    const struct cx_optimize_request *request = optimizer->request;
    const struct cx_optimize_result *result = &optimizer->cut.result;

    if (result->kept_count == 0) {
        return true; /* The newest of all. */
    }
    if (request->max_count != 0 && result->kept_count >= request->max_count) {
        return false;
    }
    return request->max_bytes == 0 || (result->kept_bytes <= request->max_bytes &&
                                       weight <= request->max_bytes - result->kept_bytes);
}

/* Whether an activity goes. */
static enum cx_status decide(struct optimizer *optimizer, const struct cx_activity *activity,
                             uint64_t weight, bool *ret_drop)
{
    bool repeats = false;
    enum cx_status status = CX_OK;

    if (optimizer->request->deduplicate && !optimizer->ended) {
        status = seen_add(&optimizer->seen, activity, &repeats);
    }
    if (status == CX_OK) {
        optimizer->ended = optimizer->ended || (!repeats && !fits(optimizer, weight));
        *ret_drop = repeats || optimizer->ended;
    }
    return status;
}

/* Adds an activity to the runs of those that go. */
static enum cx_status drop(struct optimizer *optimizer, const struct cx_activity *activity)
{
    struct cx_history_cut *cut = &optimizer->cut;
    uint64_t sequence = cx_activity_sequence(activity);

    if (optimizer->dropped) {
        cut->runs[cut->count - 1].first = sequence;
        return CX_OK;
    }
    if (cut->count == optimizer->run_capacity) {
        size_t capacity =
            optimizer->run_capacity > 0 ? 2 * optimizer->run_capacity : RUNS_CAPACITY_MIN;
        struct cx_run *runs = cx_realloc(cut->runs, capacity * sizeof *runs);

        if (runs == NULL) {
            return CX_RESOURCE_EXHAUSTED;
        }
        cut->runs = runs;
        optimizer->run_capacity = capacity;
    }
    cut->runs[cut->count++] = (struct cx_run){sequence, sequence};
    return CX_OK;
}

static enum cx_status optimize_one(struct optimizer *optimizer, const struct cx_activity *activity)
{
    struct cx_optimize_result *result = &optimizer->cut.result;
    uint64_t weight = cx_activity_weight(activity);
    bool goes = false;
    enum cx_status status = decide(optimizer, activity, weight, &goes);

    if (status == CX_OK && goes) {
        status = drop(optimizer, activity);
    }
    optimizer->dropped = goes;
    result->removed_count += goes ? 1 : 0;
    result->removed_bytes += goes ? weight : 0;
    result->kept_count += goes ? 0 : 1;
    result->kept_bytes += goes ? 0 : weight;
    return status;
}

static void reverse(struct cx_run *runs, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct cx_run other = runs[i];

        runs[i] = runs[count - 1 - i];
        runs[count - 1 - i] = other;
    }
}

enum cx_status cx_history_optimize(const struct cx_tree *history,
                                   const struct cx_optimize_request *request,
                                   struct cx_history_cut *ret_cut)
{
    struct optimizer optimizer = {.request = request};
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = cx_tree_last(history, &cursor);
    enum cx_status status = CX_OK;

    for (; item != NULL && status == CX_OK; item = cx_tree_previous(&cursor)) {
        status = optimize_one(&optimizer, cx_activity_of(item));
    }
    cx_free(optimizer.seen.places);
    if (status != CX_OK) {
        cx_history_cut_done(&optimizer.cut);
        return status;
    }
    reverse(optimizer.cut.runs, optimizer.cut.count);
    *ret_cut = optimizer.cut;
    return CX_OK;
}

void cx_history_cut_done(struct cx_history_cut *cut)
{
    cx_free(cut->runs);
    *cut = (struct cx_history_cut){0};
}
