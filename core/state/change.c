#include "core/state/change.h"

#include <assert.h>
#include <stdio.h>

#include "core/base/limits.h"
#include "core/state/change_check.h"
#include "core/state/settings.h"
#include "core/state/wire.h"

enum {
    FLAG_REQUEST = 1, /* In front of a change. */
    FLAG_EACH = 2,

    FLAG_LABELS_CHANGED = 1, /* In front of an item. */
    FLAG_SLIDING = 2,
};

/* ---- Encoding. -------------------------------------------------------------- */

static void put_labels(struct cx_wire_writer *writer, struct cx_label_list list)
{
    cx_wire_put_number(writer, list.count);
    for (size_t i = 0; i < list.count; i++) {
        cx_wire_put_bytes(writer, list.items[i].key);
        cx_wire_put_bytes(writer, list.items[i].value);
    }
}

static void put_op(struct cx_wire_writer *writer, const struct cx_op *op)
{
    cx_wire_put_number(writer, op->kind);
    switch (op->kind) {
    case CX_MUTATION_PUT:
        cx_wire_put_bytes(writer, op->key);
        cx_wire_put_bytes(writer, op->content_type);
        cx_wire_put_number(writer, op->kept);
        cx_wire_put_bytes(writer, op->value);
        break;
    case CX_MUTATION_APPEND:
        cx_wire_put_bytes(writer, op->key);
        cx_wire_put_bytes(writer, op->content_type);
        cx_wire_put_bytes(writer, op->value);
        break;
    case CX_MUTATION_DELETE:
    case CX_MUTATION_DELETE_PREFIX:
    case CX_MUTATION_DELETE_LABEL:
        cx_wire_put_bytes(writer, op->key);
        break;
    case CX_MUTATION_SET_LABEL:
        cx_wire_put_bytes(writer, op->key);
        cx_wire_put_bytes(writer, op->value);
        break;
    case CX_MUTATION_SET_EXPIRY:
        cx_wire_put_number(writer, (uint64_t)op->ttl_us);
        cx_wire_put_number(writer, op->sliding);
        break;
    }
}

static void put_item(struct cx_wire_writer *writer, const struct cx_change_item *item)
{
    cx_wire_put_number(writer, item->kind);
    cx_wire_put_number(writer, (item->labels_changed ? FLAG_LABELS_CHANGED : 0) |
                                   (item->sliding ? FLAG_SLIDING : 0));
    cx_wire_put_bytes(writer, item->id);
    cx_wire_put_number(writer, item->version);
    cx_wire_put_bytes(writer, item->type);
    put_labels(writer, item->labels);
    if (item->labels_changed) {
        put_labels(writer, item->labels_before);
    }
    if (item->kind == CX_ITEM_CREATE) {
        cx_wire_put_bytes(writer, item->parent_id);
        cx_wire_put_number(writer, (uint64_t)item->ttl_us);
    }
    cx_wire_put_number(writer, item->op_count);
    for (size_t i = 0; i < item->op_count; i++) {
        put_op(writer, &item->ops[i]);
    }
}

static void put_settings(struct cx_wire_writer *writer, const struct cx_settings *settings)
{
    cx_wire_put_number(writer, settings->version_retention);
    cx_wire_put_number(writer, (uint64_t)settings->undelete_window_us);
    cx_wire_put_number(writer, (uint64_t)settings->tombstone_window_us);
    cx_wire_put_number(writer, (uint64_t)settings->request_id_window_us);
    cx_wire_put_number(writer, settings->request_ids_max);
}

static void put_request(struct cx_wire_writer *writer, const struct cx_request_mark *mark)
{
    cx_wire_put_fixed64(writer, mark->id.low);
    cx_wire_put_fixed64(writer, mark->id.high);
    cx_wire_put_fixed64(writer, mark->content_hash);
    cx_wire_put_number(writer, mark->owner);
}

enum cx_status cx_change_encode(const struct cx_change *change, struct cx_buffer *buffer)
{
    struct cx_wire_writer writer = {.buffer = buffer};

    cx_wire_put_number(&writer, change->kind);
    if (change->kind == CX_CHANGE_SETTINGS) {
        put_settings(&writer, change->settings);
        return writer.status;
    }
    assert(change->item_count >= 1 && change->item_count <= CX_CHANGE_ITEMS_MAX);
    cx_wire_put_number(
        &writer,
        (cx_request_mark_is_set(&change->request) ? FLAG_REQUEST : 0) |
            (change->request.each && cx_request_mark_is_set(&change->request) ? FLAG_EACH : 0));
    cx_wire_put_bytes(&writer, change->namespace_id);
    if (cx_request_mark_is_set(&change->request)) {
        put_request(&writer, &change->request);
    }
    cx_wire_put_number(&writer, change->item_count);
    for (size_t i = 0; i < change->item_count; i++) {
        put_item(&writer, &change->items[i]);
    }
    return writer.status;
}

