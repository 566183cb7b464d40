#include "core/state/activity.h"

#include <assert.h>
#include <endian.h>
#include <stddef.h>

#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/detail.h"

static_assert(offsetof(struct cx_activity, item) == 0, "cx_activity_of() relies on it");
static_assert(CX_SESSION_ID_SIZE <= UINT8_MAX && CX_ACTIVITY_TYPE_SIZE_MAX <= UINT8_MAX &&
                  CX_CONTENT_TYPE_SIZE_MAX <= UINT8_MAX && CX_DETAIL_SIZE_MAX <= UINT16_MAX,
              "the sizes fit into their fields");

static void activity_free(struct cx_tree_item *item)
{
    struct cx_activity *activity = cx_activity_of(item);

    cx_value_unref(activity->value);
    cx_labels_unref(activity->labels);
    cx_free(activity);
}

const struct cx_tree_class cx_activity_class = {
    .keys_are_short = true,
    .key_offset = offsetof(struct cx_activity, bytes),
    .free_item = activity_free,
};

void cx_sequence_key_init(struct cx_sequence_key *key, uint64_t sequence)
{
    uint64_t stored = htobe64(sequence);

    memcpy(key->bytes, &stored, sizeof stored);
}

struct cx_bytes cx_sequence_key_bytes(const struct cx_sequence_key *key)
{
    return (struct cx_bytes){key->bytes, sizeof key->bytes};
}

/* ---- Life. ------------------------------------------------------------------ */

/* Fills in all but what has memory of its own. */
static void activity_fill(struct cx_activity *activity, uint64_t sequence,
                          struct cx_bytes session_id, struct cx_bytes detail,
                          const struct cx_activity_content *content, struct cx_bytes inline_data)
{
    uint8_t *at = activity->bytes;
    struct cx_sequence_key key;

    cx_sequence_key_init(&key, sequence);
    *activity = (struct cx_activity){
        .item = {.refs = 1, .key_size = sizeof key.bytes},
        .inline_size = (uint32_t)inline_data.size,
        .detail_size = (uint16_t)detail.size,
        .session_size = (uint8_t)session_id.size,
        .type_size = (uint8_t)content->type.size,
        .content_type_size = (uint8_t)content->content_type.size,
    };
    cx_bytes_put(&at, cx_sequence_key_bytes(&key));
    cx_bytes_put(&at, session_id);
    cx_bytes_put(&at, content->type);
    cx_bytes_put(&at, content->content_type);
    cx_bytes_put(&at, detail);
    cx_bytes_put(&at, inline_data);
}

enum cx_status cx_activity_new(struct cx_chunk_table *table, uint64_t sequence,
                               struct cx_bytes session_id,
                               const struct cx_activity_content *content,
                               struct cx_activity **ret_activity)
{
    bool is_inline = content->data.size <= CX_VALUE_INLINE_MAX;
    struct cx_bytes inline_data = is_inline ? content->data : (struct cx_bytes){0};
    struct cx_label_list labels = {content->labels, content->label_count};
    uint8_t memory[CX_DETAIL_SIZE_MAX];
    struct cx_buffer detail = {.data = memory, .capacity = sizeof memory};
    struct cx_wire_writer writer = {.buffer = &detail, .status = CX_OK};
    struct cx_activity *activity;
    enum cx_status status;

    assert(session_id.size <= CX_SESSION_ID_SIZE);
    assert(content->type.size >= 1 && content->type.size <= CX_ACTIVITY_TYPE_SIZE_MAX);
    assert(content->content_type.size <= CX_CONTENT_TYPE_SIZE_MAX);

    cx_detail_put(&writer, &content->detail);
    assert(writer.status == CX_OK && detail.data == memory); /* Large enough for any. */

    activity =
        cx_alloc(sizeof *activity + sizeof(struct cx_sequence_key) + session_id.size +
                 content->type.size + content->content_type.size + detail.size + inline_data.size);
    if (activity == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    activity_fill(activity, sequence, session_id, cx_buffer_bytes(&detail), content, inline_data);
    status = cx_labels_new(labels, &activity->labels);
    if (status == CX_OK && !is_inline) {
        status = cx_value_new(table, content->data, &activity->value);
    }
    if (status != CX_OK) {
        cx_activity_unref(activity);
        return status;
    }
    *ret_activity = activity;
    return CX_OK;
}

void cx_activity_unref(struct cx_activity *activity)
{
    cx_tree_item_unref(&cx_activity_class, activity != NULL ? &activity->item : NULL);
}

/* ---- What it says. ---------------------------------------------------------- */

/* Where each piece begins is where the one before it ends. */
static struct cx_bytes session_id_of(const struct cx_activity *activity)
{
    return (struct cx_bytes){activity->bytes + activity->item.key_size, activity->session_size};
}

struct cx_bytes cx_activity_type(const struct cx_activity *activity)
{
    struct cx_bytes before = session_id_of(activity);

