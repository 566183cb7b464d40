#include "server/logging.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/text.h"

/* What a field may take at most besides its value, and what ends a line: kept free. */
enum { TAIL_SIZE = 8 };

static _Atomic int format_in_force = CX_LOGGING_TEXT;
static _Atomic int level_in_force = CX_LOGGING_INFO;
static _Atomic int fd_in_force = STDERR_FILENO;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

/* ---- Pieces of a line. What does not fit is left out as a whole. ------------- */

static bool put(struct cx_logging_line *line, const char *text, size_t size)
{
    if (line->size + size + TAIL_SIZE > sizeof line->text) {
        return false;
    }
    memcpy(line->text + line->size, text, size);
    line->size += size;
    return true;
}

static bool put_string(struct cx_logging_line *line, const char *text)
{
    return put(line, text, strlen(text));
}

/* Escapes as JSON does; the text format takes the same for what it
 * quotes. Cuts what does not fit, at a whole character. */
static void put_escaped(struct cx_logging_line *line, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        char escape[8];
        bool fits;

        if (*c == '"' || *c == '\\') {
            fits = put(line, (const char[]){'\\', (char)*c}, 2);
        } else if (*c < 0x20 || *c == 0x7f) {
            snprintf(escape, sizeof escape, "\\u%04x", *c);
            fits = put_string(line, escape);
        } else {
            fits = put(line, (const char *)c, 1);
        }
        if (!fits) {
            line->size = cx_text_whole_size((struct cx_bytes){(uint8_t *)line->text, line->size});
            return;
        }
    }
}

static void put_quoted(struct cx_logging_line *line, const char *text)
{
    /* The closing quote has room in the tail. */
    if (put_string(line, "\"")) {
        put_escaped(line, text);
        line->text[line->size++] = '"';
    }
}

static bool is_plain(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '"' || *c == '=' || *c == '\\') {
            return false;
        }
    }
    return *text != '\0';
}

/* Takes back what was put since `size` when the line has no room for a whole field. */
static bool put_key(struct cx_logging_line *line, const char *key)
{
    size_t size = line->size;
    bool json = line->format == CX_LOGGING_JSON;
    bool fits = put_string(line, json ? ",\"" : " ") && put_string(line, key) &&
                put_string(line, json ? "\":" : "=") &&
                line->size + 2 * TAIL_SIZE <= sizeof line->text;

    if (!fits) {
        line->size = size;
    }
    return fits;
}

static void put_time(struct cx_logging_line *line)
{
    struct timespec now;
    struct tm utc;
    char text[64];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + size, sizeof text - size, ".%03ldZ", now.tv_nsec / 1000000);
    put_string(line, text);
}

/* ---- Public interface. -------------------------------------------------------- */

void cx_logging_configure(enum cx_logging_format format, enum cx_logging_level level, int fd)
{
    atomic_store(&format_in_force, format);
    atomic_store(&level_in_force, level);
    atomic_store(&fd_in_force, fd);
}

void cx_logging_begin(struct cx_logging_line *line, enum cx_logging_level level,
                      const char *message)
{
    assert(level >= CX_LOGGING_DEBUG && level <= CX_LOGGING_ERROR);

    line->format = (enum cx_logging_format)atomic_load(&format_in_force);
    line->wanted = (int)level >= atomic_load(&level_in_force);
    line->size = 0;
    if (!line->wanted) {
        return;
    }
    if (line->format == CX_LOGGING_JSON) {
        put_string(line, "{\"time\":\"");
        put_time(line);
        put_string(line, "\",\"level\":\"");
        put_string(line, level_names[level]);
        put_string(line, "\",\"message\":");
        put_quoted(line, message);
        return;
    }
    char column[16];
    put_time(line);
    snprintf(column, sizeof column, " %-7s ", level_names[level]);
    put_string(line, column);
    put_escaped(line, message);
}

void cx_logging_text(struct cx_logging_line *line, const char *key, const char *value)
{
    if (!line->wanted || !put_key(line, key)) {
        return;
    }
    if (line->format == CX_LOGGING_TEXT && is_plain(value) &&
        line->size + strlen(value) + TAIL_SIZE <= sizeof line->text) {
        put_string(line, value);
        return;
    }
    put_quoted(line, value);
}

void cx_logging_number(struct cx_logging_line *line, const char *key, int64_t value)
{
    char digits[32];
    size_t size = line->size;

    if (!line->wanted || !put_key(line, key)) {
        return;
    }
    snprintf(digits, sizeof digits, "%" PRId64, value);
    if (!put_string(line, digits)) {
        line->size = size;
    }
}

void cx_logging_end(struct cx_logging_line *line)
{
    if (!line->wanted) {
        return;
    }
    if (line->format == CX_LOGGING_JSON) {
        line->text[line->size++] = '}';
    }
    line->text[line->size++] = '\n';
    assert(line->size <= sizeof line->text);

    /* Nobody is left to be told when even this fails. */
    ssize_t written = write(atomic_load(&fd_in_force), line->text, line->size);
    (void)written;
}

void cx_logging_say(enum cx_logging_level level, const char *message)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, level, message);
    cx_logging_end(&line);
}