struct cx_hash128 cx_request_mark_id_of(const struct cx_request_mark *mark,
                                        struct cx_bytes context_key)
{
    return cx_hash128(context_key, mark->id.low ^ mark->id.high);
}

/* ---- Decoding. -------------------------------------------------------------- */

/* A reader and where its arrays go. */
struct decoder {
    struct cx_wire_reader reader;
    struct cx_arena *arena;
    bool out_of_memory;
};

/* Reads a number from `min` to `max`. */
static unsigned get_bounded(struct decoder *decoder, unsigned min, unsigned max)
{
    uint64_t number = cx_wire_get_number(&decoder->reader);

    if (number < min || number > max) {
        decoder->reader.bad = true;
        return min;
    }
    return (unsigned)number;
}

/* Reads the size of an array whose elements take at least one byte each, and makes
 * room for it. Returns NULL when there are none, or on a failure. */
static void *get_array(struct decoder *decoder, size_t element_size, size_t *ret_count)
{
    uint64_t count = cx_wire_get_number(&decoder->reader);
    void *array;

    *ret_count = 0;
    if (count > decoder->reader.rest.size) {
        decoder->reader.bad = true;
    }
    if (count == 0 || decoder->reader.bad) {
        return NULL;
    }
    array = cx_arena_calloc(decoder->arena, count * element_size);
    if (array == NULL) {
        decoder->out_of_memory = true;
        decoder->reader.bad = true;
        return NULL;
    }
    *ret_count = count;
    return array;
}

static struct cx_label_list get_labels(struct decoder *decoder)
{
    struct cx_label_list list;
    struct cx_label *items = get_array(decoder, sizeof *items, &list.count);

    for (size_t i = 0; i < list.count; i++) {
        items[i].key = cx_wire_get_bytes(&decoder->reader);
        items[i].value = cx_wire_get_bytes(&decoder->reader);
    }
    list.items = items;
    return list;
}

static void get_op(struct decoder *decoder, struct cx_op *op)
{
    struct cx_wire_reader *reader = &decoder->reader;

    op->kind = (enum cx_mutation_kind)get_bounded(decoder, CX_MUTATION_PUT, CX_MUTATION_SET_EXPIRY);
    switch (op->kind) {
    case CX_MUTATION_PUT:
        op->key = cx_wire_get_bytes(reader);
        op->content_type = cx_wire_get_bytes(reader);
        op->kept = cx_wire_get_number(reader);
        op->value = cx_wire_get_bytes(reader);
        break;
    case CX_MUTATION_APPEND:
        op->key = cx_wire_get_bytes(reader);
        op->content_type = cx_wire_get_bytes(reader);
        op->value = cx_wire_get_bytes(reader);
        break;
    case CX_MUTATION_DELETE:
    case CX_MUTATION_DELETE_PREFIX:
    case CX_MUTATION_DELETE_LABEL:
        op->key = cx_wire_get_bytes(reader);
        break;
    case CX_MUTATION_SET_LABEL:
        op->key = cx_wire_get_bytes(reader);
        op->value = cx_wire_get_bytes(reader);
        break;
    case CX_MUTATION_SET_EXPIRY:
        op->ttl_us = (int64_t)cx_wire_get_number(reader);
        op->sliding = get_bounded(decoder, 0, 1) != 0;
        break;
    }
}

static void get_item(struct decoder *decoder, struct cx_change_item *item)
{
    struct cx_wire_reader *reader = &decoder->reader;
    unsigned flags;

    item->kind = (enum cx_item_kind)get_bounded(decoder, CX_ITEM_CREATE, CX_ITEM_FORGET);
    flags = get_bounded(decoder, 0, FLAG_LABELS_CHANGED | FLAG_SLIDING);
    item->labels_changed = (flags & FLAG_LABELS_CHANGED) != 0;
    item->sliding = (flags & FLAG_SLIDING) != 0;
    item->id = cx_wire_get_bytes(reader);
    item->version = cx_wire_get_number(reader);
    item->type = cx_wire_get_bytes(reader);
    item->labels = get_labels(decoder);
    if (item->labels_changed) {
        item->labels_before = get_labels(decoder);
    }
    if (item->kind == CX_ITEM_CREATE) {
        item->parent_id = cx_wire_get_bytes(reader);
        item->ttl_us = (int64_t)cx_wire_get_number(reader);
    }
    item->ops = get_array(decoder, sizeof *item->ops, &item->op_count);
    for (size_t i = 0; i < item->op_count && !reader->bad; i++) {
        get_op(decoder, &item->ops[i]);
    }
}

