/* What is durable, what is not, and what becomes of it when the power goes. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/sim_disk_internal.h"

/* ---- Writing and syncing. --------------------------------------------------- */

static void writes_add(struct sim_disk *disk, size_t node, uint64_t offset, const uint8_t *data,
                       size_t size, bool lost)
{
    struct sim_write *write;

    disk->writes = sim_array_add(disk->writes, disk->write_count, sizeof *disk->writes);
    write = &disk->writes[disk->write_count++];
    *write = (struct sim_write){.node = node, .offset = offset, .lost = lost};
    sim_content_write(&write->data, 0, data, size);
}

void sim_node_write(struct sim_disk *disk, size_t node, uint64_t offset, struct cx_bytes bytes)
{
    writes_add(disk, node, offset, bytes.data, bytes.size, false);
    sim_content_write(&disk->nodes[node].now, offset, bytes.data, bytes.size);
}

/* Frees the writes that have been marked as belonging to no node. */
static void writes_sweep(struct sim_disk *disk)
{
    struct sim_write *rest;
    size_t kept = 0;

    for (size_t i = 0; i < disk->write_count; i++) {
        if (disk->writes[i].node == SIZE_MAX) {
            sim_content_done(&disk->writes[i].data);
        } else {
            disk->writes[kept++] = disk->writes[i];
        }
    }
    /* The array has the capacity that its new count stands for. */
    rest = sim_array_copy(disk->writes, kept, sizeof *rest);
    free(disk->writes);
    disk->writes = rest;
    disk->write_count = kept;
}

/* The pages from `from` to `to` are written as they stand: nothing in them is lost. */
static void found_again(struct sim_disk *disk, size_t node, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < disk->write_count; i++) {
        struct sim_write *write = &disk->writes[i];

        if (write->node == node && write->lost && write->offset >= from && write->offset < to) {
            write->node = SIZE_MAX;
        }
    }
}

/* A page is written as a whole, with what was lost of it. */
static void sync_pages(struct sim_disk *disk, const struct sim_write *write)
{
    const struct sim_content *now = &disk->nodes[write->node].now;
    uint64_t from = write->offset / SIM_PAGE_SIZE * SIM_PAGE_SIZE;
    uint64_t to = write->offset + write->data.size + SIM_PAGE_SIZE - 1;

    to = to / SIM_PAGE_SIZE * SIM_PAGE_SIZE;
    to = to < now->size ? to : now->size;
    sim_durable_write(disk, write->node, from, sim_content_data(now) + from, to - from);
    found_again(disk, write->node, from, to);
}

void sim_node_sync(struct sim_disk *disk, size_t node)
{
    disk->syncs++;
    for (size_t i = 0; i < disk->write_count; i++) {
        struct sim_write *write = &disk->writes[i];

        if (write->node != node || write->lost) {
            continue;
        }
        if (disk->nodes[node].lossy && write->data.size > 0) {
            sync_pages(disk, write);
        } else {
            sim_durable_write(disk, node, write->offset, sim_content_data(&write->data),
                              write->data.size);
        }
        write->node = SIZE_MAX;
    }
    writes_sweep(disk);
}

/* Turns a write into lost ones, each within a page. */
static void write_lose(struct sim_disk *disk, size_t index)
{
    struct sim_write write = disk->writes[index];
    uint64_t end = write.offset + write.data.size;

    for (uint64_t from = write.offset, to; from < end; from = to) {
        to = (from / SIM_PAGE_SIZE + 1) * SIM_PAGE_SIZE;
        to = to < end ? to : end;
        writes_add(disk, write.node, from, sim_content_data(&write.data) + (from - write.offset),
                   to - from, true);
    }
    disk->writes[index].node = SIZE_MAX;
}

/* What was written is gone from the cache too; the size is not. */
static void node_forget(struct sim_node *node)
{
    size_t size = node->now.size;

    sim_content_done(&node->now);
    node->now = sim_content_share(&node->synced);
    sim_content_grow(&node->now, size);
}

