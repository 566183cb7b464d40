/* The system calls of core/base/disk_posix.c, served by a simulated disk: so that file
 * runs in a simulation as it is.
 *
 * The linker puts this file's functions in the place of the kernel's (--wrap). A path
 * below the mounted root, and a descriptor that was opened there, belong to the
 * simulation; every other one goes to the kernel. The root is the disk's one directory:
 * it is always there, and creating it finds it so.
 *
 * What always holds:
 *
 *  (1) Nothing is held and nothing half done while the hook runs: it may switch to
 *      another fiber, and that one may make calls, kill the process, or turn off the
 *      power. A call whose process was killed meanwhile has no effect, and fails with
 *      EBADF.
 *  (2) A call fails with what the kernel would say: EIO when the disk has no power or
 *      fails, ENOSPC when it is full, EWOULDBLOCK when the lock is held.
 *  (3) Descriptors are numbers that no kernel gives (from 1 << 20 on), and never the
 *      same twice.
 *
 * Threads: any; mounting and the hook belong to one. */

#ifndef CX_TESTS_SUPPORT_SIM_POSIX_H
#define CX_TESTS_SUPPORT_SIM_POSIX_H

#include <stddef.h>
#include <stdint.h>

#include "tests/support/sim_disk.h"

enum sim_call_kind {
    SIM_CALL_OPEN,             /* openat() of a file */
    SIM_CALL_OPEN_DIRECTORY,   /* openat() of the directory */
    SIM_CALL_CREATE_DIRECTORY, /* mkdir() */
    SIM_CALL_LOCK,             /* flock() */
    SIM_CALL_READ,             /* pread() */
    SIM_CALL_WRITE,            /* pwrite() */
    SIM_CALL_SYNC,             /* fdatasync(), or fsync() of a file */
    SIM_CALL_SYNC_DIRECTORY,   /* fsync() of the directory */
    SIM_CALL_ALLOCATE,         /* posix_fallocate() */
    SIM_CALL_SIZE,             /* fstat() */
    SIM_CALL_RENAME,           /* renameat() */
    SIM_CALL_REMOVE,           /* unlinkat() */
    SIM_CALL_LIST,             /* fdopendir() */
    SIM_CALL_LIST_NEXT,        /* readdir() */
    SIM_CALL_CLOSE,            /* close() of a file; never fails */
    SIM_CALL_COUNT,
};

/* A call that is about to take effect. */
struct sim_call {
    enum sim_call_kind kind;
    const char *name; /* Of the file; "" for the directory. */
    const char *to;   /* The new name; NULL if it is no renaming. */
    uint64_t offset;
    uint64_t size; /* In bytes: to be read, written, set aside. */
};

/* What shall become of it. All zeros: it goes on. */
struct sim_verdict {
    int error; /* An errno, 0: none. */

    /* Reads and writes move no more than this. 0: no limit; together with an error: nothing
     * is moved. A write may fail having written a part. */
    size_t size_max;

    enum sim_sync_loss loss; /* When a sync fails; with EINTR nothing is lost. */
};

/* Called before each call takes effect. `call` is valid until it returns. */
typedef void (*sim_posix_hook)(void *arg, const struct sim_call *call, struct sim_verdict *verdict);

/* Serves what is below `root` (as "/sim", both borrowed) from `disk`, with no hook. Only
 * one disk is mounted at a time. */
void sim_posix_mount(const char *root, struct sim_disk *disk);

/* Ends the serving. Everything is closed. */
void sim_posix_unmount(void);

/* NULL: none. */
void sim_posix_set_hook(sim_posix_hook hook, void *arg);

/* Ends the process that has files open, without a word: closes its descriptors, and calls
 * sim_disk_kill(). Also to be called after a loss of power, before or after the restart. */
void sim_posix_kill(void);

/* How many descriptors and listings are open. */
size_t sim_posix_open_count(void);

/* Its name in traces, as "write". A literal. */
const char *sim_call_name(enum sim_call_kind kind);

#endif /* CX_TESTS_SUPPORT_SIM_POSIX_H */
