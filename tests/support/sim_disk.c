#include "tests/support/sim_disk.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/container_of.h"

enum { NAME_SIZE = 64 };

/* Bytes that grow, filled with zeros. */
struct content {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* A file without its name. */
struct node {
    struct content now;    /* As programs see it. */
    struct content synced; /* As it surely is after a crash. */
    bool locked;
};

struct name {
    char text[NAME_SIZE];
    size_t node;
};

struct directory {
    struct name *names;
    size_t count;
};

/* A write, or (without bytes) a growth to offset. */
struct write {
    size_t node;
    uint64_t offset;
    uint8_t *data;
    size_t size;
};

/* From "" to a name: a creation. From a name to "": a removal. */
struct naming {
    char from[NAME_SIZE];
    char to[NAME_SIZE];
    size_t node;
};

struct sim_disk {
    struct cx_disk base;
    pthread_mutex_t mutex;

    struct node *nodes;
    size_t node_count;
    struct directory now;
    struct directory synced;
    struct write *writes; /* Not synced, in order. */
    size_t write_count;
    struct naming *namings; /* Not synced, in order. */
    size_t naming_count;

    struct sim_counts counts;
    uint64_t capacity;
    uint64_t fail_in; /* Operations until one fails. 0: none will. */
    enum cx_status fail_status;
    uint64_t crash_in; /* Changes until the power goes. */
    bool crashed;
    char refused[NAME_SIZE];
    enum cx_status refused_status;
    uint64_t power_ons; /* An open file remembers in which of them it was opened. */
};

struct sim_file {
    struct cx_file base;
    struct sim_disk *disk;
    size_t node;
    uint64_t power_on;
    bool holds_lock;
};

/* ---- Memory and bytes. ------------------------------------------------------ */

static void *must(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static void *copy_of(const void *memory, size_t size)
{
    return size == 0 ? NULL : memcpy(must(malloc(size)), memory, size);
}

/* Adds one zeroed element to an array. Its capacity is the next power of two. */
static void *array_add(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) == 0) {
        array = must(realloc(array, (count == 0 ? 1 : 2 * count) * size));
    }
    memset((uint8_t *)array + count * size, 0, size);
    return array;
}

static void *array_copy(const void *array, size_t count, size_t size)
{
    size_t capacity = 1;

    while (capacity < count) {
        capacity *= 2;
    }
    return count == 0 ? NULL : memcpy(must(malloc(capacity * size)), array, count * size);
}

static void content_grow(struct content *content, size_t size)
{
    if (size > content->capacity) {
        content->capacity = 2 * size;
        content->data = must(realloc(content->data, content->capacity));
    }
    if (size > content->size) {
        memset(content->data + content->size, 0, size - content->size);
        content->size = size;
    }
}

static void content_write(struct content *content, uint64_t offset, const uint8_t *data,
                          size_t size)
{
    content_grow(content, offset + size);
    if (size > 0) {
        memcpy(content->data + offset, data, size);
    }
}

static struct content content_copy(const struct content *content)
{
    return (struct content){copy_of(content->data, content->size), content->size, content->size};
}

static void name_set(char to[NAME_SIZE], const char *from)
{
    assert(strlen(from) < NAME_SIZE);
    memset(to, 0, NAME_SIZE);
    memcpy(to, from, strlen(from));
}

/* ---- Directories. ----------------------------------------------------------- */

static struct name *directory_find(const struct directory *directory, const char *text)
{
    for (size_t i = 0; i < directory->count; i++) {
        if (strcmp(directory->names[i].text, text) == 0) {
            return &directory->names[i];
        }
    }
    return NULL;
}

static void directory_drop(struct directory *directory, const char *text)
{
    struct name *name = directory_find(directory, text);

    if (name != NULL) {
        *name = directory->names[--directory->count];
    }
}

static void directory_set(struct directory *directory, const char *text, size_t node)
{
    struct name *name = directory_find(directory, text);

    if (name == NULL) {
        /* Not array_add(): names are dropped too, so the count tells no capacity. */
        directory->names =
            must(realloc(directory->names, (directory->count + 1) * sizeof *directory->names));
        name = &directory->names[directory->count++];
    }
    name_set(name->text, text);
    name->node = node;
}

/* A change whose premise did not survive does nothing. */
static void directory_apply(struct directory *directory, const struct naming *naming)
{
    if (naming->from[0] != '\0' && directory_find(directory, naming->from) == NULL) {
        return;
    }
    if (naming->from[0] != '\0') {
        directory_drop(directory, naming->from);
    }
    if (naming->to[0] != '\0') {
        directory_set(directory, naming->to, naming->node);
    }
}

