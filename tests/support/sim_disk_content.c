/* What a disk is made of: bytes and directories. */

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/sim_disk_internal.h"

/* ---- Memory. ---------------------------------------------------------------- */

void *sim_must(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

void *sim_copy_of(const void *memory, size_t size)
{
    return size == 0 ? NULL : memcpy(sim_must(malloc(size)), memory, size);
}

void *sim_array_add(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) == 0) {
        array = sim_must(realloc(array, (count == 0 ? 1 : 2 * count) * size));
    }
    memset((uint8_t *)array + count * size, 0, size);
    return array;
}

void *sim_array_copy(const void *array, size_t count, size_t size)
{
    size_t capacity = 1;

    while (capacity < count) {
        capacity *= 2;
    }
    return count == 0 ? NULL : memcpy(sim_must(malloc(capacity * size)), array, count * size);
}

/* ---- Bytes. ----------------------------------------------------------------- */

struct sim_blob {
    atomic_size_t refs;
    size_t capacity;
    uint8_t data[];
};

static struct sim_blob *blob_new(size_t capacity)
{
    struct sim_blob *blob = sim_must(malloc(sizeof *blob + capacity));

    atomic_init(&blob->refs, 1);
    blob->capacity = capacity;
    return blob;
}

static void blob_unref(struct sim_blob *blob)
{
    if (blob != NULL && atomic_fetch_sub(&blob->refs, 1) == 1) {
        free(blob);
    }
}

/* Makes the blob the content's own, and large enough. */
static void content_own(struct sim_content *content, size_t size)
{
    struct sim_blob *own;

    if (content->blob != NULL && content->blob->capacity >= size &&
        atomic_load(&content->blob->refs) == 1) {
        return;
    }
    /* A file that grows once grows again. */
    own = blob_new(size > content->size && content->size > 0 ? 2 * size : size);
    if (content->size > 0) {
        memcpy(own->data, content->blob->data, content->size);
    }
    blob_unref(content->blob);
    content->blob = own;
}

const uint8_t *sim_content_data(const struct sim_content *content)
{
    return content->blob != NULL ? content->blob->data : NULL;
}

void sim_content_grow(struct sim_content *content, size_t size)
{
    if (size > content->size) {
        content_own(content, size);
        memset(content->blob->data + content->size, 0, size - content->size);
        content->size = size;
    }
}

void sim_content_write(struct sim_content *content, uint64_t offset, const uint8_t *data,
                       size_t size)
{
    sim_content_grow(content, offset + size);
    if (size > 0) {
        content_own(content, content->size);
        memcpy(content->blob->data + offset, data, size);
    }
}

struct sim_content sim_content_share(const struct sim_content *content)
{
    if (content->blob != NULL) {
        atomic_fetch_add(&content->blob->refs, 1);
    }
    return *content;
}

void sim_content_done(struct sim_content *content)
{
    blob_unref(content->blob);
    *content = (struct sim_content){0};
}

/* ---- Directories. ----------------------------------------------------------- */

void sim_name_set(char to[SIM_NAME_SIZE], const char *from)
{
    assert(strlen(from) < SIM_NAME_SIZE);
    memset(to, 0, SIM_NAME_SIZE);
    memcpy(to, from, strlen(from));
}

struct sim_name *sim_directory_find(const struct sim_directory *directory, const char *text)
{
    for (size_t i = 0; i < directory->count; i++) {
        if (strcmp(directory->names[i].text, text) == 0) {
            return &directory->names[i];
        }
    }
    return NULL;
}

void sim_directory_drop(struct sim_directory *directory, const char *text)
{
    struct sim_name *name = sim_directory_find(directory, text);

    if (name != NULL) {
        *name = directory->names[--directory->count];
    }
}

void sim_directory_set(struct sim_directory *directory, const char *text, size_t node)
{
    struct sim_name *name = sim_directory_find(directory, text);

    if (name == NULL) {
        /* Not sim_array_add(): names are dropped too, so the count tells no capacity. */
        directory->names =
            sim_must(realloc(directory->names, (directory->count + 1) * sizeof *directory->names));
        name = &directory->names[directory->count++];
    }
    sim_name_set(name->text, text);
    name->node = node;
}

/* A change whose premise did not survive does nothing. */
void sim_directory_apply(struct sim_directory *directory, const struct sim_naming *naming)
{
    if (naming->from[0] != '\0' && sim_directory_find(directory, naming->from) == NULL) {
        return;
    }
    if (naming->from[0] != '\0') {
        sim_directory_drop(directory, naming->from);
    }
    if (naming->to[0] != '\0') {
        sim_directory_set(directory, naming->to, naming->node);
    }
}

struct sim_directory sim_directory_copy(const struct sim_directory *directory)
{
    return (struct sim_directory){
        sim_copy_of(directory->names, directory->count * sizeof *directory->names),
        directory->count};
}

void sim_directory_replace(struct sim_directory *to, const struct sim_directory *from)
{
    free(to->names);
    *to = sim_directory_copy(from);
}

const char *sim_node_name(const struct sim_disk *disk, size_t node)
{
    for (size_t i = 0; i < disk->now.count; i++) {
        if (disk->now.names[i].node == node) {
            return disk->now.names[i].text;
        }
    }
    return "";
}

size_t sim_node_add(struct sim_disk *disk)
{
    disk->nodes = sim_array_add(disk->nodes, disk->node_count, sizeof *disk->nodes);
    return disk->node_count++;
}
