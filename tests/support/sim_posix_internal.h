/* The simulated system calls from inside.
 *
 * Threads: any. The mutex of the slots is never held while the hook or the disk run. */

#ifndef CX_TESTS_SUPPORT_SIM_POSIX_INTERNAL_H
#define CX_TESTS_SUPPORT_SIM_POSIX_INTERNAL_H

#include "tests/support/sim_disk_internal.h"
#include "tests/support/sim_posix.h"

enum { SIM_DESCRIPTOR_MIN = 1 << 20 };

/* A listing that is read name by name. */
struct sim_listing {
    struct sim_directory names; /* As they were when it was begun. */
    size_t next;
};

/* An open descriptor. */
struct sim_slot {
    int descriptor; /* 0: the slot is free. */
    char name[SIM_NAME_SIZE];
    struct sim_file *file;       /* NULL: the directory. */
    struct sim_listing *listing; /* Of the directory, once fdopendir() was called. */
};

/* The disk that is mounted. */
struct sim_disk *sim_posix_disk(void);

/* Whether a path is the root, perhaps with slashes behind it. */
bool sim_posix_is_root(const char *path);

/* What a descriptor stands for; false when it was closed. */
bool sim_slot_get(int descriptor, struct sim_slot *ret_slot);

/* Returns a new descriptor. Takes over `file`. */
int sim_slot_add(const char *name, struct sim_file *file);

/* Gives the directory's descriptor a listing. Takes over `listing`. */
void sim_slot_set_listing(int descriptor, struct sim_listing *listing);

/* Closes what the descriptor stands for. Returns whether it was open. */
bool sim_slot_remove(int descriptor);

/* Asks the hook about a call on an open file. False when the call shall fail, with errno:
 * that of the verdict, or EBADF when the descriptor is none, perhaps no more. */
bool sim_posix_enter(int descriptor, enum sim_call_kind kind, uint64_t offset, uint64_t size,
                     struct sim_slot *ret_slot, struct sim_verdict *ret_verdict);

/* The same about a call by name in a directory, which may be AT_FDCWD. */
bool sim_posix_enter_directory(int directory, enum sim_call_kind kind, const char *name,
                               const char *to);

#endif /* CX_TESTS_SUPPORT_SIM_POSIX_INTERNAL_H */