static struct directory directory_copy(const struct directory *directory)
{
    return (struct directory){
        copy_of(directory->names, directory->count * sizeof *directory->names), directory->count};
}

static void directory_replace(struct directory *to, const struct directory *from)
{
    free(to->names);
    *to = directory_copy(from);
}

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
static uint64_t size_possible(const struct sim_disk *disk, const struct node *node, uint64_t wanted)
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

/* Locks the disk and returns the file's node, NULL when the power went since it was
 * opened. */
static struct node *file_enter(struct sim_file *file)
{
    pthread_mutex_lock(&file->disk->mutex);
    return file->power_on == file->disk->power_ons ? &file->disk->nodes[file->node] : NULL;
}

static enum cx_status file_leave(struct sim_file *file, enum cx_status status)
{
    pthread_mutex_unlock(&file->disk->mutex);
    return status;
}

static enum cx_status file_read(struct cx_file *base, uint64_t offset, void *memory, size_t size,
                                size_t *ret_size)
{
    struct sim_file *file = file_of(base);
    struct node *node = file_enter(file);
    enum cx_status status = node != NULL ? begin(file->disk) : CX_UNAVAILABLE;

    if (status == CX_OK) {
        size_t left = offset < node->now.size ? node->now.size - offset : 0;
        size_t count = size < left ? size : left;

        if (count > 0) {
            memcpy(memory, node->now.data + offset, count);
        }
        file->disk->counts.reads++;
        file->disk->counts.bytes_read += count;
        *ret_size = count;
    }
    return file_leave(file, status);
}

static void pending_write(struct sim_disk *disk, size_t node, uint64_t offset,
                          struct cx_bytes bytes)
{
    disk->writes = array_add(disk->writes, disk->write_count, sizeof *disk->writes);
    disk->writes[disk->write_count++] =
        (struct write){node, offset, copy_of(bytes.data, bytes.size), bytes.size};
    content_write(&disk->nodes[node].now, offset, bytes.data, bytes.size);
}

static enum cx_status file_write(struct cx_file *base, uint64_t offset, struct cx_bytes bytes)
{
    struct sim_file *file = file_of(base);
    struct node *node = file_enter(file);
    bool crash = false;
    enum cx_status status = node != NULL ? begin_change(file->disk, &crash) : CX_UNAVAILABLE;

    if (status == CX_OK) {
        uint64_t end = size_possible(file->disk, node, offset + bytes.size);
        size_t size = end < offset + bytes.size ? (end > offset ? end - offset : 0) : bytes.size;

        pending_write(file->disk, file->node, offset, (struct cx_bytes){bytes.data, size});
        file->disk->counts.writes++;
        file->disk->counts.bytes_written += size;
        status = crash ? CX_UNAVAILABLE : size < bytes.size ? CX_RESOURCE_EXHAUSTED : CX_OK;
    }
    return file_leave(file, status);
}

/* What was written to the node becomes durable, and the list shorter. */
static void node_sync(struct sim_disk *disk, size_t node)
{
    size_t kept = 0;

    for (size_t i = 0; i < disk->write_count; i++) {
        struct write *write = &disk->writes[i];

        if (write->node != node) {
            disk->writes[kept++] = *write;
            continue;
        }
        content_write(&disk->nodes[node].synced, write->offset, write->data, write->size);
        free(write->data);
    }
    /* The array keeps the capacity that its new count stands for. */
    struct write *rest = array_copy(disk->writes, kept, sizeof *rest);
    free(disk->writes);
    disk->writes = rest;
    disk->write_count = kept;
}

static enum cx_status file_sync(struct cx_file *base)
{
    struct sim_file *file = file_of(base);
    struct node *node = file_enter(file);
    bool crash = false;
    enum cx_status status = node != NULL ? begin_change(file->disk, &crash) : CX_UNAVAILABLE;

    file->disk->counts.syncs++;
    if (status == CX_OK && !crash) {
        node_sync(file->disk, file->node);
    }
    return file_leave(file, crash ? CX_UNAVAILABLE : status);
}

static enum cx_status file_allocate(struct cx_file *base, uint64_t size)
{
    struct sim_file *file = file_of(base);
    struct node *node = file_enter(file);
    bool crash = false;
    enum cx_status status = node != NULL ? begin_change(file->disk, &crash) : CX_UNAVAILABLE;

