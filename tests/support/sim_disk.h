/* A disk in memory that fails, fills up, lies and loses power on demand.
 *
 * What always holds:
 *
 *  (1) It does what core/base/disk.h promises, and nothing more: what was not synced,
 *      be it bytes or names, survives a crash only as far as the test chooses.
 *  (2) It is deterministic: the same calls and choices give the same bytes.
 *  (3) A file that was open when the power went, or when its process was killed, can
 *      only be closed.
 *
 * What may survive of what was not synced, in every combination:
 *
 *  - each piece of each write, on its own. Of pieces that overlap, the newest of the
 *    survivors is what is read. A file ends where the last piece does that survived,
 *    or a growth; what lies in between is zeros.
 *  - each growth of a file that came of setting room aside, on its own.
 *  - each creation, renaming and removal, on its own and in their order; one whose name
 *    is not there, because the change that made it did not survive, does nothing. A
 *    renaming happens whole. A file whose name did not survive is gone.
 *
 * File systems keep some of this together (journals keep the order of names, and two
 * writes to one sector reach it in their order), so what the core can bear here, it can
 * bear there. A test that wants to know what one file system does leaves combinations out.
 *
 * The memory is not that of core/: tests that make allocations fail do not hit it.
 * Threads: any; everything happens under one mutex, which no call-back is called under
 * but those of struct sim_survival. */

#ifndef CX_TESTS_SUPPORT_SIM_DISK_H
#define CX_TESTS_SUPPORT_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/disk.h"

struct sim_disk;

enum { SIM_NAME_SIZE = 64 }; /* Of a file's name with its NUL. */

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

struct sim_disk *sim_disk_new(void);
void sim_disk_free(struct sim_disk *disk);

/* A disk of the same content and history, including what is not synced. Files are not
 * open in it, and no failures lie ahead. Costs little until one of the two is written. */
struct sim_disk *sim_disk_copy(const struct sim_disk *disk);

struct cx_disk *sim_disk_base(struct sim_disk *disk);
struct sim_counts sim_disk_counts(const struct sim_disk *disk);

/* ---- Failing. --------------------------------------------------------------- */

/* What becomes of what a failed sync could not write. Of what is still read, any part may
 * have reached the disk: a crash shows it. */
enum sim_sync_loss {
    SIM_SYNC_RETRIED, /* Nothing: the next sync writes it. */
    SIM_SYNC_KEPT,    /* It is read until the cache is dropped, but no later sync writes it,
                         unless its page is written again (ext4, XFS). */
    SIM_SYNC_DROPPED, /* Reads give what was there before, and zeros where the file has
                         grown (Btrfs). */
};

/* Makes the nth operation from now fail with `status`, once. 0: none. */
void sim_disk_fail(struct sim_disk *disk, uint64_t nth, enum cx_status status);

/* Which of them it is when the operation is a file's sync. Begins as SIM_SYNC_RETRIED. */
void sim_disk_set_sync_loss(struct sim_disk *disk, enum sim_sync_loss loss);

/* The bytes that the files may take up together. Begins without a limit. */
void sim_disk_set_capacity(struct sim_disk *disk, uint64_t bytes);

/* Refuses to open this file, with `status`. NULL: none. */
void sim_disk_refuse(struct sim_disk *disk, const char *name, enum cx_status status);

/* ---- Crashing. -------------------------------------------------------------- */

/* What survives a crash of all that was not synced. Changes are numbered from the
 * oldest; `count` is how many there are. NULL functions let nothing survive. */
struct sim_survival {
    void *arg;

    /* Writes survive in pieces, none of which crosses a multiple of this in the file:
     * 512 for sectors, 4096 for pages, 1 for bytes. A growth is one piece. */
    size_t piece_size;
    bool (*piece)(void *arg, size_t write, size_t count, size_t piece, size_t piece_count);

    /* A creation, renaming or removal. */
    bool (*name)(void *arg, size_t change, size_t count);
};

extern const struct sim_survival sim_survive_all;
extern const struct sim_survival sim_survive_none;