void sim_node_lose(struct sim_disk *disk, size_t node, enum sim_sync_loss loss)
{
    size_t count = disk->write_count;

    if (loss == SIM_SYNC_RETRIED) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (disk->writes[i].node != node) {
            continue;
        }
        if (loss == SIM_SYNC_DROPPED) {
            disk->writes[i].node = SIZE_MAX;
        } else if (!disk->writes[i].lost) {
            write_lose(disk, i);
        }
    }
    writes_sweep(disk);
    if (loss == SIM_SYNC_DROPPED) {
        node_forget(&disk->nodes[node]);
    }
    disk->nodes[node].lossy = loss == SIM_SYNC_KEPT;
    /* The size belongs to the file, not to its pages: the next sync writes it. */
    if (disk->nodes[node].now.size > disk->nodes[node].synced.size) {
        writes_add(disk, node, disk->nodes[node].now.size, NULL, 0, false);
    }
}

void sim_node_drop_cache(struct sim_disk *disk, size_t node)
{
    if (!disk->nodes[node].lossy) {
        return; /* The cache holds what the disk does, and what it will. */
    }
    node_forget(&disk->nodes[node]);
    for (size_t i = 0; i < disk->write_count; i++) {
        struct sim_write *write = &disk->writes[i];

        if (write->node != node) {
            continue;
        }
        if (write->lost) {
            write->node = SIZE_MAX;
        } else if (write->data.size > 0) {
            sim_content_write(&disk->nodes[node].now, write->offset, sim_content_data(&write->data),
                              write->data.size);
        }
    }
    writes_sweep(disk);
    disk->nodes[node].lossy = false;
}

void sim_names_sync(struct sim_disk *disk)
{
    sim_directory_replace(&disk->synced, &disk->now);
    free(disk->namings);
    disk->namings = NULL;
    disk->naming_count = 0;
    sim_history_forget_unnamed(disk);
}

/* ---- Life. ------------------------------------------------------------------ */

static void writes_free(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->write_count; i++) {
        sim_content_done(&disk->writes[i].data);
    }
    free(disk->writes);
    disk->writes = NULL;
    disk->write_count = 0;
}

void sim_disk_free(struct sim_disk *disk)
{
    if (disk == NULL) {
        return;
    }
    writes_free(disk);
    sim_history_free(disk);
    for (size_t i = 0; i < disk->node_count; i++) {
        sim_content_done(&disk->nodes[i].now);
        sim_content_done(&disk->nodes[i].synced);
    }
    free(disk->nodes);
    free(disk->now.names);
    free(disk->synced.names);
    free(disk->namings);
    pthread_mutex_destroy(&disk->mutex);
    free(disk);
}

struct sim_disk *sim_disk_copy(const struct sim_disk *disk)
{
    struct sim_disk *copy = sim_disk_new();

    copy->nodes = sim_array_copy(disk->nodes, disk->node_count, sizeof *disk->nodes);
    copy->node_count = disk->node_count;
    for (size_t i = 0; i < disk->node_count; i++) {
        sim_content_share(&disk->nodes[i].now);
        sim_content_share(&disk->nodes[i].synced);
        copy->nodes[i].locked = false;
    }
    copy->writes = sim_array_copy(disk->writes, disk->write_count, sizeof *disk->writes);
    copy->write_count = disk->write_count;
    for (size_t i = 0; i < disk->write_count; i++) {
        sim_content_share(&disk->writes[i].data);
    }
    copy->now = sim_directory_copy(&disk->now);
    copy->synced = sim_directory_copy(&disk->synced);
    copy->namings = sim_array_copy(disk->namings, disk->naming_count, sizeof *disk->namings);
    copy->naming_count = disk->naming_count;
    sim_history_copy(copy, disk);
    copy->capacity = disk->capacity;
    copy->sync_loss = disk->sync_loss;
    copy->crashed = disk->crashed;
    return copy;
}

/* ---- Power. ----------------------------------------------------------------- */

void sim_disk_crash(struct sim_disk *disk, uint64_t nth)
{
    sim_lock(&disk->mutex);
    disk->crash_in = nth;
    sim_unlock(&disk->mutex);
}

void sim_disk_power_off(struct sim_disk *disk)
{
    sim_lock(&disk->mutex);
    disk->crashed = true;
    sim_unlock(&disk->mutex);
}

