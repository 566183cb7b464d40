/* What core/ calls: the functions of disk.h. */

#include "tests/support/sim_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/container_of.h"
#include "tests/support/sim_disk_internal.h"

struct sim_file {
    struct cx_file base;
    struct sim_disk *disk;
    size_t node;
    uint64_t life;
    bool holds_lock;
};

/* ---- What goes wrong. ------------------------------------------------------- */

static enum cx_status begin(struct sim_disk *disk)
{
    disk->counts.operations++;
    if (disk->crashed) {
        return CX_UNAVAILABLE;
    }
    if (disk->fail_in > 0 && --disk->fail_in == 0) {
        return disk->fail_status;
    }
    return CX_OK;
}

/* Begins an operation that changes the disk. *ret_crash says that the power goes in
 * it: it may leave traces, and fails. */
static enum cx_status begin_change(struct sim_disk *disk, bool *ret_crash)
{
    enum cx_status status = begin(disk);

    disk->counts.changes++;
    *ret_crash = false;
    if (status == CX_OK && disk->crash_in > 0 && --disk->crash_in == 0) {
        disk->crashed = true;
        *ret_crash = true;
    }
    return status;
}

static uint64_t bytes_used(const struct sim_disk *disk)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < disk->now.count; i++) {
        bytes += disk->nodes[disk->now.names[i].node].now.size;
    }
    return bytes;
}

/* The size up to which a file can grow to `wanted`. */
static uint64_t size_possible(const struct sim_disk *disk, const struct sim_node *node,
                              uint64_t wanted)
{
    uint64_t used = bytes_used(disk);
    uint64_t room = disk->capacity > used ? disk->capacity - used : 0;
    uint64_t most = node->now.size + room;

    return wanted <= most ? wanted : most;
}

/* ---- Files. ----------------------------------------------------------------- */

static struct sim_file *file_of(struct cx_file *base)
{
    return CX_CONTAINER_OF(base, struct sim_file, base);
}

struct cx_file *sim_file_base(struct sim_file *file)
{
    return &file->base;
}

/* Locks the disk and returns the file's node, NULL when the power went or the process
 * was killed since it was opened. */
static struct sim_node *file_enter(struct sim_file *file)
{
    sim_lock(&file->disk->mutex);
    return file->life == file->disk->lives ? &file->disk->nodes[file->node] : NULL;
}

static enum cx_status file_leave(struct sim_file *file, enum cx_status status)
{
    sim_unlock(&file->disk->mutex);
    return status;
}

static enum cx_status file_read(struct cx_file *base, uint64_t offset, void *memory, size_t size,
                                size_t *ret_size)
{
    struct sim_file *file = file_of(base);
    struct sim_node *node = file_enter(file);
    enum cx_status status = node != NULL ? begin(file->disk) : CX_UNAVAILABLE;

    if (status == CX_OK) {
        size_t left = offset < node->now.size ? node->now.size - offset : 0;
        size_t count = size < left ? size : left;

        if (count > 0) {
            memcpy(memory, sim_content_data(&node->now) + offset, count);
        }
        file->disk->counts.reads++;
        file->disk->counts.bytes_read += count;
        *ret_size = count;
    }
    return file_leave(file, status);
}

enum cx_status sim_file_write(struct sim_file *file, uint64_t offset, struct cx_bytes bytes,
                              size_t *ret_done)
{
    struct sim_node *node = file_enter(file);
    bool crash = false;
    enum cx_status status = node != NULL ? begin_change(file->disk, &crash) : CX_UNAVAILABLE;

    *ret_done = 0;
    if (status == CX_OK) {
        uint64_t end = size_possible(file->disk, node, offset + bytes.size);
        size_t size = end < offset + bytes.size ? (end > offset ? end - offset : 0) : bytes.size;

        sim_node_write(file->disk, file->node, offset, (struct cx_bytes){bytes.data, size});
        file->disk->counts.writes++;
        file->disk->counts.bytes_written += size;
        *ret_done = size;
        status = crash ? CX_UNAVAILABLE : size < bytes.size ? CX_RESOURCE_EXHAUSTED : CX_OK;
    }
    return file_leave(file, status);
}

static enum cx_status file_write(struct cx_file *base, uint64_t offset, struct cx_bytes bytes)
{
    size_t done;

    return sim_file_write(file_of(base), offset, bytes, &done);
}

static enum cx_status file_sync(struct cx_file *base)
{
    struct sim_file *file = file_of(base);
    struct sim_node *node = file_enter(file);
    bool crash = false;
    enum cx_status status = node != NULL ? begin_change(file->disk, &crash) : CX_UNAVAILABLE;

