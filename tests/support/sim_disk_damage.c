/* What lies on the disk: its history, and what becomes of it unasked. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "tests/support/sim_disk_internal.h"

/* ---- The history. ----------------------------------------------------------- */

/* A new entry at `index`; those behind it move up. */
static struct sim_entry *entries_insert(struct sim_disk *disk, size_t index)
{
    struct sim_entry *entry;

    disk->entries = sim_array_add(disk->entries, disk->entry_count, sizeof *disk->entries);
    entry = &disk->entries[index];
    memmove(entry + 1, entry, (disk->entry_count - index) * sizeof *entry);
    *entry = (struct sim_entry){0};
    disk->entry_count++;
    return entry;
}

/* Keeps the part of an entry from `from` to `to`, which may be nothing. */
static struct sim_entry entry_part(const struct sim_entry *entry, uint64_t from, uint64_t to)
{
    struct sim_entry part = {.node = entry->node, .offset = from, .sync = entry->sync};

    if (from < to) {
        sim_content_write(&part.before, 0,
                          sim_content_data(&entry->before) + (from - entry->offset), to - from);
    }
    return part;
}

/* What an entry says of the bytes from `from` to `to` is over: it gets shorter, ends, or
 * becomes two. */
static void entry_cut(struct sim_disk *disk, size_t index, uint64_t from, uint64_t to)
{
    struct sim_entry entry = disk->entries[index];
    uint64_t end = entry.offset + entry.before.size;
    struct sim_entry head = entry_part(&entry, entry.offset, from);
    struct sim_entry tail = entry_part(&entry, to, end);

    sim_content_done(&disk->entries[index].before);
    disk->entries[index] = head;
    if (tail.before.size > 0 && head.before.size > 0) {
        *entries_insert(disk, index + 1) = tail;
    } else if (tail.before.size > 0) {
        disk->entries[index] = tail;
    }
}

/* Drops the entries that have no bytes any more. */
static void entries_sweep(struct sim_disk *disk)
{
    struct sim_entry *rest;
    size_t kept = 0;

    for (size_t i = 0; i < disk->entry_count; i++) {
        if (disk->entries[i].before.size > 0) {
            disk->entries[kept++] = disk->entries[i];
        } else {
            sim_content_done(&disk->entries[i].before);
        }
    }
    if (kept < disk->entry_count) {
        /* The array has the capacity that its new count stands for. */
        rest = sim_array_copy(disk->entries, kept, sizeof *rest);
        free(disk->entries);
        disk->entries = rest;
        disk->entry_count = kept;
    }
}

static void history_cut(struct sim_disk *disk, size_t node, uint64_t from, uint64_t to)
{
    bool emptied = false;

    for (size_t i = 0; i < disk->entry_count; i++) {
        const struct sim_entry *entry = &disk->entries[i];

        if (entry->node == node && entry->offset < to &&
            entry->offset + entry->before.size > from) {
            entry_cut(disk, i, from, to);
            emptied |= disk->entries[i].before.size == 0;
        }
    }
    if (emptied) {
        entries_sweep(disk);
    }
}

/* Notes what a write is about to replace. */
static void history_add(struct sim_disk *disk, size_t node, uint64_t offset, size_t size)
{
    const struct sim_content *synced = &disk->nodes[node].synced;
    size_t there = offset < synced->size ? synced->size - offset : 0;
    struct sim_entry *entry;

    there = there < size ? there : size;
    history_cut(disk, node, offset, offset + size);
    entry = entries_insert(disk, disk->entry_count);
    entry->node = node;
    entry->offset = offset;
    entry->sync = disk->syncs;
    if (there > 0) {
        sim_content_write(&entry->before, 0, sim_content_data(synced) + offset, there);
    }
    sim_content_grow(&entry->before, size);
}

void sim_durable_write(struct sim_disk *disk, size_t node, uint64_t offset, const uint8_t *data,
                       size_t size)
{
    if (disk->keeps_history && size > 0) {
        history_add(disk, node, offset, size);
    }
    sim_content_write(&disk->nodes[node].synced, offset, data, size);
}

void sim_history_forget_unnamed(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->entry_count; i++) {
        if (sim_node_name(disk, disk->entries[i].node)[0] == '\0') {
            sim_content_done(&disk->entries[i].before);
        }
    }
    entries_sweep(disk);
}

void sim_history_free(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->entry_count; i++) {
        sim_content_done(&disk->entries[i].before);
    }
    free(disk->entries);
    disk->entries = NULL;
    disk->entry_count = 0;
}

void sim_history_copy(struct sim_disk *to, const struct sim_disk *from)
{
    to->keeps_history = from->keeps_history;
    to->syncs = from->syncs;
    to->entries = sim_array_copy(from->entries, from->entry_count, sizeof *from->entries);
    to->entry_count = from->entry_count;
    for (size_t i = 0; i < from->entry_count; i++) {
        sim_content_share(&from->entries[i].before);
    }
}

void sim_disk_keep_history(struct sim_disk *disk)
{
    disk->keeps_history = true;
}

size_t sim_disk_durable(const struct sim_disk *disk)
{
    return disk->entry_count;
}

