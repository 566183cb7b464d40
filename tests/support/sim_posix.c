#include "tests/support/sim_posix.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/sim_posix_internal.h"

enum { OPEN_MAX_COUNT = 64 };

static struct {
    pthread_mutex_t mutex; /* Of the slots. Never held while the hook or the disk run. */
    const char *root;      /* NULL: nothing is mounted. */
    struct sim_disk *disk;
    sim_posix_hook hook;
    void *arg;
    struct sim_slot slots[OPEN_MAX_COUNT];
    int next;
} sim = {.mutex = PTHREAD_MUTEX_INITIALIZER, .next = SIM_DESCRIPTOR_MIN};

/* ---- Slots. ----------------------------------------------------------------- */

static struct sim_slot *slot_find(int descriptor)
{
    for (size_t i = 0; i < OPEN_MAX_COUNT; i++) {
        if (sim.slots[i].descriptor == descriptor) {
            return &sim.slots[i];
        }
    }
    return NULL;
}

bool sim_slot_get(int descriptor, struct sim_slot *ret_slot)
{
    const struct sim_slot *slot;

    sim_lock(&sim.mutex);
    slot = slot_find(descriptor);
    if (slot != NULL) {
        *ret_slot = *slot;
    }
    sim_unlock(&sim.mutex);
    return slot != NULL;
}

int sim_slot_add(const char *name, struct sim_file *file)
{
    struct sim_slot *slot;
    int descriptor;

    sim_lock(&sim.mutex);
    slot = slot_find(0);
    assert(slot != NULL);
    descriptor = sim.next++;
    *slot = (struct sim_slot){.descriptor = descriptor, .file = file};
    sim_name_set(slot->name, name);
    sim_unlock(&sim.mutex);
    return descriptor;
}

void sim_slot_set_listing(int descriptor, struct sim_listing *listing)
{
    sim_lock(&sim.mutex);
    slot_find(descriptor)->listing = listing;
    sim_unlock(&sim.mutex);
}

static void slot_free(struct sim_slot *slot)
{
    if (slot->file != NULL) {
        sim_file_close(slot->file);
    }
    if (slot->listing != NULL) {
        free(slot->listing->names.names);
        free(slot->listing);
    }
}

bool sim_slot_remove(int descriptor)
{
    struct sim_slot *slot;
    struct sim_slot removed = {0};

    sim_lock(&sim.mutex);
    slot = slot_find(descriptor);
    if (slot != NULL) {
        removed = *slot;
        *slot = (struct sim_slot){0};
    }
    sim_unlock(&sim.mutex);
    slot_free(&removed);
    return removed.descriptor != 0;
}

/* ---- The hook. -------------------------------------------------------------- */

static struct sim_verdict ask(const struct sim_call *call)
{
    struct sim_verdict verdict = {0};

    if (sim.hook != NULL) {
        sim.hook(sim.arg, call, &verdict);
    }
    return verdict;
}

bool sim_posix_enter(int descriptor, enum sim_call_kind kind, uint64_t offset, uint64_t size,
                     struct sim_slot *ret_slot, struct sim_verdict *ret_verdict)
{
    if (!sim_slot_get(descriptor, ret_slot)) {
        errno = EBADF;
        return false;
    }
    struct sim_slot asked = *ret_slot;
    struct sim_call call = {.kind = kind, .name = asked.name, .offset = offset, .size = size};

    *ret_verdict = ask(&call);
    if (!sim_slot_get(descriptor, ret_slot)) {
        errno = EBADF;
        return false;
    }
    errno = ret_verdict->error;
    return ret_verdict->error == 0;
}

bool sim_posix_enter_directory(int directory, enum sim_call_kind kind, const char *name,
                               const char *to)
{
    struct sim_call call = {.kind = kind, .name = name, .to = to};
    struct sim_verdict verdict;
    struct sim_slot slot;

    if (directory != AT_FDCWD && !sim_slot_get(directory, &slot)) {
        errno = EBADF;
        return false;
    }
    verdict = ask(&call);
    if (directory != AT_FDCWD && !sim_slot_get(directory, &slot)) {
        errno = EBADF;
        return false;
    }
    errno = verdict.error;
    return verdict.error == 0;
}

struct sim_disk *sim_posix_disk(void)
{
    return sim.disk;
}

bool sim_posix_is_root(const char *path)
{
    size_t size = sim.root != NULL ? strlen(sim.root) : 0;

    return size > 0 && strncmp(path, sim.root, size) == 0 &&
           strspn(path + size, "/") == strlen(path + size);
}

/* ---- What simulations do. --------------------------------------------------- */

void sim_posix_mount(const char *root, struct sim_disk *disk)
{
    assert(sim.root == NULL);
    sim.root = root;
    sim.disk = disk;
    sim.hook = NULL;
}

static void close_all(void)
{
    for (size_t i = 0; i < OPEN_MAX_COUNT; i++) {
        sim_slot_remove(sim.slots[i].descriptor);
    }
}

void sim_posix_unmount(void)
{
    close_all();
    sim.root = NULL;
    sim.disk = NULL;
    sim.hook = NULL;
}

void sim_posix_set_hook(sim_posix_hook hook, void *arg)
{
    sim.hook = hook;
    sim.arg = arg;
}

void sim_posix_kill(void)
{
    close_all();
    sim_disk_kill(sim.disk);
}

size_t sim_posix_open_count(void)
{
    size_t count = 0;

    sim_lock(&sim.mutex);
    for (size_t i = 0; i < OPEN_MAX_COUNT; i++) {
        count += sim.slots[i].descriptor != 0;
    }
    sim_unlock(&sim.mutex);
    return count;
}

const char *sim_call_name(enum sim_call_kind kind)
{
    static const char *const names[SIM_CALL_COUNT] = {
        [SIM_CALL_OPEN] = "open",
        [SIM_CALL_OPEN_DIRECTORY] = "open directory",
        [SIM_CALL_CREATE_DIRECTORY] = "create directory",
        [SIM_CALL_LOCK] = "lock",
        [SIM_CALL_READ] = "read",
        [SIM_CALL_WRITE] = "write",
        [SIM_CALL_SYNC] = "sync",
        [SIM_CALL_SYNC_DIRECTORY] = "sync directory",
        [SIM_CALL_ALLOCATE] = "allocate",
        [SIM_CALL_SIZE] = "size",
        [SIM_CALL_RENAME] = "rename",
        [SIM_CALL_REMOVE] = "remove",
        [SIM_CALL_LIST] = "list",
        [SIM_CALL_LIST_NEXT] = "list next",
        [SIM_CALL_CLOSE] = "close",
    };

    return names[kind];
}
