#include "server/port_file.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

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