    if (status == CX_OK && !crash && size > node->now.size) {
        if (size_possible(file->disk, node, size) < size) {
            status = CX_RESOURCE_EXHAUSTED;
        } else {
            pending_write(file->disk, file->node, size, (struct cx_bytes){0});
        }
    }
    return file_leave(file, crash ? CX_UNAVAILABLE : status);
}

static enum cx_status file_size(struct cx_file *base, uint64_t *ret_size)
{
    struct sim_file *file = file_of(base);
    struct node *node = file_enter(file);
    enum cx_status status = node != NULL ? begin(file->disk) : CX_UNAVAILABLE;

    if (status == CX_OK) {
        *ret_size = node->now.size;
    }
    return file_leave(file, status);
}

static void file_close(struct cx_file *base)
{
    struct sim_file *file = file_of(base);
    struct node *node = file_enter(file);

    if (node != NULL && file->holds_lock) {
        node->locked = false;
    }
    file_leave(file, CX_OK);
    free(file);
}

static const struct cx_file_ops file_ops = {
    .read = file_read,
    .write = file_write,
    .sync = file_sync,
    .allocate = file_allocate,
    .size = file_size,
    .close = file_close,
};

/* ---- The directory. --------------------------------------------------------- */

static struct sim_disk *disk_of(struct cx_disk *base)
{
    return CX_CONTAINER_OF(base, struct sim_disk, base);
}

static void pending_naming(struct sim_disk *disk, const char *from, const char *to, size_t node)
{
    struct naming *naming;

    disk->namings = array_add(disk->namings, disk->naming_count, sizeof *disk->namings);
    naming = &disk->namings[disk->naming_count++];
    name_set(naming->from, from);
    name_set(naming->to, to);
    naming->node = node;
    directory_apply(&disk->now, naming);
}

static size_t node_add(struct sim_disk *disk)
{
    disk->nodes = array_add(disk->nodes, disk->node_count, sizeof *disk->nodes);
    return disk->node_count++;
}

/* Finds or creates the node to open. */
static enum cx_status open_node(struct sim_disk *disk, const char *text, enum cx_disk_open how,
                                size_t *ret_node)
{
    const struct name *name = directory_find(&disk->now, text);
    enum cx_status status;
    bool crash = false;

    if (name != NULL || how == CX_DISK_OPEN_EXISTING) {
        status = begin(disk);
        if (status == CX_OK && name == NULL) {
            return CX_NOT_FOUND;
        }
        if (status == CX_OK && how == CX_DISK_OPEN_NEW) {
            return CX_ALREADY_EXISTS;
        }
        *ret_node = name != NULL ? name->node : 0;
        return status;
    }
    status = begin_change(disk, &crash);
    if (status == CX_OK) {
        *ret_node = node_add(disk);
        pending_naming(disk, "", text, *ret_node);
    }
    return crash ? CX_UNAVAILABLE : status;
}

static enum cx_status open_locked(struct sim_disk *disk, const char *name, enum cx_disk_open how,
                                  struct cx_file **ret_file)
{
    struct sim_file *file;
    size_t node;
    enum cx_status status;

    if (disk->refused[0] != '\0' && strcmp(name, disk->refused) == 0) {
        return disk->refused_status;
    }
    status = open_node(disk, name, how, &node);
    if (status != CX_OK) {
        return status;
    }
    if (how == CX_DISK_OPEN_LOCKED && disk->nodes[node].locked) {
        return CX_ALREADY_EXISTS;
    }
    file = must(calloc(1, sizeof *file));
    *file = (struct sim_file){.base.ops = &file_ops,
                              .disk = disk,
                              .node = node,
                              .power_on = disk->power_ons,
                              .holds_lock = how == CX_DISK_OPEN_LOCKED};
    disk->nodes[node].locked |= file->holds_lock;
    *ret_file = &file->base;
    return CX_OK;
}

static enum cx_status disk_open(struct cx_disk *base, const char *name, enum cx_disk_open how,
                                struct cx_file **ret_file)
{
    struct sim_disk *disk = disk_of(base);
    enum cx_status status;

    pthread_mutex_lock(&disk->mutex);
    status = open_locked(disk, name, how, ret_file);
    pthread_mutex_unlock(&disk->mutex);
    return status;
}

/* Renames, or removes when `to` is "". */
static enum cx_status change_name(struct cx_disk *base, const char *from, const char *to)
{
    struct sim_disk *disk = disk_of(base);
    enum cx_status status;
    bool crash;

