#include "clients/ctxctl/output.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clients/ctxctl/utf8.h"

/* ---- Text. ----------------------------------------------------------------- */

size_t ctl_text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return width;
}

/* Writes the character at `from` for a terminal. Returns how many bytes it took and
 * adds what it wrote to *at. */
static size_t escape_one(const unsigned char *from, size_t left, char **at)
{
    size_t size = ctl_utf8_size((const char *)from, left);

    if (size == 1 && from[0] >= 0x20 && from[0] != 0x7F) {
        *(*at)++ = (char)from[0];
        return 1;
    }
    if (size > 1 && !(from[0] == 0xC2 && from[1] < 0xA0)) { /* Not U+0080 to U+009F. */
        memcpy(*at, from, size);
        *at += size;
        return size;
    }
    if (from[0] == '\n' || from[0] == '\t' || from[0] == '\r') {
        *at += sprintf(*at, "\\%c", from[0] == '\n' ? 'n' : from[0] == '\t' ? 't' : 'r');
        return 1;
    }
    *at += sprintf(*at, "\\x%02x", from[0]);
    return 1;
}

char *ctl_text_escape(struct ctl_pool *pool, const void *bytes, size_t size, size_t width_max)
{
    const unsigned char *from = bytes;
    size_t shown = width_max > 0 && width_max < size / 4 ? width_max * 4 : size;
    char *text = ctl_pool_alloc(pool, shown * 4 + 8);
    char *at = text;
    char *cut = text; /* The last place where three dots fit. */
    size_t width = 0;

    for (size_t i = 0; i < size;) {
        char *before = at;

        i += escape_one(from + i, size - i, &at);
        *at = '\0';
        width += ctl_text_width(before);
        if (width_max > 0 && width > width_max) {
            strcpy(cut, "...");
            break;
        }
        if (width + 3 <= width_max) {
            cut = at;
        }
    }
    return text;
}

char *ctl_text_line(struct ctl_pool *pool, const char *text)
{
    return ctl_text_escape(pool, text, strlen(text), 0);
}

char *ctl_text_size(struct ctl_pool *pool, uint64_t bytes)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1023.95 && unit < 6) { /* Would be shown as 1024.0. */
        value /= 1024;
        unit++;
    }
    if (unit == 0) {
        return ctl_pool_format(pool, "%" PRIu64 " B", bytes);
    }
    return ctl_pool_format(pool, "%.1f %s", value, names[unit]);
}