    return (struct cx_bytes){before.data + before.size, activity->type_size};
}

static struct cx_bytes content_type_of(const struct cx_activity *activity)
{
    struct cx_bytes before = cx_activity_type(activity);

    return (struct cx_bytes){before.data + before.size, activity->content_type_size};
}

static struct cx_bytes detail_of(const struct cx_activity *activity)
{
    struct cx_bytes before = content_type_of(activity);

    return (struct cx_bytes){before.data + before.size, activity->detail_size};
}

static struct cx_bytes inline_data_of(const struct cx_activity *activity)
{
    struct cx_bytes before = detail_of(activity);

    return (struct cx_bytes){before.data + before.size, activity->inline_size};
}

uint64_t cx_activity_sequence(const struct cx_activity *activity)
{
    uint64_t stored;

    memcpy(&stored, activity->bytes, sizeof stored);
    return be64toh(stored);
}

static uint64_t data_size(const struct cx_activity *activity)
{
    return activity->value != NULL ? cx_value_size(activity->value) : activity->inline_size;
}

void cx_activity_read(const struct cx_activity *activity, uint8_t *memory)
{
    if (activity->value != NULL) {
        cx_value_read(activity->value, memory, cx_value_size(activity->value));
    } else if (activity->inline_size > 0) {
        memcpy(memory, inline_data_of(activity).data, activity->inline_size);
    }
}

static uint64_t labels_weight(struct cx_label_list list)
{
    uint64_t weight = 0;

    for (size_t i = 0; i < list.count; i++) {
        weight += list.items[i].key.size + list.items[i].value.size;
    }
    return weight;
}

uint64_t cx_activity_weight(const struct cx_activity *activity)
{
    return data_size(activity) + labels_weight(cx_labels_list(activity->labels));
}

uint64_t cx_activity_content_weight(const struct cx_activity_content *content)
{
    struct cx_label_list labels = {content->labels, content->label_count};

    return content->data.size + labels_weight(labels);
}

void cx_activity_view(const struct cx_activity *activity, struct cx_activity_view *ret_view)
{
    struct cx_label_list labels = cx_labels_list(activity->labels);
    struct cx_wire_reader reader = {.rest = detail_of(activity)};

    *ret_view = (struct cx_activity_view){
        .sequence = cx_activity_sequence(activity),
        .time_us = activity->time_us,
        .session_id = session_id_of(activity),
        .type = cx_activity_type(activity),
        .content_type = content_type_of(activity),
        .labels = labels.items,
        .label_count = labels.count,
        .data_size = data_size(activity),
        .activity = activity,
    };
    cx_detail_get(&reader, &ret_view->detail);
    assert(!reader.bad && reader.rest.size == 0);
}

/* ---- Comparing. ------------------------------------------------------------- */

/* The detail and the inline data lie in a row, and a detail tells its own end: so one run of
 * bytes stands for both. */
static struct cx_bytes detail_and_data_of(const struct cx_activity *activity)
{
    struct cx_bytes run = detail_of(activity);

    run.size += activity->inline_size;
    return run;
}

bool cx_activity_repeats(const struct cx_activity *a, const struct cx_activity *b)
{
    /* Equal values are the same one. */
    return a->value == b->value && cx_bytes_equal(cx_activity_type(a), cx_activity_type(b)) &&
           cx_bytes_equal(detail_and_data_of(a), detail_and_data_of(b));
}

uint64_t cx_activity_hash(const struct cx_activity *activity)
{
    uint64_t hash = cx_hash_mix((uintptr_t)activity->value, cx_activity_type(activity));

    return cx_hash_mix(hash, detail_and_data_of(activity));
}

uint64_t cx_activity_mix(uint64_t digest, const struct cx_activity *activity)
{
    digest = cx_hash_mix_number(digest, cx_activity_sequence(activity));
    digest = cx_hash_mix_number(digest, (uint64_t)activity->time_us);
    digest = cx_hash_mix(digest, session_id_of(activity));
    digest = cx_hash_mix(digest, cx_activity_type(activity));
    digest = cx_hash_mix(digest, content_type_of(activity));
    digest = cx_labels_mix(digest, cx_labels_list(activity->labels));
    digest = cx_hash_mix(digest, detail_and_data_of(activity));
    return activity->value != NULL ? cx_value_mix(digest, activity->value) : digest;
}