    pthread_mutex_lock(&disk->mutex);
    status = begin_change(disk, &crash);
    if (status == CX_OK) {
        const struct name *name = directory_find(&disk->now, from);

        if (name == NULL) {
            status = CX_NOT_FOUND;
        } else {
            pending_naming(disk, from, to, name->node);
        }
    }
    pthread_mutex_unlock(&disk->mutex);
    return crash ? CX_UNAVAILABLE : status;
}

static enum cx_status disk_remove(struct cx_disk *base, const char *name)
{
    return change_name(base, name, "");
}

static void names_sync(struct sim_disk *disk)
{
    directory_replace(&disk->synced, &disk->now);
    free(disk->namings);
    disk->namings = NULL;
    disk->naming_count = 0;
}

static enum cx_status disk_sync_directory(struct cx_disk *base)
{
    struct sim_disk *disk = disk_of(base);
    enum cx_status status;
    bool crash;

    pthread_mutex_lock(&disk->mutex);
    status = begin_change(disk, &crash);
    disk->counts.directory_syncs++;
    if (status == CX_OK && !crash) {
        names_sync(disk);
    }
    pthread_mutex_unlock(&disk->mutex);
    return crash ? CX_UNAVAILABLE : status;
}

static enum cx_status disk_list(struct cx_disk *base, cx_disk_list_fn each, void *arg)
{
    struct sim_disk *disk = disk_of(base);
    enum cx_status status;

    pthread_mutex_lock(&disk->mutex);
    status = begin(disk);
    for (size_t i = 0; i < disk->now.count && status == CX_OK; i++) {
        each(arg, disk->now.names[i].text);
    }
    pthread_mutex_unlock(&disk->mutex);
    return status;
}

static const struct cx_disk_ops disk_ops = {
    .open = disk_open,
    .rename = change_name,
    .remove = disk_remove,
    .sync_directory = disk_sync_directory,
    .list = disk_list,
};

/* ---- Life and crash. -------------------------------------------------------- */

struct sim_disk *sim_disk_new(void)
{
    struct sim_disk *disk = must(calloc(1, sizeof *disk));

    disk->base.ops = &disk_ops;
    disk->capacity = UINT64_MAX;
    pthread_mutex_init(&disk->mutex, NULL);
    return disk;
}

static void writes_free(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->write_count; i++) {
        free(disk->writes[i].data);
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
    for (size_t i = 0; i < disk->node_count; i++) {
        free(disk->nodes[i].now.data);
        free(disk->nodes[i].synced.data);
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

    copy->nodes = array_copy(disk->nodes, disk->node_count, sizeof *disk->nodes);
    copy->node_count = disk->node_count;
    for (size_t i = 0; i < disk->node_count; i++) {
        copy->nodes[i].now = content_copy(&disk->nodes[i].now);
        copy->nodes[i].synced = content_copy(&disk->nodes[i].synced);
        copy->nodes[i].locked = false;
    }
    copy->writes = array_copy(disk->writes, disk->write_count, sizeof *disk->writes);
    copy->write_count = disk->write_count;
    for (size_t i = 0; i < disk->write_count; i++) {
        copy->writes[i].data = copy_of(disk->writes[i].data, disk->writes[i].size);
    }
    copy->now = directory_copy(&disk->now);
    copy->synced = directory_copy(&disk->synced);
    copy->namings = array_copy(disk->namings, disk->naming_count, sizeof *disk->namings);
    copy->naming_count = disk->naming_count;
    copy->capacity = disk->capacity;
    copy->crashed = disk->crashed;
    return copy;
}

/* Makes the pieces of a write that survive durable. */
static void write_survive(struct sim_disk *disk, size_t index, const struct sim_survival *survival)
{
    const struct write *write = &disk->writes[index];
    struct content *synced = &disk->nodes[write->node].synced;
    uint64_t end = write->offset + write->size;
    uint64_t first = write->offset / survival->piece_size;
    uint64_t last = write->size == 0 ? first : (end - 1) / survival->piece_size;

    for (uint64_t piece = first; piece <= last; piece++) {
        uint64_t from = piece * survival->piece_size;
        uint64_t to = from + survival->piece_size;

        from = from < write->offset ? write->offset : from;
        to = to > end ? end : to;
        if (survival->piece(survival->arg, index, disk->write_count, piece - first,
                            last - first + 1)) {
            content_write(synced, from, write->data + (from - write->offset), to - from);
        }
    }
}

void sim_disk_restart(struct sim_disk *disk, const struct sim_survival *survival)
{
    assert(survival->piece == NULL || survival->piece_size > 0);
    for (size_t i = 0; i < disk->write_count && survival->piece != NULL; i++) {
        write_survive(disk, i, survival);
    }
    for (size_t i = 0; i < disk->naming_count && survival->name != NULL; i++) {
        if (survival->name(survival->arg, i, disk->naming_count)) {
            directory_apply(&disk->synced, &disk->namings[i]);
        }
    }
    writes_free(disk);
    for (size_t i = 0; i < disk->node_count; i++) {
        free(disk->nodes[i].now.data);
        disk->nodes[i].now = content_copy(&disk->nodes[i].synced);
        disk->nodes[i].locked = false;
    }
    directory_replace(&disk->now, &disk->synced);
    names_sync(disk);
    disk->fail_in = 0;
    disk->crash_in = 0;
    disk->crashed = false;
    disk->power_ons++;
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

/* ---- What tests do and ask. ------------------------------------------------- */

struct cx_disk *sim_disk_base(struct sim_disk *disk)
{
    return &disk->base;
}

struct sim_counts sim_disk_counts(const struct sim_disk *disk)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)&disk->mutex;
    struct sim_counts counts;

    pthread_mutex_lock(mutex);
    counts = disk->counts;
    pthread_mutex_unlock(mutex);
    return counts;
}

