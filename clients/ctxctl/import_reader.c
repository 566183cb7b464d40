#include "clients/ctxctl/import_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024 };

void ctl_lines_init(struct ctl_lines *lines, char **paths, size_t path_count)
{
    *lines = (struct ctl_lines){.paths = paths, .path_count = path_count, .file = -1};
}

uint64_t ctl_lines_total(const struct ctl_lines *lines)
{
    uint64_t total = 0;

    for (size_t i = 0; i < lines->path_count; i++) {
        struct stat about;

        if (stat(lines->paths[i], &about) != 0 || !S_ISREG(about.st_mode)) {
            return 0;
        }
        total += (uint64_t)about.st_size;
    }
    return total;
}

/* ---- Files. ---------------------------------------------------------------- */

static enum ctl_lines_read fail(const struct ctl_lines *lines, const char *what,
                                char problem[CTL_PROBLEM_SIZE])
{
    snprintf(problem, CTL_PROBLEM_SIZE, "cannot %s %s: %s", what, lines->path, strerror(errno));
    return CTL_LINES_FAILED;
}

/* Opens the next file, if there is one. */
static enum ctl_lines_read open_next(struct ctl_lines *lines, char problem[CTL_PROBLEM_SIZE])
{
    if (lines->path_count == 0) {
        return CTL_LINES_END;
    }
    lines->path = *lines->paths++;
    lines->path_count--;
    lines->number = 0;
    lines->at_end = false;
    if (strcmp(lines->path, "-") == 0) {
        lines->path = "stdin";
        lines->file = STDIN_FILENO;
        return CTL_LINES_READ;
    }
    lines->file = open(lines->path, O_RDONLY | O_CLOEXEC);
    return lines->file >= 0 ? CTL_LINES_READ : fail(lines, "open", problem);
}

static void close_file(struct ctl_lines *lines)
{
    if (lines->file > STDIN_FILENO) {
        close(lines->file);
    }
    lines->file = -1;
}

/* Makes room for a read behind what is in the buffer. */
static void make_room(struct ctl_lines *lines)
{
    if (lines->begin > 0) {
        memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
        lines->end -= lines->begin;
        lines->scanned -= lines->begin;
        lines->begin = 0;
    }
    if (lines->capacity - lines->end < READ_SIZE) {
        lines->capacity = 2 * lines->capacity + READ_SIZE;
        lines->buffer = ctl_realloc(lines->buffer, lines->capacity);
    }
}

/* Reads what is there of the file. */
static enum ctl_lines_read read_more(struct ctl_lines *lines, char problem[CTL_PROBLEM_SIZE])
{
    struct pollfd file = {.fd = lines->file, .events = POLLIN};
    ssize_t size;

    if (poll(&file, 1, 0) == 0) {
        return CTL_LINES_WAIT;
    }
    make_room(lines);
    size = read(lines->file, lines->buffer + lines->end, READ_SIZE);
    if (size < 0) {
        return errno == EINTR || errno == EAGAIN ? CTL_LINES_WAIT : fail(lines, "read", problem);
    }
    lines->at_end = size == 0;
    lines->end += (size_t)size;
    return CTL_LINES_READ;
}

void ctl_lines_wait(const struct ctl_lines *lines, int timeout_ms)
{
    struct pollfd file = {.fd = lines->file, .events = POLLIN};

    poll(&file, 1, timeout_ms);
}

/* ---- Lines. ---------------------------------------------------------------- */

/* Takes a line out of the buffer, if a whole one is there. */
static bool take_line(struct ctl_lines *lines)
{
    const char *start = lines->buffer + lines->begin;
    const char *newline = lines->end > lines->scanned ? memchr(lines->buffer + lines->scanned, '\n',
                                                               lines->end - lines->scanned)
                                                      : NULL;

    lines->scanned = lines->end;
    if (newline == NULL && (!lines->at_end || lines->begin == lines->end)) {
        return false;
    }
    lines->text = start;
    lines->size = newline != NULL ? (size_t)(newline - start) + 1 : lines->end - lines->begin;
    lines->begin += lines->size;
    lines->scanned = lines->begin;
    lines->bytes += lines->size;
    lines->number++;
    lines->order++;
    return true;
}

static bool is_blank(const struct ctl_lines *lines)
{
    for (size_t i = 0; i < lines->size; i++) {
        if (memchr(" \t\r\n", lines->text[i], 4) == NULL) {
            return false;
        }
    }
    return true;
}

enum ctl_lines_read ctl_lines_next(struct ctl_lines *lines, char problem[CTL_PROBLEM_SIZE])
{
    for (;;) {
        enum ctl_lines_read answer = CTL_LINES_READ;

        if (take_line(lines)) {
            if (!is_blank(lines)) {
                return CTL_LINES_READ;
            }
            continue;
        }
        if (lines->file >= 0 && lines->at_end) {
            close_file(lines);
        }
        answer = lines->file < 0 ? open_next(lines, problem) : read_more(lines, problem);
        if (answer != CTL_LINES_READ) {
            return answer;
        }
    }
}

void ctl_lines_done(struct ctl_lines *lines)
{
    close_file(lines);
    free(lines->buffer);
}
