#include "server/port_file.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum cx_status cx_port_file_check(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";
    struct stat file;

    if (strlen(path) >= sizeof folder) {
        errno = ENAMETOOLONG;
        return CX_UNAVAILABLE;
    }
    if (slash != NULL) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);
    }
    if (stat(path, &file) == 0 && S_ISDIR(file.st_mode)) {
        errno = EISDIR;
        return CX_UNAVAILABLE;
    }
    return access(folder, W_OK | X_OK) == 0 ? CX_OK : CX_UNAVAILABLE;
}

static bool write_number(const char *path, int number)
{
    FILE *file = fopen(path, "we");

    if (file == NULL) {
        return false;
    }
    bool written = fprintf(file, "%d\n", number) > 0;
    return fclose(file) == 0 && written;
}

enum cx_status cx_port_file_write(const char *path, int port)
{
    char temporary[PATH_MAX];
    int size = snprintf(temporary, sizeof temporary, "%s.new", path);

    if (size < 0 || (size_t)size >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return CX_UNAVAILABLE;
    }
    if (write_number(temporary, port) && rename(temporary, path) == 0) {
        return CX_OK;
    }
    int error = errno;
    unlink(temporary);
    errno = error;
    return CX_UNAVAILABLE;
}

void cx_port_file_remove(const char *path)
{
    if (path[0] != '\0') {
        unlink(path);
    }
}
