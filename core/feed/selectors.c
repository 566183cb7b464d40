#include "core/feed/selectors.h"

#include <assert.h>

#include "core/base/memory.h"

/* ---- Hashes. ---------------------------------------------------------------- */

static uint64_t hash_namespace(struct cx_bytes namespace_id)
{
    return cx_hash64(namespace_id, CX_SELECTOR_NAMESPACE);
}

static uint64_t hash_name(uint64_t namespace_hash, enum cx_selector_kind kind, struct cx_bytes name)
{
    return cx_hash64(name, namespace_hash + kind + 1);
}

static uint64_t hash_label(uint64_t namespace_hash, const struct cx_label *label)
{
    return cx_hash64(label->value, hash_name(namespace_hash, CX_SELECTOR_LABEL, label->key));
}

/* ---- Links. ----------------------------------------------------------------- */

/* A name like any other. */
static uint64_t hash_event(uint64_t namespace_hash, unsigned type)
{
    const uint8_t name = (uint8_t)type;

    return hash_name(namespace_hash, CX_SELECTOR_EVENT, (struct cx_bytes){&name, 1});
}

/* Whether nothing but the types of events narrows the filter down. */
static bool goes_by_events(const struct cx_event_filter *filter)
{
    return filter->event_types != 0 && !cx_event_filter_selects_contexts(filter);
}

size_t cx_selector_link_count(const struct cx_event_filter *filter)
{
    if (goes_by_events(filter)) {
        return (size_t)__builtin_popcount(filter->event_types);
    }
    return filter->context_id_count > 0 ? filter->context_id_count : 1;
}

static void links_by_events(const struct cx_event_filter *filter,
                            struct cx_subscription *subscription, uint64_t namespace_hash,
                            struct cx_selector_link *links)
{
    size_t count = 0;

    for (uint32_t rest = filter->event_types; rest != 0; rest &= rest - 1) {
        links[count++] = (struct cx_selector_link){
            .subscription = subscription,
            .kind = CX_SELECTOR_EVENT,
            .hash = hash_event(namespace_hash, (unsigned)__builtin_ctz(rest)),
        };
    }
}

void cx_selector_links_init(const struct cx_event_filter *filter,
                            struct cx_subscription *subscription, struct cx_selector_link *links)
{
    uint64_t namespace_hash = hash_namespace(filter->namespace_id);

    for (size_t i = 0; i < filter->context_id_count; i++) {
        links[i] = (struct cx_selector_link){
            .subscription = subscription, .kind = CX_SELECTOR_ID, .hash = filter->ids[i].hash};
    }
    if (filter->context_id_count > 0) {
        return;
    }
    if (goes_by_events(filter)) {
        links_by_events(filter, subscription, namespace_hash, links);
        return;
    }
    links[0] = (struct cx_selector_link){
        .subscription = subscription, .kind = CX_SELECTOR_NAMESPACE, .hash = namespace_hash};
    if (filter->id_prefix.size > 0) {
        links[0].kind = CX_SELECTOR_PREFIX;
        links[0].prefix_size = (uint16_t)filter->id_prefix.size;
        links[0].hash = hash_name(namespace_hash, CX_SELECTOR_PREFIX, filter->id_prefix);
    } else if (filter->label_count > 0) {
        links[0].kind = CX_SELECTOR_LABEL;
        links[0].hash = hash_label(namespace_hash, &filter->labels[0]);
    } else if (filter->type.size > 0) {
        links[0].kind = CX_SELECTOR_TYPE;
        links[0].hash = hash_name(namespace_hash, CX_SELECTOR_TYPE, filter->type);
    }
}

/* ---- The table. ------------------------------------------------------------- */

static struct cx_selector_link **bucket_of(const struct cx_selectors *selectors, uint64_t hash)
{
    return &selectors->buckets[hash & (selectors->capacity - 1)];
}

static void bucket_add(struct cx_selectors *selectors, struct cx_selector_link *link)
{
    struct cx_selector_link **bucket = bucket_of(selectors, link->hash);

    link->next = *bucket;
    link->place = bucket;
    if (link->next != NULL) {
        link->next->place = &link->next;
    }
    *bucket = link;
}

static enum cx_status grow(struct cx_selectors *selectors, size_t capacity)
{
    struct cx_selector_link **old = selectors->buckets;
    size_t old_capacity = selectors->capacity;
    struct cx_selector_link **buckets = cx_calloc(capacity * sizeof(struct cx_selector_link *));

    if (buckets == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    selectors->buckets = buckets;
    selectors->capacity = capacity;
    for (size_t i = 0; i < old_capacity; i++) {
        struct cx_selector_link *next;

        for (struct cx_selector_link *link = old[i]; link != NULL; link = next) {
            next = link->next;
            bucket_add(selectors, link);
        }
    }
    cx_free(old);
    return CX_OK;
}

enum cx_status cx_selectors_reserve(struct cx_selectors *selectors, size_t count)
{
    size_t capacity = selectors->capacity > 0 ? selectors->capacity : 64;
    enum cx_status status = CX_OK;

