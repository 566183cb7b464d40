/* A disk in memory that fails, fills up and loses power on demand.
 *
 * What always holds:
 *
 *  (1) It does what core/base/disk.h promises, and nothing more: what was not synced,
 *      be it bytes or names, survives a crash only as far as the test chooses.
 *  (2) It is deterministic: the same calls and choices give the same bytes.
 *  (3) A file that was open when the power went can only be closed.
 *
 * The memory is not that of core/: tests that make allocations fail do not hit it.
 * Threads: any; everything happens under one mutex. */

#ifndef CX_TESTS_SUPPORT_SIM_DISK_H
#define CX_TESTS_SUPPORT_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/disk.h"

struct sim_disk;

/* How often the functions of disk.h were called, but for close(). */
struct sim_counts {
    uint64_t operations; /* All. */
    uint64_t changes;    /* Those that change the disk or make changes durable. */
    uint64_t reads;
    uint64_t writes;
    uint64_t syncs;
    uint64_t directory_syncs;
    uint64_t bytes_read;
    uint64_t bytes_written;
};

/* What survives a crash of all that was not synced. Changes are numbered from the
 * oldest; `count` is how many there are. NULL functions let nothing survive. */
struct sim_survival {
    void *arg;

    /* Writes survive in pieces, none of which crosses a multiple of this in the file:
     * 512 for sectors, 1 for bytes. */
    size_t piece_size;
    bool (*piece)(void *arg, size_t write, size_t count, size_t piece, size_t piece_count);

    /* A creation, renaming or removal. */
    bool (*name)(void *arg, size_t change, size_t count);
};

extern const struct sim_survival sim_survive_all;
extern const struct sim_survival sim_survive_none;

struct sim_disk *sim_disk_new(void);
void sim_disk_free(struct sim_disk *disk);

/* A disk of the same content, including what is not synced. Files are not open in it,
 * and no failures lie ahead. */
struct sim_disk *sim_disk_copy(const struct sim_disk *disk);

struct cx_disk *sim_disk_base(struct sim_disk *disk);
struct sim_counts sim_disk_counts(const struct sim_disk *disk);

/* Makes the nth operation from now fail with `status`, once. 0: none. */
void sim_disk_fail(struct sim_disk *disk, uint64_t nth, enum cx_status status);

/* Lets the power go in the nth change from now, which still counts as begun: a write may
 * survive. It and every operation behind it fail with CX_UNAVAILABLE. 0: never. */
void sim_disk_crash(struct sim_disk *disk, uint64_t nth);
bool sim_disk_crashed(const struct sim_disk *disk);

/* Gives the power back, if it was gone or not. What was not synced is gone, or durable,
 * as `survival` chooses; locks are free. */
void sim_disk_restart(struct sim_disk *disk, const struct sim_survival *survival);

/* The bytes that the files may take up together. Begins without a limit. */
void sim_disk_set_capacity(struct sim_disk *disk, uint64_t bytes);

/* Refuses to open this file, with `status`. NULL: none. */
void sim_disk_refuse(struct sim_disk *disk, const char *name, enum cx_status status);

/* The unsynced writes, oldest first: how many, and the size of one. */
size_t sim_disk_pending(const struct sim_disk *disk);
size_t sim_disk_pending_size(const struct sim_disk *disk, size_t index);

/* The content of a file, synced or not; NULL when there is none. Valid until the disk
 * changes. */
const uint8_t *sim_disk_content(const struct sim_disk *disk, const char *name, size_t *ret_size);

/* Changes bytes as a failing medium does: at once and for good. The file exists. */
void sim_disk_damage(struct sim_disk *disk, const char *name, uint64_t offset,
                     struct cx_bytes bytes);

/* Creates or replaces a whole file, for good. */
void sim_disk_put(struct sim_disk *disk, const char *name, struct cx_bytes content);

/* Removes or renames a file for good. It exists. */
void sim_disk_remove(struct sim_disk *disk, const char *name);
void sim_disk_rename(struct sim_disk *disk, const char *from, const char *to);

/* How many files there are. */
size_t sim_disk_file_count(const struct sim_disk *disk);

#endif /* CX_TESTS_SUPPORT_SIM_DISK_H */