static const struct cx_settings *get_settings(struct decoder *decoder)
{
    struct cx_settings *settings = cx_arena_alloc(decoder->arena, sizeof *settings);

    if (settings == NULL) {
        decoder->out_of_memory = true;
        decoder->reader.bad = true;
        return NULL;
    }
    settings->version_retention = cx_wire_get_number(&decoder->reader);
    settings->undelete_window_us = (int64_t)cx_wire_get_number(&decoder->reader);
    settings->tombstone_window_us = (int64_t)cx_wire_get_number(&decoder->reader);
    settings->request_id_window_us = (int64_t)cx_wire_get_number(&decoder->reader);
    settings->request_ids_max = cx_wire_get_number(&decoder->reader);
    return settings;
}

static void get_request(struct decoder *decoder, struct cx_request_mark *mark)
{
    struct cx_wire_reader *reader = &decoder->reader;

    mark->id.low = cx_wire_get_fixed64(reader);
    mark->id.high = cx_wire_get_fixed64(reader);
    mark->content_hash = cx_wire_get_fixed64(reader);
    mark->owner = cx_wire_get_number(reader);
    if (!cx_request_mark_is_set(mark)) {
        reader->bad = true; /* One that is not set is not stored. */
    }
}

static void get_contexts(struct decoder *decoder, struct cx_change *change)
{
    struct cx_wire_reader *reader = &decoder->reader;
    unsigned flags = get_bounded(decoder, 0, FLAG_REQUEST | FLAG_EACH);

    if (flags == FLAG_EACH) {
        reader->bad = true;
    }
    change->namespace_id = cx_wire_get_bytes(reader);
    if ((flags & FLAG_REQUEST) != 0) {
        get_request(decoder, &change->request);
        change->request.each = (flags & FLAG_EACH) != 0;
    }
    change->items = get_array(decoder, sizeof *change->items, &change->item_count);
    if (change->item_count == 0 || change->request.owner >= change->item_count) {
        reader->bad = true;
    }
    for (size_t i = 0; i < change->item_count && !reader->bad; i++) {
        get_item(decoder, &change->items[i]);
    }
}

enum cx_status cx_change_decode(struct cx_bytes bytes, struct cx_arena *arena,
                                struct cx_change *ret_change)
{
    struct decoder decoder = {.reader.rest = bytes, .arena = arena};
    struct cx_change change = {0};

    change.kind =
        (enum cx_change_kind)get_bounded(&decoder, CX_CHANGE_CONTEXTS, CX_CHANGE_SETTINGS);
    if (change.kind == CX_CHANGE_CONTEXTS) {
        get_contexts(&decoder, &change);
    } else {
        change.settings = get_settings(&decoder);
    }
    if (decoder.out_of_memory) {
        return CX_RESOURCE_EXHAUSTED;
    }
    if (decoder.reader.bad || decoder.reader.rest.size != 0 || !cx_change_is_well_formed(&change)) {
        return CX_DATA_LOSS;
    }
    *ret_change = change;
    return CX_OK;
}

void cx_change_describe(struct cx_bytes bytes, char *text, size_t size)
{
    struct decoder decoder = {.reader.rest = bytes, .arena = &(struct cx_arena){0}};
    struct cx_change change = {0};
    size_t used = 0;

    text[0] = '\0';
    if (cx_wire_get_number(&decoder.reader) == CX_CHANGE_CONTEXTS) {
        get_contexts(&decoder, &change);
    }
    for (size_t i = 0; i < change.item_count && change.items[i].id.size > 0; i++) {
        int added = snprintf(text + used, size - used, "%s%.*s/%.*s", i == 0 ? "" : ", ",
                             (int)change.namespace_id.size, (const char *)change.namespace_id.data,
                             (int)change.items[i].id.size, (const char *)change.items[i].id.data);

        if (added < 0 || (size_t)added >= size - used) {
            break;
        }
        used += (size_t)added;
    }
    cx_arena_done(decoder.arena);
}