void sim_disk_fail(struct sim_disk *disk, uint64_t nth, enum cx_status status)
{
    pthread_mutex_lock(&disk->mutex);
    disk->fail_in = nth;
    disk->fail_status = status;
    pthread_mutex_unlock(&disk->mutex);
}

void sim_disk_crash(struct sim_disk *disk, uint64_t nth)
{
    pthread_mutex_lock(&disk->mutex);
    disk->crash_in = nth;
    pthread_mutex_unlock(&disk->mutex);
}

bool sim_disk_crashed(const struct sim_disk *disk)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)&disk->mutex;
    bool crashed;

    pthread_mutex_lock(mutex);
    crashed = disk->crashed;
    pthread_mutex_unlock(mutex);
    return crashed;
}

void sim_disk_set_capacity(struct sim_disk *disk, uint64_t bytes)
{
    pthread_mutex_lock(&disk->mutex);
    disk->capacity = bytes;
    pthread_mutex_unlock(&disk->mutex);
}

void sim_disk_refuse(struct sim_disk *disk, const char *name, enum cx_status status)
{
    name_set(disk->refused, name != NULL ? name : "");
    disk->refused_status = status;
}

size_t sim_disk_pending(const struct sim_disk *disk)
{
    return disk->write_count;
}

size_t sim_disk_pending_size(const struct sim_disk *disk, size_t index)
{
    assert(index < disk->write_count);
    return disk->writes[index].size;
}

const uint8_t *sim_disk_content(const struct sim_disk *disk, const char *name, size_t *ret_size)
{
    const struct name *found = directory_find(&disk->now, name);

    if (found == NULL) {
        return NULL;
    }
    *ret_size = disk->nodes[found->node].now.size;
    return disk->nodes[found->node].now.data;
}

static size_t node_of(const struct sim_disk *disk, const char *name)
{
    const struct name *found = directory_find(&disk->now, name);

    assert(found != NULL);
    return found->node;
}

void sim_disk_damage(struct sim_disk *disk, const char *name, uint64_t offset,
                     struct cx_bytes bytes)
{
    struct node *node = &disk->nodes[node_of(disk, name)];

    assert(offset + bytes.size <= node->now.size && node->now.size == node->synced.size);
    content_write(&node->now, offset, bytes.data, bytes.size);
    content_write(&node->synced, offset, bytes.data, bytes.size);
}

void sim_disk_put(struct sim_disk *disk, const char *name, struct cx_bytes content)
{
    size_t node = node_add(disk);

    content_write(&disk->nodes[node].now, 0, content.data, content.size);
    content_write(&disk->nodes[node].synced, 0, content.data, content.size);
    directory_set(&disk->now, name, node);
    directory_set(&disk->synced, name, node);
}

void sim_disk_remove(struct sim_disk *disk, const char *name)
{
    node_of(disk, name);
    directory_drop(&disk->now, name);
    directory_drop(&disk->synced, name);
}

void sim_disk_rename(struct sim_disk *disk, const char *from, const char *to)
{
    size_t node = node_of(disk, from);

    sim_disk_remove(disk, from);
    directory_set(&disk->now, to, node);
    directory_set(&disk->synced, to, node);
}

size_t sim_disk_file_count(const struct sim_disk *disk)
{
    return disk->now.count;
}