/* Lets the power go in the nth change from now, which still counts as begun: a write may
 * survive. It and every operation behind it fail with CX_UNAVAILABLE. 0: never. */
void sim_disk_crash(struct sim_disk *disk, uint64_t nth);

/* Lets the power go now. Every operation fails with CX_UNAVAILABLE. */
void sim_disk_power_off(struct sim_disk *disk);
bool sim_disk_crashed(const struct sim_disk *disk);

/* Gives the power back, if it was gone or not. What was not synced is gone, or durable,
 * as `survival` chooses; locks are free. */
void sim_disk_restart(struct sim_disk *disk, const struct sim_survival *survival);

/* Ends the processes that have files open, without a word. Locks are free; what was
 * written and not synced is read as before, and still not synced. */
void sim_disk_kill(struct sim_disk *disk);

/* A write that is not synced, or a growth, whose size is 0. */
struct sim_pending {
    char name[SIM_NAME_SIZE]; /* Of its file now; "" when it has none any more. */
    uint64_t offset;          /* Of a growth: the size it gives the file. */
    size_t size;
    bool lost; /* A failed sync has kept it: see SIM_SYNC_KEPT. */
};

/* The unsynced writes, oldest first: how many, one, and the size of one. */
size_t sim_disk_pending(const struct sim_disk *disk);
struct sim_pending sim_disk_pending_at(const struct sim_disk *disk, size_t index);
size_t sim_disk_pending_size(const struct sim_disk *disk, size_t index);

/* The unsynced creations, renamings and removals. */
size_t sim_disk_pending_names(const struct sim_disk *disk);

/* ---- Damage. ---------------------------------------------------------------- */

/* Changes bytes as a failing medium does: at once and for good. They are in the file. */
void sim_disk_damage(struct sim_disk *disk, const char *name, uint64_t offset,
                     struct cx_bytes bytes);

/* Flips the bits of `mask` in one byte. */
void sim_disk_flip(struct sim_disk *disk, const char *name, uint64_t offset, uint8_t mask);

/* Bytes that are durable by one write, as far as no later one has replaced them. */
struct sim_durable {
    char name[SIM_NAME_SIZE]; /* Of their file now. */
    uint64_t offset;
    size_t size;
    uint64_t sync; /* Which sync of any file made them durable, counted from 1. A restart
                      counts as one, for what survived it. */
};

/* Keeps the history of durable writes from now on. Costs the memory of what they
 * replaced. */
void sim_disk_keep_history(struct sim_disk *disk);

/* The history: oldest sync first. Growths and damage are not in it. */
size_t sim_disk_durable(const struct sim_disk *disk);
struct sim_durable sim_disk_durable_at(const struct sim_disk *disk, size_t index);

/* How many syncs there were: what is durable now and was not before the next one gets a
 * larger number. */
uint64_t sim_disk_syncs(const struct sim_disk *disk);

/* Turns a durable write of a file that has a name into one that went astray: where it
 * belongs is again what was there before it, and its bytes are at `offset` of `name`, as
 * far as that file goes. Only when there are no unsynced writes, as after a restart. */
void sim_disk_misdirect(struct sim_disk *disk, size_t index, const char *name, uint64_t offset);

/* ---- Content. --------------------------------------------------------------- */

/* The content of a file, synced or not; NULL when there is none. Valid until the disk
 * changes. */
const uint8_t *sim_disk_content(const struct sim_disk *disk, const char *name, size_t *ret_size);

/* Creates or replaces a whole file, for good. */
void sim_disk_put(struct sim_disk *disk, const char *name, struct cx_bytes content);

/* Removes or renames a file for good. It exists. */
void sim_disk_remove(struct sim_disk *disk, const char *name);
void sim_disk_rename(struct sim_disk *disk, const char *from, const char *to);

/* How many files there are, and the name of one, in the order of names. */
size_t sim_disk_file_count(const struct sim_disk *disk);
const char *sim_disk_file_name(const struct sim_disk *disk, size_t index);

/* A hash of the names and contents, synced or not. */
uint64_t sim_disk_digest(const struct sim_disk *disk);

#endif /* CX_TESTS_SUPPORT_SIM_DISK_H */
