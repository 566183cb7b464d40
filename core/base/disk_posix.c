#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/container_of.h"
#include "core/base/disk.h"
#include "core/base/memory.h"

/* Others on the machine have no business in the data. */
enum { FILE_MODE = 0640, DIRECTORY_MODE = 0750 };

struct posix_disk {
    struct cx_disk base;
    int directory; /* An open directory; names are relative to it. */
};

struct posix_file {
    struct cx_file base;
    int descriptor;
};

static enum cx_status status_of(int error)
{
    switch (error) {
    case 0:
        return CX_OK;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
        return CX_RESOURCE_EXHAUSTED;
    case ENOENT:
        return CX_NOT_FOUND;
    case EEXIST:
        return CX_ALREADY_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return CX_PERMISSION_DENIED;
    default:
        return CX_UNAVAILABLE;
    }
}

/* Of finding or creating the directory: what is wrong with its path, and no failure. */
static enum cx_status status_of_path(int error)
{
    switch (error) {
    case ENOTDIR:
        return CX_FAILED_PRECONDITION;
    case ELOOP:
    case ENAMETOOLONG:
        return CX_INVALID_ARGUMENT;
    default:
        return status_of(error);
    }
}

/* Of a call that returns -1 and sets errno. */
static enum cx_status status_of_call(int result)
{
    return result < 0 ? status_of(errno) : CX_OK;
}

