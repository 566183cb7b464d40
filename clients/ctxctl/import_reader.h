/* The lines of several files, one after the other, without waiting for a slow one.
 *
 * Threads: one. */

#ifndef CTL_IMPORT_READER_H
#define CTL_IMPORT_READER_H

#include "clients/ctxctl/args.h"

struct ctl_lines {
    char **paths; /* Those that are still to come; "-" is stdin. */
    size_t path_count;
    const char *path; /* What the file at hand is called. */
    int file;         /* -1 between files. */
    bool at_end;      /* Of the file; the rest of it is in the buffer. */

    char *buffer;
    size_t capacity;
    size_t begin;   /* Where the next line begins. */
    size_t end;     /* Where the bytes end that were read. */
    size_t scanned; /* There is no newline before this. */

    /* The line that was read last. Valid until the next one is asked for. */
    const char *text; /* With its newline. */
    size_t size;
    uint64_t number; /* In its file. */
    uint64_t order;  /* Among all lines. */
    uint64_t bytes;  /* Of all lines so far. */
};

enum ctl_lines_read {
    CTL_LINES_READ, /* A line that is not blank. */
    CTL_LINES_WAIT, /* No whole line is there yet. */
    CTL_LINES_END,
    CTL_LINES_FAILED, /* `problem` says why. */
};

/* Borrows the paths. */
void ctl_lines_init(struct ctl_lines *lines, char **paths, size_t path_count);

/* Reads the next line that is not blank, if it is there. */
enum ctl_lines_read ctl_lines_next(struct ctl_lines *lines, char problem[CTL_PROBLEM_SIZE]);

/* Waits for more of the file, at most so long. */
void ctl_lines_wait(const struct ctl_lines *lines, int timeout_ms);

/* The bytes of all files together; 0 when one of them has no size. */
uint64_t ctl_lines_total(const struct ctl_lines *lines);

void ctl_lines_done(struct ctl_lines *lines);

#endif /* CTL_IMPORT_READER_H */