    file->disk->counts.syncs++;
    if (status == CX_OK && !crash) {
        sim_node_sync(file->disk, file->node);
    } else if (node != NULL && !file->disk->crashed) {
        sim_node_lose(file->disk, file->node, file->disk->sync_loss);
    }
    return file_leave(file, crash ? CX_UNAVAILABLE : status);
}

enum cx_status sim_file_fail_sync(struct sim_file *file, enum sim_sync_loss loss)
{
    struct sim_node *node = file_enter(file);
    bool crash = false;
    enum cx_status status = node != NULL ? begin_change(file->disk, &crash) : CX_UNAVAILABLE;

    file->disk->counts.syncs++;
    if (status == CX_OK && !crash) {
        sim_node_lose(file->disk, file->node, loss);
    }
    return file_leave(file, crash ? CX_UNAVAILABLE : status);
}

static void file_drop_cache(struct cx_file *base)
{
    struct sim_file *file = file_of(base);

    if (file_enter(file) != NULL) {
        sim_node_drop_cache(file->disk, file->node);
    }
    file_leave(file, CX_OK);
}

static enum cx_status file_allocate(struct cx_file *base, uint64_t size)
{
    struct sim_file *file = file_of(base);
    struct sim_node *node = file_enter(file);
    bool crash = false;
    enum cx_status status = node != NULL ? begin_change(file->disk, &crash) : CX_UNAVAILABLE;

    if (status == CX_OK && size > node->now.size) {
        if (size_possible(file->disk, node, size) < size) {
            status = CX_RESOURCE_EXHAUSTED;
        } else {
            sim_node_write(file->disk, file->node, size, (struct cx_bytes){0});
        }
    }
    return file_leave(file, crash ? CX_UNAVAILABLE : status);
}

static enum cx_status file_size(struct cx_file *base, uint64_t *ret_size)
{
    struct sim_file *file = file_of(base);
    struct sim_node *node = file_enter(file);
    enum cx_status status = node != NULL ? begin(file->disk) : CX_UNAVAILABLE;

    if (status == CX_OK) {
        *ret_size = node->now.size;
    }
    return file_leave(file, status);
}

void sim_file_close(struct sim_file *file)
{
    struct sim_node *node = file_enter(file);

    if (node != NULL && file->holds_lock) {
        node->locked = false;
    }
    file_leave(file, CX_OK);
    free(file);
}

static void file_close(struct cx_file *base)
{
    sim_file_close(file_of(base));
}

static const struct cx_file_ops file_ops = {
    .read = file_read,
    .write = file_write,
    .sync = file_sync,
    .drop_cache = file_drop_cache,
    .allocate = file_allocate,
    .size = file_size,
    .close = file_close,
};

enum cx_status sim_file_lock(struct sim_file *file)
{
    struct sim_node *node = file_enter(file);
    enum cx_status status = node != NULL ? CX_OK : CX_UNAVAILABLE;

    if (node != NULL && node->locked && !file->holds_lock) {
        status = CX_ALREADY_EXISTS;
    } else if (node != NULL) {
        node->locked = true;
        file->holds_lock = true;
    }
    return file_leave(file, status);
}

/* ---- The directory. --------------------------------------------------------- */

static struct sim_disk *disk_of(struct cx_disk *base)
{
    return CX_CONTAINER_OF(base, struct sim_disk, base);
}

struct cx_disk *sim_disk_base(struct sim_disk *disk)
{
    return &disk->base;
}

static void pending_naming(struct sim_disk *disk, const char *from, const char *to, size_t node)
{
    struct sim_naming *naming;

    disk->namings = sim_array_add(disk->namings, disk->naming_count, sizeof *disk->namings);
    naming = &disk->namings[disk->naming_count++];
    sim_name_set(naming->from, from);
    sim_name_set(naming->to, to);
    naming->node = node;
    sim_directory_apply(&disk->now, naming);
}

/* Finds or creates the node to open. */
static enum cx_status open_node(struct sim_disk *disk, const char *text, bool create,
                                bool exclusive, size_t *ret_node)
{
    const struct sim_name *name = sim_directory_find(&disk->now, text);
    enum cx_status status;
    bool crash = false;

    if (name != NULL || !create) {
        status = begin(disk);
        if (status == CX_OK && name == NULL) {
            return CX_NOT_FOUND;
        }
        if (status == CX_OK && exclusive) {
            return CX_ALREADY_EXISTS;
        }
        *ret_node = name != NULL ? name->node : 0;
        return status;
    }
    status = begin_change(disk, &crash);
    if (status == CX_OK) {
        *ret_node = sim_node_add(disk);
        pending_naming(disk, "", text, *ret_node);
    }
    return crash ? CX_UNAVAILABLE : status;
}

enum cx_status sim_file_open(struct sim_disk *disk, const char *name, bool create, bool exclusive,
                             struct sim_file **ret_file)
{
    struct sim_file *file;
    size_t node = 0;
    enum cx_status status;