struct sim_durable sim_disk_durable_at(const struct sim_disk *disk, size_t index)
{
    const struct sim_entry *entry = &disk->entries[index];
    struct sim_durable durable = {
        .offset = entry->offset, .size = entry->before.size, .sync = entry->sync};

    assert(index < disk->entry_count);
    sim_name_set(durable.name, sim_node_name(disk, entry->node));
    return durable;
}

uint64_t sim_disk_syncs(const struct sim_disk *disk)
{
    return disk->syncs;
}

/* ---- Damage. ---------------------------------------------------------------- */

static size_t node_of(const struct sim_disk *disk, const char *name)
{
    const struct sim_name *found = sim_directory_find(&disk->now, name);

    assert(found != NULL);
    return found->node;
}

static void node_damage(struct sim_disk *disk, size_t index, uint64_t offset, struct cx_bytes bytes)
{
    struct sim_node *node = &disk->nodes[index];

    sim_content_write(&node->now, offset, bytes.data, bytes.size);
    sim_content_write(&node->synced, offset, bytes.data, bytes.size);
}

void sim_disk_damage(struct sim_disk *disk, const char *name, uint64_t offset,
                     struct cx_bytes bytes)
{
    size_t node = node_of(disk, name);

    assert(offset + bytes.size <= disk->nodes[node].synced.size);
    node_damage(disk, node, offset, bytes);
}

void sim_disk_flip(struct sim_disk *disk, const char *name, uint64_t offset, uint8_t mask)
{
    const struct sim_content *synced = &disk->nodes[node_of(disk, name)].synced;
    uint8_t byte;

    assert(offset < synced->size);
    byte = sim_content_data(synced)[offset] ^ mask;
    sim_disk_damage(disk, name, offset, (struct cx_bytes){&byte, 1});
}

void sim_disk_misdirect(struct sim_disk *disk, size_t index, const char *name, uint64_t offset)
{
    struct sim_entry entry = disk->entries[index];
    size_t to = node_of(disk, name);
    size_t end = disk->nodes[to].synced.size;
    size_t size = entry.before.size;
    uint8_t *data;

    assert(index < disk->entry_count && disk->write_count == 0);
    data = sim_copy_of(sim_content_data(&disk->nodes[entry.node].synced) + entry.offset, size);
    node_damage(disk, entry.node, entry.offset,
                (struct cx_bytes){sim_content_data(&entry.before), size});
    if (offset < end) {
        size = size < end - offset ? size : end - offset;
        node_damage(disk, to, offset, (struct cx_bytes){data, size});
    }
    free(data);
    sim_content_done(&disk->entries[index].before);
    entries_sweep(disk);
}

/* ---- Content. --------------------------------------------------------------- */

const uint8_t *sim_disk_content(const struct sim_disk *disk, const char *name, size_t *ret_size)
{
    static const uint8_t nothing;
    const struct sim_name *found = sim_directory_find(&disk->now, name);
    const struct sim_content *now;

    if (found == NULL) {
        return NULL;
    }
    now = &disk->nodes[found->node].now;
    *ret_size = now->size;
    return now->size > 0 ? sim_content_data(now) : &nothing;
}

void sim_disk_put(struct sim_disk *disk, const char *name, struct cx_bytes content)
{
    size_t node = sim_node_add(disk);

    node_damage(disk, node, 0, content);
    sim_directory_set(&disk->now, name, node);
    sim_directory_set(&disk->synced, name, node);
}

void sim_disk_remove(struct sim_disk *disk, const char *name)
{
    node_of(disk, name);
    sim_directory_drop(&disk->now, name);
    sim_directory_drop(&disk->synced, name);
}

void sim_disk_rename(struct sim_disk *disk, const char *from, const char *to)
{
    size_t node = node_of(disk, from);

    sim_disk_remove(disk, from);
    sim_directory_set(&disk->now, to, node);
    sim_directory_set(&disk->synced, to, node);
}

size_t sim_disk_file_count(const struct sim_disk *disk)
{
    return disk->now.count;
}

/* How many names come before this one. */
static size_t rank_of(const struct sim_disk *disk, const char *name)
{
    size_t rank = 0;

    for (size_t i = 0; i < disk->now.count; i++) {
        rank += strcmp(disk->now.names[i].text, name) < 0;
    }
    return rank;
}

const char *sim_disk_file_name(const struct sim_disk *disk, size_t index)
{
    size_t i = 0;

    assert(index < disk->now.count);
    while (rank_of(disk, disk->now.names[i].text) != index) {
        i++;
    }
    return disk->now.names[i].text;
}

uint64_t sim_disk_digest(const struct sim_disk *disk)
{
    uint64_t digest = 0;

    for (size_t i = 0; i < disk->now.count; i++) {
        const char *name = sim_disk_file_name(disk, i);
        size_t size = 0;
        const uint8_t *data = sim_disk_content(disk, name, &size);

        digest = cx_hash_mix(digest, cx_bytes_of(name));
        digest = cx_hash_mix(digest, (struct cx_bytes){data, size});
    }
    return digest;
}