bool sim_disk_crashed(const struct sim_disk *disk)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)&disk->mutex;
    bool crashed;

    sim_lock(mutex);
    crashed = disk->crashed;
    sim_unlock(mutex);
    return crashed;
}

/* Makes the pieces of a write that survive durable. */
static void write_survive(struct sim_disk *disk, size_t index, const struct sim_survival *survival)
{
    const struct sim_write *write = &disk->writes[index];
    uint64_t end = write->offset + write->data.size;
    uint64_t first = write->offset / survival->piece_size;
    uint64_t last = write->data.size == 0 ? first : (end - 1) / survival->piece_size;

    for (uint64_t piece = first; piece <= last; piece++) {
        uint64_t from = piece * survival->piece_size;
        uint64_t to = from + survival->piece_size;

        from = from < write->offset ? write->offset : from;
        to = to > end ? end : to;
        if (survival->piece(survival->arg, index, disk->write_count, piece - first,
                            last - first + 1)) {
            const uint8_t *data = sim_content_data(&write->data);

            sim_durable_write(disk, write->node, from,
                              data != NULL ? data + (from - write->offset) : NULL, to - from);
        }
    }
}

/* Nothing is left in the caches, nor of files that have no name. */
static void nodes_restart(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->node_count; i++) {
        struct sim_node *node = &disk->nodes[i];

        if (sim_node_name(disk, i)[0] == '\0') {
            sim_content_done(&node->synced);
        }
        sim_content_done(&node->now);
        node->now = sim_content_share(&node->synced);
        node->locked = false;
        node->lossy = false;
    }
}

void sim_disk_restart(struct sim_disk *disk, const struct sim_survival *survival)
{
    sim_lock(&disk->mutex);
    assert(survival->piece == NULL || survival->piece_size > 0);
    disk->syncs++;
    for (size_t i = 0; i < disk->write_count && survival->piece != NULL; i++) {
        write_survive(disk, i, survival);
    }
    for (size_t i = 0; i < disk->naming_count && survival->name != NULL; i++) {
        if (survival->name(survival->arg, i, disk->naming_count)) {
            sim_directory_apply(&disk->synced, &disk->namings[i]);
        }
    }
    writes_free(disk);
    sim_directory_replace(&disk->now, &disk->synced);
    sim_names_sync(disk);
    nodes_restart(disk);
    disk->fail_in = 0;
    disk->crash_in = 0;
    disk->crashed = false;
    disk->lives++;
    sim_unlock(&disk->mutex);
}

void sim_disk_kill(struct sim_disk *disk)
{
    sim_lock(&disk->mutex);
    for (size_t i = 0; i < disk->node_count; i++) {
        disk->nodes[i].locked = false;
    }
    disk->lives++;
    sim_unlock(&disk->mutex);
}

static bool piece_survives(void *arg, size_t write, size_t count, size_t piece, size_t piece_count)
{
    (void)arg, (void)write, (void)count, (void)piece, (void)piece_count;
    return true;
}

static bool name_survives(void *arg, size_t change, size_t count)
{
    (void)arg, (void)change, (void)count;
    return true;
}

const struct sim_survival sim_survive_all = {
    .piece_size = 4096, .piece = piece_survives, .name = name_survives};
const struct sim_survival sim_survive_none = {.piece_size = 4096};

/* ---- What is not synced. ---------------------------------------------------- */

size_t sim_disk_pending(const struct sim_disk *disk)
{
    return disk->write_count;
}

struct sim_pending sim_disk_pending_at(const struct sim_disk *disk, size_t index)
{
    const struct sim_write *write = &disk->writes[index];
    struct sim_pending pending = {
        .offset = write->offset, .size = write->data.size, .lost = write->lost};

    assert(index < disk->write_count);
    sim_name_set(pending.name, sim_node_name(disk, write->node));
    return pending;
}

size_t sim_disk_pending_size(const struct sim_disk *disk, size_t index)
{
    assert(index < disk->write_count);
    return disk->writes[index].data.size;
}

size_t sim_disk_pending_names(const struct sim_disk *disk)
{
    return disk->naming_count;
}