    sim_lock(&disk->mutex);
    if (disk->refused[0] != '\0' && strcmp(name, disk->refused) == 0) {
        status = disk->refused_status;
    } else {
        status = open_node(disk, name, create, exclusive, &node);
    }
    if (status == CX_OK) {
        file = sim_must(calloc(1, sizeof *file));
        *file = (struct sim_file){
            .base.ops = &file_ops, .disk = disk, .node = node, .life = disk->lives};
        *ret_file = file;
    }
    sim_unlock(&disk->mutex);
    return status;
}

static enum cx_status disk_open(struct cx_disk *base, const char *name, enum cx_disk_open how,
                                struct cx_file **ret_file)
{
    struct sim_file *file;
    enum cx_status status = sim_file_open(disk_of(base), name, how != CX_DISK_OPEN_EXISTING,
                                          how == CX_DISK_OPEN_NEW, &file);

    if (status == CX_OK && how == CX_DISK_OPEN_LOCKED) {
        status = sim_file_lock(file);
        if (status != CX_OK) {
            sim_file_close(file);
        }
    }
    if (status == CX_OK) {
        *ret_file = &file->base;
    }
    return status;
}

/* Renames, or removes when `to` is "". */
static enum cx_status change_name(struct cx_disk *base, const char *from, const char *to)
{
    struct sim_disk *disk = disk_of(base);
    enum cx_status status;
    bool crash;

    sim_lock(&disk->mutex);
    status = begin_change(disk, &crash);
    if (status == CX_OK) {
        const struct sim_name *name = sim_directory_find(&disk->now, from);

        if (name == NULL) {
            status = CX_NOT_FOUND;
        } else {
            pending_naming(disk, from, to, name->node);
        }
    }
    sim_unlock(&disk->mutex);
    return crash ? CX_UNAVAILABLE : status;
}

static enum cx_status disk_remove(struct cx_disk *base, const char *name)
{
    return change_name(base, name, "");
}

static enum cx_status disk_sync_directory(struct cx_disk *base)
{
    struct sim_disk *disk = disk_of(base);
    enum cx_status status;
    bool crash;

    sim_lock(&disk->mutex);
    status = begin_change(disk, &crash);
    disk->counts.directory_syncs++;
    if (status == CX_OK && !crash) {
        sim_names_sync(disk);
    }
    sim_unlock(&disk->mutex);
    return crash ? CX_UNAVAILABLE : status;
}

static enum cx_status disk_list(struct cx_disk *base, cx_disk_list_fn each, void *arg)
{
    struct sim_disk *disk = disk_of(base);
    struct sim_directory names = {0};
    enum cx_status status;

    sim_lock(&disk->mutex);
    status = begin(disk);
    if (status == CX_OK) {
        names = sim_directory_copy(&disk->now);
    }
    sim_unlock(&disk->mutex);
    for (size_t i = 0; i < names.count; i++) {
        each(arg, names.names[i].text);
    }
    free(names.names);
    return status;
}

static const struct cx_disk_ops disk_ops = {
    .open = disk_open,
    .rename = change_name,
    .remove = disk_remove,
    .sync_directory = disk_sync_directory,
    .list = disk_list,
};

/* ---- Life, and the switches. ------------------------------------------------ */

struct sim_disk *sim_disk_new(void)
{
    struct sim_disk *disk = sim_must(calloc(1, sizeof *disk));

    disk->base.ops = &disk_ops;
    disk->capacity = UINT64_MAX;
    disk->sync_loss = SIM_SYNC_RETRIED;
    pthread_mutex_init(&disk->mutex, NULL);
    return disk;
}

struct sim_counts sim_disk_counts(const struct sim_disk *disk)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)&disk->mutex;
    struct sim_counts counts;

    sim_lock(mutex);
    counts = disk->counts;
    sim_unlock(mutex);
    return counts;
}

void sim_disk_fail(struct sim_disk *disk, uint64_t nth, enum cx_status status)
{
    sim_lock(&disk->mutex);
    disk->fail_in = nth;
    disk->fail_status = status;
    sim_unlock(&disk->mutex);
}

void sim_disk_set_sync_loss(struct sim_disk *disk, enum sim_sync_loss loss)
{
    sim_lock(&disk->mutex);
    disk->sync_loss = loss;
    sim_unlock(&disk->mutex);
}

void sim_disk_set_capacity(struct sim_disk *disk, uint64_t bytes)
{
    sim_lock(&disk->mutex);
    disk->capacity = bytes;
    sim_unlock(&disk->mutex);
}

void sim_disk_refuse(struct sim_disk *disk, const char *name, enum cx_status status)
{
    sim_lock(&disk->mutex);
    sim_name_set(disk->refused, name != NULL ? name : "");
    disk->refused_status = status;
    sim_unlock(&disk->mutex);
}
