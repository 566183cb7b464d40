/* The simulated disk from inside.
 *
 * What always holds:
 *
 *  (1) A node's `now` is `synced` with the node's unsynced writes in their order, but for
 *      bytes that a failed sync has dropped.
 *  (2) The lost writes of a node are older than its other ones, and each lies within one
 *      page.
 *  (3) No two entries of the history have a byte in common.
 *
 * Threads: everything belongs to the disk's mutex, but what says otherwise. */

#ifndef CX_TESTS_SUPPORT_SIM_DISK_INTERNAL_H
#define CX_TESTS_SUPPORT_SIM_DISK_INTERNAL_H

#include <pthread.h>

#include "tests/support/sim_disk.h"

/* Where the linker has put something in the place of these (--wrap), as a simulation of
 * threads does: the functions themselves. The disk belongs to the machine, not to what is
 * simulated, and nobody else may take a turn while it is at work. */
extern int __real_pthread_mutex_lock(pthread_mutex_t *mutex) __attribute__((weak));
extern int __real_pthread_mutex_unlock(pthread_mutex_t *mutex) __attribute__((weak));

static inline void sim_lock(pthread_mutex_t *mutex)
{
    (__real_pthread_mutex_lock != NULL ? __real_pthread_mutex_lock : pthread_mutex_lock)(mutex);
}

static inline void sim_unlock(pthread_mutex_t *mutex)
{
    (__real_pthread_mutex_unlock != NULL ? __real_pthread_mutex_unlock
                                         : pthread_mutex_unlock)(mutex);
}

enum { SIM_PAGE_SIZE = 4096 }; /* What the kernel caches and writes as one. */

/* ---- Memory. ---------------------------------------------------------------- */

/* Returns `memory`. There is always some. */
void *sim_must(void *memory);
void *sim_copy_of(const void *memory, size_t size);

/* Adds one zeroed element to an array. Its capacity is the next power of two. */
void *sim_array_add(void *array, size_t count, size_t size);
void *sim_array_copy(const void *array, size_t count, size_t size);

/* Bytes that grow, filled with zeros. Copies share the memory until one is written,
 * whichever thread has the other one. */
struct sim_content {
    struct sim_blob *blob; /* NULL: nothing was ever written. */
    size_t size;
};

const uint8_t *sim_content_data(const struct sim_content *content);
void sim_content_grow(struct sim_content *content, size_t size);
void sim_content_write(struct sim_content *content, uint64_t offset, const uint8_t *data,
                       size_t size);
struct sim_content sim_content_share(const struct sim_content *content);
void sim_content_done(struct sim_content *content);

/* ---- What there is. --------------------------------------------------------- */

/* A file without its name. */
struct sim_node {
    struct sim_content now;    /* As programs see it. */
    struct sim_content synced; /* As it surely is after a crash. */
    bool locked;
    bool lossy; /* Some of its writes are lost. */
};

struct sim_name {
    char text[SIM_NAME_SIZE];
    size_t node;
};

struct sim_directory {
    struct sim_name *names;
    size_t count;
};

/* A write, or (without bytes) a growth to offset. */
struct sim_write {
    size_t node;
    uint64_t offset;
    struct sim_content data;
    bool lost;
};

/* From "" to a name: a creation. From a name to "": a removal. */
struct sim_naming {
    char from[SIM_NAME_SIZE];
    char to[SIM_NAME_SIZE];
    size_t node;
};

/* Bytes of a node that are durable, and what was there before them. */
struct sim_entry {
    size_t node;
    uint64_t offset;
    struct sim_content before;
    uint64_t sync;
};

struct sim_disk {
    struct cx_disk base;
    pthread_mutex_t mutex;

    struct sim_node *nodes;
    size_t node_count;
    struct sim_directory now;
    struct sim_directory synced;
    struct sim_write *writes; /* Not synced, in order. */
    size_t write_count;
    struct sim_naming *namings; /* Not synced, in order. */
    size_t naming_count;

    bool keeps_history;
    struct sim_entry *entries; /* In the order of syncs. */
    size_t entry_count;
    uint64_t syncs; /* And restarts. */

    struct sim_counts counts;
    uint64_t capacity;
    uint64_t fail_in; /* Operations until one fails. 0: none will. */
    enum cx_status fail_status;
    enum sim_sync_loss sync_loss;
    uint64_t crash_in; /* Changes until the power goes. */
    bool crashed;
    char refused[SIM_NAME_SIZE];
    enum cx_status refused_status;
    uint64_t lives; /* An open file remembers in which of them it was opened. */
};

void sim_name_set(char to[SIM_NAME_SIZE], const char *from);
struct sim_name *sim_directory_find(const struct sim_directory *directory, const char *text);
void sim_directory_drop(struct sim_directory *directory, const char *text);
void sim_directory_set(struct sim_directory *directory, const char *text, size_t node);
void sim_directory_apply(struct sim_directory *directory, const struct sim_naming *naming);
void sim_directory_replace(struct sim_directory *to, const struct sim_directory *from);
struct sim_directory sim_directory_copy(const struct sim_directory *directory);

/* A node's name now, or "". */
const char *sim_node_name(const struct sim_disk *disk, size_t node);
size_t sim_node_add(struct sim_disk *disk);

/* ---- What becomes durable. -------------------------------------------------- */

void sim_node_write(struct sim_disk *disk, size_t node, uint64_t offset, struct cx_bytes bytes);

/* Makes what was written to the node durable, but for what is lost. */
void sim_node_sync(struct sim_disk *disk, size_t node);

/* What a sync of the node leaves that has failed. */
void sim_node_lose(struct sim_disk *disk, size_t node, enum sim_sync_loss loss);

/* Forgets what a failed sync has kept: reads give what is durable, and what is to be. */
void sim_node_drop_cache(struct sim_disk *disk, size_t node);

/* Makes every creation, renaming and removal durable. */
void sim_names_sync(struct sim_disk *disk);

/* Bytes of a node become durable, by the sync that has the number disk->syncs. */
void sim_durable_write(struct sim_disk *disk, size_t node, uint64_t offset, const uint8_t *data,
                       size_t size);
void sim_history_forget_unnamed(struct sim_disk *disk);
void sim_history_free(struct sim_disk *disk);
void sim_history_copy(struct sim_disk *to, const struct sim_disk *from);

/* ---- Files, for sim_posix.c. These take the mutex. --------------------------- */

struct sim_file;

/* Like open() of disk.h, but for the lock. */
enum cx_status sim_file_open(struct sim_disk *disk, const char *name, bool create, bool exclusive,
                             struct sim_file **ret_file);
void sim_file_close(struct sim_file *file);
struct cx_file *sim_file_base(struct sim_file *file);

/* CX_ALREADY_EXISTS when it is locked already. */
enum cx_status sim_file_lock(struct sim_file *file);

/* Like write() of disk.h. *ret_done, also set on failure, is how much was written. */
enum cx_status sim_file_write(struct sim_file *file, uint64_t offset, struct cx_bytes bytes,
                              size_t *ret_done);

/* A sync that fails. CX_UNAVAILABLE without power. */
enum cx_status sim_file_fail_sync(struct sim_file *file, enum sim_sync_loss loss);

#endif /* CX_TESTS_SUPPORT_SIM_DISK_INTERNAL_H */