char *ctl_text_time(struct ctl_pool *pool, const Google__Protobuf__Timestamp *time, bool exact)
{
    char text[32] = "";
    time_t seconds;
    struct tm tm;

    if (time == NULL) {
        return ctl_pool_text(pool, "", 0);
    }
    seconds = (time_t)time->seconds;
    if (gmtime_r(&seconds, &tm) != NULL) {
        strftime(text, sizeof text, exact ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%SZ", &tm);
    }
    return exact ? ctl_pool_format(pool, "%s.%06dZ", text, time->nanos / 1000)
                 : ctl_pool_text(pool, text, strlen(text));
}

char *ctl_text_duration(struct ctl_pool *pool, const Google__Protobuf__Duration *duration)
{
    int64_t seconds = duration != NULL ? duration->seconds : 0;

    if (duration == NULL) {
        return ctl_pool_text(pool, "", 0);
    }
    if (seconds == 0) {
        return ctl_pool_format(pool, "%dms", duration->nanos / 1000000);
    }
    if (seconds < 60) {
        return ctl_pool_format(pool, "%" PRId64 ".%ds", seconds, duration->nanos / 100000000);
    }
    if (seconds < 3600) {
        return ctl_pool_format(pool, "%" PRId64 "m%02ds", seconds / 60, (int)(seconds % 60));
    }
    return ctl_pool_format(pool, "%" PRId64 "h%02dm", seconds / 3600, (int)(seconds / 60 % 60));
}

char *ctl_text_micros(struct ctl_pool *pool, uint64_t micros)
{
    return ctl_pool_format(pool, "%" PRIu64 ".%06u", micros / 1000000,
                           (unsigned)(micros % 1000000));
}

/* ---- Colours. -------------------------------------------------------------- */

static bool is_colored(const struct ctl *ctl, FILE *file)
{
    const char *no_color = getenv("NO_COLOR");

    if (ctl->coloring != CTL_COLOR_AUTO) {
        return ctl->coloring == CTL_COLOR_ALWAYS;
    }
    return (no_color == NULL || no_color[0] == '\0') && isatty(fileno(file));
}

const char *ctl_color_on(const struct ctl *ctl, FILE *file, enum ctl_color color)
{
    static const char *const codes[] = {
        [CTL_BOLD] = "\033[1m",   [CTL_DIM] = "\033[2m",     [CTL_RED] = "\033[31m",
        [CTL_GREEN] = "\033[32m", [CTL_YELLOW] = "\033[33m", [CTL_CYAN] = "\033[36m",
    };

    return is_colored(ctl, file) ? codes[color] : "";
}

const char *ctl_color_off(const struct ctl *ctl, FILE *file)
{
    return is_colored(ctl, file) ? "\033[0m" : "";
}

/* ---- Tables. --------------------------------------------------------------- */

void ctl_table_init(struct ctl_table *table, struct ctl_pool *pool, const char *heads)
{
    char *text = ctl_pool_text(pool, heads, strlen(heads));
    char *rest = NULL;

    *table = (struct ctl_table){.pool = pool};
    for (char *head = strtok_r(text, ",", &rest); head != NULL; head = strtok_r(NULL, ",", &rest)) {
        size_t size = strlen(head);

        assert(table->column_count < CTL_COLUMNS_MAX);
        table->right[table->column_count] = head[size - 1] == '>';
        if (head[size - 1] == '>') {
            head[size - 1] = '\0';
        }
        table->heads[table->column_count++] = head;
    }
}

void ctl_table_add(struct ctl_table *table, const char *const *cells)
{
    size_t row_size = table->column_count * sizeof *cells;

    if (table->row_count == table->row_capacity) {
        size_t capacity = table->row_capacity > 0 ? 2 * table->row_capacity : 16;
        const char **grown = ctl_pool_alloc(table->pool, capacity * row_size);

        if (table->row_count > 0) {
            memcpy(grown, table->cells, table->row_count * row_size);
        }
        table->cells = grown;
        table->row_capacity = capacity;
    }
    memcpy(table->cells + table->row_count * table->column_count, cells, row_size);
    table->row_count++;
}

static void row_print(const struct ctl_table *table, const char *const *cells, const size_t *widths,
                      FILE *file)
{
    size_t owed = 0; /* Spaces, printed only before something. */

    for (size_t i = 0; i < table->column_count; i++) {
        size_t padding = widths[i] - ctl_text_width(cells[i]);
        size_t before = table->right[i] ? padding : 0;

        if (cells[i][0] != '\0') {
            fprintf(file, "%*s%s", (int)(owed + before), "", cells[i]);
            owed = 2 + padding - before;
        } else {
            owed += 2 + padding;
        }
    }
}

void ctl_table_print(const struct ctl *ctl, const struct ctl_table *table, FILE *file)
{
    size_t widths[CTL_COLUMNS_MAX];

    for (size_t i = 0; i < table->column_count; i++) {
        widths[i] = ctl_text_width(table->heads[i]);
        for (size_t row = 0; row < table->row_count; row++) {
            size_t width = ctl_text_width(table->cells[row * table->column_count + i]);

            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    fputs(ctl_color_on(ctl, file, CTL_BOLD), file);
    row_print(table, table->heads, widths, file);
    fprintf(file, "%s\n", ctl_color_off(ctl, file));
    for (size_t row = 0; row < table->row_count; row++) {
        row_print(table, table->cells + row * table->column_count, widths, file);
        fputc('\n', file);
    }
}

/* ---- JSON. ----------------------------------------------------------------- */

json_t *ctl_json_bytes(const void *bytes, size_t size)
{
    json_t *text = json_stringn(size > 0 ? bytes : "", size); /* NULL when it is not UTF-8. */
    struct ctl_pool pool = {0};

    if (text == NULL) {
        text = json_pack("{s:s}", "base64", ctl_base64_encode(&pool, bytes, size));
        ctl_pool_done(&pool);
    }
    return text;
}

void ctl_json_set_text(json_t *object, const char *name, const char *text)
{
    if (text[0] != '\0') {
        json_object_set_new(object, name, json_string(text));
    }
}

void ctl_json_set_number(json_t *object, const char *name, uint64_t number)
{
    json_t *value =
        number <= INT64_MAX ? json_integer((json_int_t)number) : json_real((double)number);

    json_object_set_new(object, name, value);
}

void ctl_json_set_time(json_t *object, const char *name, const Google__Protobuf__Timestamp *time)
{
    struct ctl_pool pool = {0};

    ctl_json_set_text(object, name, ctl_text_time(&pool, time, true));
    ctl_pool_done(&pool);
}

static void json_print(json_t *value, FILE *file, size_t flags)
{
    json_dumpf(value, file, flags);
    fputc('\n', file);
    json_decref(value);
}

void ctl_json_print(json_t *value, FILE *file)
{
    json_print(value, file, isatty(fileno(file)) ? JSON_INDENT(2) : 0);
}

void ctl_json_print_line(json_t *value, FILE *file)
{
    json_print(value, file, 0);
}

/* ---- Base64. --------------------------------------------------------------- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *ctl_base64_encode(struct ctl_pool *pool, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    char *text = ctl_pool_alloc(pool, (size + 2) / 3 * 4 + 1);
    char *at = text;

    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned group = (unsigned)from[i] << 16;

        group |= left > 1 ? (unsigned)from[i + 1] << 8 : 0;
        group |= left > 2 ? from[i + 2] : 0;
        *at++ = digits[group >> 18];
        *at++ = digits[group >> 12 & 63];
        *at++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *at++ = left > 2 ? digits[group & 63] : '=';
    }
    return text;
}

/* The value of a digit, or -1. */
static int digit_value(char c)
{
    const char *digit = c != '\0' ? strchr(digits, c) : NULL;

    return digit != NULL ? (int)(digit - digits) : -1;
}

/* The bytes of the four digits at `text`, of which `used` count. Returns false when one is
 * no digit, or a bit is set behind the last whole byte: there is one encoding only. */
static bool group_decode(const char *text, size_t used, unsigned char ret_bytes[3])
{
    unsigned group = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < used ? digit_value(text[i]) : 0;

        if (value < 0) {
            return false;
        }
        group = group << 6 | (unsigned)value;
    }
    for (size_t i = 0; i < 3; i++) {
        ret_bytes[i] = (unsigned char)(group >> (16 - 8 * i));
    }
    return used == 4 || ret_bytes[used - 1] == 0;
}

bool ctl_base64_decode(struct ctl_pool *pool, const char *text, size_t size, void **ret_bytes,
                       size_t *ret_size)
{
    size_t padding = size >= 4 ? (size_t)(text[size - 1] == '=') + (text[size - 2] == '=') : 0;
    unsigned char *bytes = ctl_pool_alloc(pool, size / 4 * 3);

    if (size % 4 != 0 || (padding == 1 && text[size - 1] != '=')) {
        return false;
    }
    for (size_t i = 0; i < size; i += 4) {
        size_t used = i + 4 == size ? 4 - padding : 4;

        if (!group_decode(text + i, used, bytes + i / 4 * 3)) {
            return false;
        }
    }
    *ret_bytes = bytes;
    *ret_size = size / 4 * 3 - padding;
    return true;
}