    while (capacity < selectors->reserved + count) {
        capacity *= 2;
    }
    if (capacity > selectors->capacity) {
        status = grow(selectors, capacity);
    }
    selectors->reserved += status == CX_OK ? count : 0;
    return status;
}

void cx_selectors_release(struct cx_selectors *selectors, size_t count)
{
    assert(selectors->reserved >= count);
    selectors->reserved -= count;
}

void cx_selectors_add(struct cx_selectors *selectors, struct cx_selector_link *link)
{
    assert(link->place == NULL);
    bucket_add(selectors, link);
    selectors->counts[link->kind]++;
    selectors->prefix_counts[link->prefix_size]++;
}

void cx_selectors_remove(struct cx_selectors *selectors, struct cx_selector_link *link)
{
    assert(link->place != NULL);
    *link->place = link->next;
    if (link->next != NULL) {
        link->next->place = link->place;
    }
    link->place = NULL;
    selectors->counts[link->kind]--;
    selectors->prefix_counts[link->prefix_size]--;
}

void cx_selectors_done(struct cx_selectors *selectors)
{
    cx_free(selectors->buckets);
    *selectors = (struct cx_selectors){0};
}

/* ---- Visits. ---------------------------------------------------------------- */

struct visiting {
    const struct cx_selectors *selectors;
    const struct cx_event *event;
    void (*visit)(void *arg, struct cx_selector_link *link, const struct cx_event *event);
    void *arg;
};

static void visit_hash(const struct visiting *visiting, enum cx_selector_kind kind, uint64_t hash)
{
    struct cx_selector_link *next;

    for (struct cx_selector_link *link = *bucket_of(visiting->selectors, hash); link != NULL;
         link = next) {
        next = link->next; /* `link` may be taken out. */
        if (link->hash == hash && link->kind == kind) {
            visiting->visit(visiting->arg, link, visiting->event);
        }
    }
}

static void visit_prefixes(const struct visiting *visiting, uint64_t namespace_hash)
{
    struct cx_bytes id = visiting->event->item->id;

    for (size_t size = 1; size <= id.size && size <= CX_CONTEXT_ID_SIZE_MAX; size++) {
        if (visiting->selectors->prefix_counts[size] > 0) {
            visit_hash(
                visiting, CX_SELECTOR_PREFIX,
                hash_name(namespace_hash, CX_SELECTOR_PREFIX, (struct cx_bytes){id.data, size}));
        }
    }
}

static void visit_labels(const struct visiting *visiting, uint64_t namespace_hash,
                         struct cx_label_list labels)
{
    for (size_t i = 0; i < labels.count; i++) {
        visit_hash(visiting, CX_SELECTOR_LABEL, hash_label(namespace_hash, &labels.items[i]));
    }
}

static void visit_item(const struct visiting *visiting, uint64_t namespace_hash)
{
    const struct cx_change_item *item = visiting->event->item;
    const size_t *counts = visiting->selectors->counts;

    if (counts[CX_SELECTOR_ID] > 0) {
        visit_hash(visiting, CX_SELECTOR_ID, visiting->event->hash);
    }
    if (counts[CX_SELECTOR_PREFIX] > 0) {
        visit_prefixes(visiting, namespace_hash);
    }
    if (counts[CX_SELECTOR_LABEL] > 0) {
        visit_labels(visiting, namespace_hash, item->labels);
        if (item->labels_changed) {
            visit_labels(visiting, namespace_hash, item->labels_before);
        }
    }
    if (counts[CX_SELECTOR_TYPE] > 0) {
        visit_hash(visiting, CX_SELECTOR_TYPE,
                   hash_name(namespace_hash, CX_SELECTOR_TYPE, item->type));
    }
}

void cx_selectors_visit(const struct cx_selectors *selectors, const struct cx_event *event,
                        void (*visit)(void *arg, struct cx_selector_link *link,
                                      const struct cx_event *event),
                        void *arg)
{
    const struct visiting visiting = {selectors, event, visit, arg};
    uint64_t namespace_hash;

    if (selectors->capacity == 0) {
        return;
    }
    namespace_hash = hash_namespace(event->namespace_id);
    if (event->item != NULL) {
        visit_item(&visiting, namespace_hash);
    }
    if (selectors->counts[CX_SELECTOR_EVENT] > 0) {
        visit_hash(&visiting, CX_SELECTOR_EVENT, hash_event(namespace_hash, event->type));
    }
    if (selectors->counts[CX_SELECTOR_NAMESPACE] > 0) {
        visit_hash(&visiting, CX_SELECTOR_NAMESPACE, namespace_hash);
    }
}
