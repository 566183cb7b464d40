/* The functions that take the place of the kernel's. */

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/sim_posix_internal.h"

/* What the linker makes of the kernel's functions. */
int __real_openat(int directory, const char *path, int flags, ...);
int __real_mkdir(const char *path, mode_t mode);
int __real_flock(int descriptor, int operation);
ssize_t __real_pread(int descriptor, void *memory, size_t size, off_t offset);
ssize_t __real_pwrite(int descriptor, const void *memory, size_t size, off_t offset);
int __real_fdatasync(int descriptor);
int __real_fsync(int descriptor);
int __real_posix_fadvise(int descriptor, off_t offset, off_t size, int advice);
int __real_posix_fallocate(int descriptor, off_t offset, off_t size);
int __real_fstat(int descriptor, struct stat *stat);
int __real_renameat(int from_directory, const char *from, int to_directory, const char *to);
int __real_unlinkat(int directory, const char *path, int flags);
DIR *__real_fdopendir(int descriptor);
struct dirent *__real_readdir(DIR *listing);
int __real_closedir(DIR *listing);
int __real_close(int descriptor);

static bool is_ours(int descriptor)
{
    return descriptor >= SIM_DESCRIPTOR_MIN;
}

static int error_of(enum cx_status status)
{
    switch (status) {
    case CX_OK:
        return 0;
    case CX_RESOURCE_EXHAUSTED:
        return ENOSPC;
    case CX_NOT_FOUND:
        return ENOENT;
    case CX_ALREADY_EXISTS:
        return EEXIST;
    case CX_PERMISSION_DENIED:
        return EACCES;
    default:
        return EIO;
    }
}

static int failed(int error)
{
    errno = error;
    return -1;
}

/* 0, or -1 with errno. */
static int result_of(enum cx_status status)
{
    return status == CX_OK ? 0 : failed(error_of(status));
}

/* ---- Opening and closing. --------------------------------------------------- */

static int open_directory(int directory)
{
    if (!sim_posix_enter_directory(directory, SIM_CALL_OPEN_DIRECTORY, "", NULL)) {
        return -1;
    }
    if (sim_disk_crashed(sim_posix_disk())) {
        return failed(EIO);
    }
    return sim_slot_add("", NULL);
}

static int open_file(int directory, const char *name, int flags)
{
    struct sim_file *file;
    enum cx_status status;

    if (!sim_posix_enter_directory(directory, SIM_CALL_OPEN, name, NULL)) {
        return -1;
    }
    status =
        sim_file_open(sim_posix_disk(), name, (flags & O_CREAT) != 0, (flags & O_EXCL) != 0, &file);
    return status == CX_OK ? sim_slot_add(name, file) : result_of(status);
}

