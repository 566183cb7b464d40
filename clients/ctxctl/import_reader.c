#include "clients/ctxctl/import_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void ctl_lines_init(struct ctl_lines *lines, char **paths, size_t path_count)
{
    *lines = (struct ctl_lines){.paths = paths, .path_count = path_count};
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

static void close_file(struct ctl_lines *lines)
{
    if (lines->file != NULL && lines->file != stdin) {
        fclose(lines->file);
    }
    lines->file = NULL;
}

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
    if (strcmp(lines->path, "-") == 0) {
        lines->path = "stdin";
        lines->file = stdin;
        return CTL_LINES_READ;
    }
    lines->file = fopen(lines->path, "rb");
    return lines->file != NULL ? CTL_LINES_READ : fail(lines, "open", problem);
}

static bool is_blank(const struct ctl_lines *lines)
{
    return strspn(lines->text, " \t\r\n") == lines->size;
}

enum ctl_lines_read ctl_lines_next(struct ctl_lines *lines, char problem[CTL_PROBLEM_SIZE])
{
    for (;;) {
        ssize_t size;

        if (lines->file == NULL) {
            enum ctl_lines_read opened = open_next(lines, problem);

            if (opened != CTL_LINES_READ) {
                return opened;
            }
        }
        size = getline(&lines->text, &lines->capacity, lines->file);
        if (size < 0) {
            bool failed = !feof(lines->file);

            if (failed) {
                fail(lines, "read", problem);
            }
            close_file(lines);
            if (failed) {
                return CTL_LINES_FAILED;
            }
            continue;
        }
        lines->size = (size_t)size;
        lines->bytes += (uint64_t)size;
        lines->number++;
        lines->order++;
        if (!is_blank(lines)) {
            return CTL_LINES_READ;
        }
    }
}

void ctl_lines_done(struct ctl_lines *lines)
{
    close_file(lines);
    free(lines->text);
}
