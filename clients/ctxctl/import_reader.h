/* The lines of several files, one after the other. */

#ifndef CTL_IMPORT_READER_H
#define CTL_IMPORT_READER_H

#include <stdio.h>

#include "clients/ctxctl/args.h"

struct ctl_lines {
    char **paths; /* Those that are still to come; "-" is stdin. */
    size_t path_count;
    FILE *file;       /* NULL between files. */
    const char *path; /* What it is called. */
    uint64_t number;  /* Of the line that was read last, in its file. */
    uint64_t order;   /* The same among all lines. */
    uint64_t bytes;   /* Read so far. */
    char *text;       /* The line, with its newline. */
    size_t size;
    size_t capacity;
};

enum ctl_lines_read {
    CTL_LINES_READ, /* A line that is not blank. */
    CTL_LINES_END,
    CTL_LINES_FAILED, /* `problem` says why. */
};

void ctl_lines_init(struct ctl_lines *lines, char **paths, size_t path_count);

/* Reads the next line that is not blank. `text` is valid until the next call. */
enum ctl_lines_read ctl_lines_next(struct ctl_lines *lines, char problem[CTL_PROBLEM_SIZE]);

/* The bytes of all files together; 0 when one of them has no size. */
uint64_t ctl_lines_total(const struct ctl_lines *lines);

void ctl_lines_done(struct ctl_lines *lines);

#endif /* CTL_IMPORT_READER_H */