int __wrap_openat(int directory, const char *path, int flags, ...)
{
    mode_t mode = 0;

    if (is_ours(directory)) {
        return (flags & O_DIRECTORY) != 0 ? open_directory(directory)
                                          : open_file(directory, path, flags);
    }
    if (directory == AT_FDCWD && sim_posix_is_root(path)) {
        return open_directory(directory);
    }
    if ((flags & O_CREAT) != 0) {
        va_list arguments;

        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return __real_openat(directory, path, flags, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    if (!sim_posix_is_root(path)) {
        return __real_mkdir(path, mode);
    }
    return sim_posix_enter_directory(AT_FDCWD, SIM_CALL_CREATE_DIRECTORY, "", NULL) ? failed(EEXIST)
                                                                                    : -1;
}

int __wrap_close(int descriptor)
{
    struct sim_verdict verdict;
    struct sim_slot slot;

    if (!is_ours(descriptor)) {
        return __real_close(descriptor);
    }
    sim_posix_enter(descriptor, SIM_CALL_CLOSE, 0, 0, &slot, &verdict);
    return sim_slot_remove(descriptor) ? 0 : failed(EBADF);
}

int __wrap_flock(int descriptor, int operation)
{
    struct sim_verdict verdict;
    enum cx_status status;
    struct sim_slot slot;

    if (!is_ours(descriptor)) {
        return __real_flock(descriptor, operation);
    }
    assert(operation == (LOCK_EX | LOCK_NB));
    if (!sim_posix_enter(descriptor, SIM_CALL_LOCK, 0, 0, &slot, &verdict)) {
        return -1;
    }
    status = sim_file_lock(slot.file);
    return status == CX_ALREADY_EXISTS ? failed(EWOULDBLOCK) : result_of(status);
}

/* ---- Reading and writing. --------------------------------------------------- */

static size_t limited(size_t size, size_t size_max)
{
    return size_max > 0 && size_max < size ? size_max : size;
}

ssize_t __wrap_pread(int descriptor, void *memory, size_t size, off_t offset)
{
    struct sim_verdict verdict;
    enum cx_status status;
    struct cx_file *file;
    struct sim_slot slot;
    size_t done;

    if (!is_ours(descriptor)) {
        return __real_pread(descriptor, memory, size, offset);
    }
    if (!sim_posix_enter(descriptor, SIM_CALL_READ, (uint64_t)offset, size, &slot, &verdict)) {
        return -1;
    }
    file = sim_file_base(slot.file);
    size = limited(size, verdict.size_max);
    status = file->ops->read(file, (uint64_t)offset, memory, size, &done);
    return status == CX_OK ? (ssize_t)done : result_of(status);
}

ssize_t __wrap_pwrite(int descriptor, const void *memory, size_t size, off_t offset)
{
    struct sim_verdict verdict = {0};
    enum cx_status status;
    struct sim_slot slot;
    size_t done;

    if (!is_ours(descriptor)) {
        return __real_pwrite(descriptor, memory, size, offset);
    }
    if (!sim_posix_enter(descriptor, SIM_CALL_WRITE, (uint64_t)offset, size, &slot, &verdict) &&
        (errno != verdict.error || verdict.size_max == 0)) {
        return -1;
    }
    size = limited(size, verdict.size_max);
    status = sim_file_write(slot.file, (uint64_t)offset, (struct cx_bytes){memory, size}, &done);
    if (verdict.error != 0) {
        return failed(verdict.error);
    }
    /* A kernel tells what it wrote first, and the error the next time. */
    return done > 0 && status != CX_UNAVAILABLE ? (ssize_t)done : result_of(status);
}

static int file_sync(int descriptor)
{
    struct sim_verdict verdict = {0};
    struct cx_file *file;
    struct sim_slot slot;

    if (!sim_posix_enter(descriptor, SIM_CALL_SYNC, 0, 0, &slot, &verdict)) {
        int error = errno;

        if (error != EBADF && error != EINTR) {
            (void)sim_file_fail_sync(slot.file, verdict.loss);
        }
        return failed(error);
    }
    file = sim_file_base(slot.file);
    return result_of(file->ops->sync(file));
}

int __wrap_fdatasync(int descriptor)
{
    return is_ours(descriptor) ? file_sync(descriptor) : __real_fdatasync(descriptor);
}

int __wrap_posix_fadvise(int descriptor, off_t offset, off_t size, int advice)
{
    struct cx_file *file;
    struct sim_slot slot;

    if (!is_ours(descriptor)) {
        return __real_posix_fadvise(descriptor, offset, size, advice);
    }
    if (!sim_slot_get(descriptor, &slot) || slot.file == NULL) {
        return EBADF;
    }
    if (advice == POSIX_FADV_DONTNEED) {
        file = sim_file_base(slot.file);
        file->ops->drop_cache(file);
    }
    return 0;
}

int __wrap_fsync(int descriptor)
{
    struct sim_verdict verdict;
    struct cx_disk *disk;
    struct sim_slot slot;

    if (!is_ours(descriptor)) {
        return __real_fsync(descriptor);
    }
    if (sim_slot_get(descriptor, &slot) && slot.file != NULL) {
        return file_sync(descriptor);
    }
    if (!sim_posix_enter(descriptor, SIM_CALL_SYNC_DIRECTORY, 0, 0, &slot, &verdict)) {
        return -1;
    }
    disk = sim_disk_base(sim_posix_disk());
    return result_of(disk->ops->sync_directory(disk));
}

/* Returns its error, and leaves errno alone. */
int __wrap_posix_fallocate(int descriptor, off_t offset, off_t size)
{
    struct sim_verdict verdict;
    struct cx_file *file;
    struct sim_slot slot;
    int before = errno;
    int error;

    if (!is_ours(descriptor)) {
        return __real_posix_fallocate(descriptor, offset, size);
    }
    assert(offset == 0);
    if (sim_posix_enter(descriptor, SIM_CALL_ALLOCATE, 0, (uint64_t)size, &slot, &verdict)) {
        file = sim_file_base(slot.file);
        error = error_of(file->ops->allocate(file, (uint64_t)size));
    } else {
        error = errno;
    }
    errno = before;
    return error;
}

int __wrap_fstat(int descriptor, struct stat *stat)
{
    struct sim_verdict verdict;
    enum cx_status status;
    struct cx_file *file;
    struct sim_slot slot;
    uint64_t size;

    if (!is_ours(descriptor)) {
        return __real_fstat(descriptor, stat);
    }
    if (!sim_posix_enter(descriptor, SIM_CALL_SIZE, 0, 0, &slot, &verdict)) {
        return -1;
    }
    file = sim_file_base(slot.file);
    status = file->ops->size(file, &size);
    if (status == CX_OK) {
        *stat = (struct stat){.st_mode = S_IFREG, .st_size = (off_t)size};
    }
    return result_of(status);
}

/* ---- Names. ----------------------------------------------------------------- */

int __wrap_renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    struct cx_disk *disk;

    if (!is_ours(from_directory)) {
        return __real_renameat(from_directory, from, to_directory, to);
    }
    assert(to_directory == from_directory);
    if (!sim_posix_enter_directory(from_directory, SIM_CALL_RENAME, from, to)) {
        return -1;
    }
    disk = sim_disk_base(sim_posix_disk());
    return result_of(disk->ops->rename(disk, from, to));
}

int __wrap_unlinkat(int directory, const char *path, int flags)
{
    struct cx_disk *disk;

    if (!is_ours(directory)) {
        return __real_unlinkat(directory, path, flags);
    }
    if (!sim_posix_enter_directory(directory, SIM_CALL_REMOVE, path, NULL)) {
        return -1;
    }
    disk = sim_disk_base(sim_posix_disk());
    return result_of(disk->ops->remove(disk, path));
}

static void on_name(void *arg, const char *name)
{
    sim_directory_set(arg, name, 0);
}

/* A listing's DIR is a number: that of the descriptor, and a bit that no pointer to a
 * real one has. So one whose process was killed is known as ours. */
enum { DIR_SHIFT = 4 };

DIR *__wrap_fdopendir(int descriptor)
{
    struct cx_disk *disk;
    struct sim_verdict verdict;
    struct sim_listing *listing;
    enum cx_status status;
    struct sim_slot slot;

    if (!is_ours(descriptor)) {
        return __real_fdopendir(descriptor);
    }
    if (!sim_posix_enter(descriptor, SIM_CALL_LIST, 0, 0, &slot, &verdict)) {
        return NULL;
    }
    disk = sim_disk_base(sim_posix_disk());
    listing = sim_must(calloc(1, sizeof *listing));
    status = disk->ops->list(disk, on_name, &listing->names);
    if (status != CX_OK) {
        free(listing);
        errno = error_of(status);
        return NULL;
    }
    sim_slot_set_listing(descriptor, listing);
    return (DIR *)((uintptr_t)descriptor << DIR_SHIFT | 1);
}

/* Returns the descriptor of a listing, 0 when it is the kernel's. */
static int descriptor_of(DIR *dir)
{
    uintptr_t number = (uintptr_t)dir;

    return (number & 1) != 0 ? (int)(number >> DIR_SHIFT) : 0;
}

struct dirent *__wrap_readdir(DIR *dir)
{
    static _Thread_local struct dirent entry;
    int descriptor = descriptor_of(dir);
    struct sim_verdict verdict;
    int before = errno;
    struct sim_slot slot;

    if (descriptor == 0) {
        return __real_readdir(dir);
    }
    if (!sim_posix_enter(descriptor, SIM_CALL_LIST_NEXT, 0, 0, &slot, &verdict)) {
        return NULL;
    }
    errno = before;
    if (slot.listing->next == slot.listing->names.count) {
        return NULL;
    }
    snprintf(entry.d_name, sizeof entry.d_name, "%s",
             slot.listing->names.names[slot.listing->next++].text);
    return &entry;
}

int __wrap_closedir(DIR *dir)
{
    int descriptor = descriptor_of(dir);

    if (descriptor == 0) {
        return __real_closedir(dir);
    }
    return sim_slot_remove(descriptor) ? 0 : failed(EBADF);
}
