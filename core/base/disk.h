/* Where bytes survive a restart: one directory, and the files in it.
 *
 * Everything durable goes through these two tables. Production uses
 * disk_posix.c; tests use tests/support/sim_disk.c, which tears, loses and fails
 * on demand.
 *
 * Every function that can fail says why with one of
 *
 *   CX_RESOURCE_EXHAUSTED   no room on the disk, or out of memory
 *   CX_NOT_FOUND            no such file
 *   CX_ALREADY_EXISTS       the file exists, or another process holds the lock
 *   CX_PERMISSION_DENIED    the rights do not allow it
 *   CX_UNAVAILABLE          anything else: the disk failed
 *
 * and cx_disk_error_text() tells more. Interrupted and short operations go on
 * until they are done: no caller sees EINTR.
 *
 * Threads: a disk may be shared; a file is used by one thread at a time. */

#ifndef CX_BASE_DISK_H
#define CX_BASE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

struct cx_disk;
struct cx_file;

struct cx_file_ops {
    /* Reads up to `size` bytes at `offset`; *ret_size is smaller only at the end of
     * the file. */
    enum cx_status (*read)(struct cx_file *file, uint64_t offset, void *memory, size_t size,
                           size_t *ret_size);

    /* Writes all of `bytes` at `offset`, growing the file, or fails having written
     * any part of it. */
    enum cx_status (*write)(struct cx_file *file, uint64_t offset, struct cx_bytes bytes);

    /* Returns once every earlier write is durable, and the size too. After a failure
     * what reached the disk is unknown: the file can only be closed. */
    enum cx_status (*sync)(struct cx_file *file);

    /* Lets what is read from now on come from the disk, and not from what the system
     * remembers of it: after a failed sync, also one of an earlier process, the two may
     * differ. Sync first: what is not synced may be remembered still. */
    void (*drop_cache)(struct cx_file *file);

    /* Sets aside room for the first `size` bytes, so that writing them later cannot
     * find the disk full. */
    enum cx_status (*allocate)(struct cx_file *file, uint64_t size);

    enum cx_status (*size)(struct cx_file *file, uint64_t *ret_size);

    /* Releases the file and its lock. Does not sync. */
    void (*close)(struct cx_file *file);
};

struct cx_file {
    const struct cx_file_ops *ops;
};

enum cx_disk_open {
    CX_DISK_OPEN_EXISTING, /* CX_NOT_FOUND when there is none. */
    CX_DISK_OPEN_NEW,      /* CX_ALREADY_EXISTS when there is one. */
    CX_DISK_OPEN_LOCKED,   /* Created when missing, locked against other processes until it is
                              closed; CX_ALREADY_EXISTS while another process holds the lock. */
};

/* Receives one name of a directory. */
typedef void (*cx_disk_list_fn)(void *arg, const char *name);

struct cx_disk_ops {
    /* Opens a file for reading and writing. The caller owns *ret_file. A new file is
     * there for good only after sync_directory(). */
    enum cx_status (*open)(struct cx_disk *disk, const char *name, enum cx_disk_open how,
                           struct cx_file **ret_file);

    /* Both are there for good only after sync_directory(). */
    enum cx_status (*rename)(struct cx_disk *disk, const char *from, const char *to);
    enum cx_status (*remove)(struct cx_disk *disk, const char *name);

    /* Makes every earlier creation, renaming and removal durable. */
    enum cx_status (*sync_directory)(struct cx_disk *disk);

    /* Calls `each` with every name, in no order. */
    enum cx_status (*list)(struct cx_disk *disk, cx_disk_list_fn each, void *arg);
};

struct cx_disk {
    const struct cx_disk_ops *ops;
};

/* Opens the directory `path`, creating it and its parents when missing (and
 * syncing them). The caller owns *ret_disk: cx_disk_posix_close(). Fails also with
 * CX_FAILED_PRECONDITION, when something on the path is no directory, and
 * CX_INVALID_ARGUMENT, when it is too long or goes through too many links. */
CX_MUST_CHECK enum cx_status cx_disk_posix_open(const char *path, struct cx_disk **ret_disk);

/* Releases the disk; its files must be closed. NULL is fine. */
void cx_disk_posix_close(struct cx_disk *disk);

/* Says in words what a status of these functions means, for instance "no space
 * left on the disk". A literal. */
const char *cx_disk_error_text(enum cx_status status);

#endif /* CX_BASE_DISK_H */