/* Unlike that of most calls, an interrupted open() has opened nothing. */
static int open_retrying(int directory, const char *name, int flags)
{
    int descriptor;

    do {
        descriptor = openat(directory, name, flags | O_CLOEXEC, FILE_MODE);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

static enum cx_status sync_retrying(int descriptor, int (*sync)(int))
{
    int result;

    do {
        result = sync(descriptor);
    } while (result < 0 && errno == EINTR);
    return status_of_call(result);
}

/* ---- Files. ----------------------------------------------------------------- */

static int descriptor_of(struct cx_file *file)
{
    return CX_CONTAINER_OF(file, struct posix_file, base)->descriptor;
}

static enum cx_status file_read(struct cx_file *file, uint64_t offset, void *memory, size_t size,
                                size_t *ret_size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t count = pread(descriptor_of(file), (uint8_t *)memory + done, size - done,
                              (off_t)(offset + done));

        if (count == 0) {
            break; /* The end of the file. */
        }
        if (count < 0 && errno != EINTR) {
            return status_of(errno);
        }
        done += count > 0 ? (size_t)count : 0;
    }
    *ret_size = done;
    return CX_OK;
}

static enum cx_status file_write(struct cx_file *file, uint64_t offset, struct cx_bytes bytes)
{
    size_t done = 0;

    while (done < bytes.size) {
        ssize_t count = pwrite(descriptor_of(file), bytes.data + done, bytes.size - done,
                               (off_t)(offset + done));

        if (count < 0 && errno != EINTR) {
            return status_of(errno);
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return CX_OK;
}

static enum cx_status file_sync(struct cx_file *file)
{
    return sync_retrying(descriptor_of(file), fdatasync);
}

/* Advice, which Linux follows for pages that are not dirty. */
static void file_drop_cache(struct cx_file *file)
{
    (void)posix_fadvise(descriptor_of(file), 0, 0, POSIX_FADV_DONTNEED);
}

static enum cx_status file_allocate(struct cx_file *file, uint64_t size)
{
    int error;

    do {
        error = posix_fallocate(descriptor_of(file), 0, (off_t)size);
    } while (error == EINTR);
    return status_of(error);
}

static enum cx_status file_size(struct cx_file *file, uint64_t *ret_size)
{
    struct stat stat;

    if (fstat(descriptor_of(file), &stat) < 0) {
        return status_of(errno);
    }
    *ret_size = (uint64_t)stat.st_size;
    return CX_OK;
}

static void file_close(struct cx_file *base)
{
    struct posix_file *file = CX_CONTAINER_OF(base, struct posix_file, base);

    close(file->descriptor); /* Releases the lock too. Never repeated: the number may be reused. */
    cx_free(file);
}

static const struct cx_file_ops file_ops = {
    .read = file_read,
    .write = file_write,
    .sync = file_sync,
    .drop_cache = file_drop_cache,
    .allocate = file_allocate,
    .size = file_size,
    .close = file_close,
};

/* ---- The directory. --------------------------------------------------------- */

static int directory_of(struct cx_disk *disk)
{
    return CX_CONTAINER_OF(disk, struct posix_disk, base)->directory;
}

static enum cx_status descriptor_lock(int descriptor)
{
    int result;

    do {
        result = flock(descriptor, LOCK_EX | LOCK_NB);
    } while (result < 0 && errno == EINTR);
    if (result < 0 && errno == EWOULDBLOCK) {
        return CX_ALREADY_EXISTS;
    }
    return status_of_call(result);
}

static enum cx_status disk_open(struct cx_disk *disk, const char *name, enum cx_disk_open how,
                                struct cx_file **ret_file)
{
    static const int flags[] = {
        [CX_DISK_OPEN_EXISTING] = O_RDWR,
        [CX_DISK_OPEN_NEW] = O_RDWR | O_CREAT | O_EXCL,
        [CX_DISK_OPEN_LOCKED] = O_RDWR | O_CREAT,
    };
    struct posix_file *file = cx_alloc(sizeof *file);
    enum cx_status status;

    if (file == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    file->base.ops = &file_ops;
    file->descriptor = open_retrying(directory_of(disk), name, flags[how]);
    status = status_of_call(file->descriptor);
    if (status == CX_OK && how == CX_DISK_OPEN_LOCKED) {
        status = descriptor_lock(file->descriptor);
    }
    if (status != CX_OK) {
        if (file->descriptor >= 0) {
            close(file->descriptor);
        }
        cx_free(file);
        return status;
    }
    *ret_file = &file->base;
    return CX_OK;
}

static enum cx_status disk_rename(struct cx_disk *disk, const char *from, const char *to)
{
    return status_of_call(renameat(directory_of(disk), from, directory_of(disk), to));
}

static enum cx_status disk_remove(struct cx_disk *disk, const char *name)
{
    return status_of_call(unlinkat(directory_of(disk), name, 0));
}

static enum cx_status disk_sync_directory(struct cx_disk *disk)
{
    return sync_retrying(directory_of(disk), fsync);
}

static enum cx_status disk_list(struct cx_disk *disk, cx_disk_list_fn each, void *arg)
{
    int descriptor = open_retrying(directory_of(disk), ".", O_RDONLY | O_DIRECTORY);
    const struct dirent *entry;
    enum cx_status status;
    DIR *listing;

    if (descriptor < 0) {
        return status_of(errno);
    }
    listing = fdopendir(descriptor);
    if (listing == NULL) {
        status = status_of(errno);
        close(descriptor);
        return status;
    }
    errno = 0;
    while ((entry = readdir(listing)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            each(arg, entry->d_name);
        }
        errno = 0;
    }
    status = status_of(errno);
    closedir(listing); /* And the descriptor. */
    return status;
}

static const struct cx_disk_ops disk_ops = {
    .open = disk_open,
    .rename = disk_rename,
    .remove = disk_remove,
    .sync_directory = disk_sync_directory,
    .list = disk_list,
};

/* ---- Opening. --------------------------------------------------------------- */

static enum cx_status directory_sync(const char *path)
{
    int descriptor = open_retrying(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    enum cx_status status = status_of_call(descriptor);

    if (status == CX_OK) {
        status = sync_retrying(descriptor, fsync);
        close(descriptor);
    }
    return status;
}

/* Creates the directory `path`, whose parent exists and is `parent`. */
static enum cx_status directory_create(const char *path, const char *parent)
{
    if (mkdir(path, DIRECTORY_MODE) == 0) {
        return directory_sync(parent);
    }
    return errno == EEXIST ? CX_OK : status_of_path(errno);
}

/* Creates `path` and its parents, where missing. Cuts `path` at its slashes while
 * it runs. */
static enum cx_status directories_create(char *path)
{
    char parent[4096];
    size_t size = strlen(path);
    enum cx_status status = CX_OK;

    snprintf(parent, sizeof parent, "%s", path[0] == '/' ? "/" : ".");
    for (size_t end = 1; end <= size && status == CX_OK; end++) {
        char separator = path[end];

        if ((separator != '/' && separator != '\0') || path[end - 1] == '/') {
            continue;
        }
        path[end] = '\0';
        status = directory_create(path, parent);
        snprintf(parent, sizeof parent, "%s", path);
        path[end] = separator;
    }
    return status;
}

enum cx_status cx_disk_posix_open(const char *path, struct cx_disk **ret_disk)
{
    struct posix_disk *disk;
    enum cx_status status;
    char copy[4096];

    assert(path != NULL && path[0] != '\0');
    if (strlen(path) >= sizeof copy) {
        return CX_INVALID_ARGUMENT;
    }
    memcpy(copy, path, strlen(path) + 1);
    status = directories_create(copy);
    if (status != CX_OK) {
        return status;
    }
    disk = cx_alloc(sizeof *disk);
    if (disk == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    disk->base.ops = &disk_ops;
    disk->directory = open_retrying(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    if (disk->directory < 0) {
        status = status_of_path(errno);
        cx_free(disk);
        return status;
    }
    *ret_disk = &disk->base;
    return CX_OK;
}

void cx_disk_posix_close(struct cx_disk *base)
{
    if (base == NULL) {
        return;
    }
    struct posix_disk *disk = CX_CONTAINER_OF(base, struct posix_disk, base);

    close(disk->directory);
    cx_free(disk);
}

const char *cx_disk_error_text(enum cx_status status)
{
    switch (status) {
    case CX_OK:
        return "no error";
    case CX_RESOURCE_EXHAUSTED:
        return "no space left on the disk, or out of memory";
    case CX_NOT_FOUND:
        return "no such file";
    case CX_ALREADY_EXISTS:
        return "the file exists, or another process holds its lock";
    case CX_PERMISSION_DENIED:
        return "the rights of the file or directory do not allow it";
    case CX_FAILED_PRECONDITION:
        return "something on its path is no directory";
    case CX_INVALID_ARGUMENT:
        return "its path is too long, or goes through too many symbolic links";
    default:
        return "the disk failed";
    }
}
