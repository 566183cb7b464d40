/* The server's log: structured lines on standard error, as text for people or JSON for
 * machines. core/ never logs, it returns; the server logs once, where an error stops.
 *
 * What always holds:
 *
 *  (1) A line goes out in one write, so that lines never mix.
 *  (2) Nothing that a value holds can break a line or forge another one.
 *  (3) A line that outgrows its room is cut, and still well-formed.
 *
 * Threads: any, each with lines of its own. */

#ifndef CX_SERVER_LOGGING_H
#define CX_SERVER_LOGGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cx_logging_format {
    CX_LOGGING_TEXT,
    CX_LOGGING_JSON,
};

enum cx_logging_level {
    CX_LOGGING_DEBUG,
    CX_LOGGING_INFO,
    CX_LOGGING_WARNING,
    CX_LOGGING_ERROR,
};

enum { CX_LOGGING_LINE_MAX = 4096 };

/* One line under construction. */
struct cx_logging_line {
    enum cx_logging_format format;
    bool wanted; /* Its level is logged. */
    size_t size;
    char text[CX_LOGGING_LINE_MAX];
};

/* Chooses format, least level and where to write (a file descriptor). May be called
 * again at any time. At first: text, info, standard error. */
void cx_logging_configure(enum cx_logging_format format, enum cx_logging_level level, int fd);

/* Begins a line. `message` is a short constant sentence; what varies goes into fields. */
void cx_logging_begin(struct cx_logging_line *line, enum cx_logging_level level,
                      const char *message);

/* Adds a field. `key` is a literal made of letters and '_'. */
void cx_logging_text(struct cx_logging_line *line, const char *key, const char *value);
void cx_logging_number(struct cx_logging_line *line, const char *key, int64_t value);

/* Writes the line. */
void cx_logging_end(struct cx_logging_line *line);

/* A whole line without fields. */
void cx_logging_say(enum cx_logging_level level, const char *message);

#endif /* CX_SERVER_LOGGING_H */
