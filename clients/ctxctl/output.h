/* What people see: columns, colours, sizes, times and text that a terminal shows as
 * it is. What scripts see: JSON.
 *
 * What always holds:
 *
 *  (1) Columns are aligned by characters, not bytes.
 *  (2) Control characters are shown as escapes such as \n or \x1b, so that stored text
 *      cannot move the cursor.
 *  (3) Colours appear only on a terminal and without $NO_COLOR, unless --color says
 *      otherwise. */

#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "clients/ctxctl/ctl.h"

/* ---- Text. ----------------------------------------------------------------- */

enum { CTL_PREVIEW_WIDTH = 60 }; /* What is shown of a value among other things. */

/* How many columns a UTF-8 text takes, each character as one. */
size_t ctl_text_width(const char *text);

/* Bytes as one line of text: escapes instead of control characters and of what is not
 * UTF-8, cut with `...` at `width_max` columns (0: not cut). */
char *ctl_text_escape(struct ctl_pool *pool, const void *bytes, size_t size, size_t width_max);

/* The whole of a text, likewise. */
char *ctl_text_line(struct ctl_pool *pool, const char *text);

/* Such as `13 B` or `1.2 KiB`. */
char *ctl_text_size(struct ctl_pool *pool, uint64_t bytes);

/* Such as `2026-11-21 10:53:18Z`; with `exact` as RFC 3339 has it, with six digits of a
 * second. "" when absent. */
char *ctl_text_time(struct ctl_pool *pool, const Google__Protobuf__Timestamp *time, bool exact);

/* Such as `250ms`, `1.5s`, `2m05s` or `1h02m`. "" when absent. */
char *ctl_text_duration(struct ctl_pool *pool, const Google__Protobuf__Duration *duration);

/* Millionths as an amount, such as `0.012500`. */
char *ctl_text_micros(struct ctl_pool *pool, uint64_t micros);

/* ---- Colours. -------------------------------------------------------------- */

enum ctl_color { CTL_BOLD, CTL_DIM, CTL_RED, CTL_GREEN, CTL_YELLOW, CTL_CYAN };

/* The codes that begin and end a colour in this file, or "". */
const char *ctl_color_on(const struct ctl *ctl, FILE *file, enum ctl_color color);
const char *ctl_color_off(const struct ctl *ctl, FILE *file);

/* ---- Tables. --------------------------------------------------------------- */

enum { CTL_COLUMNS_MAX = 9 };

struct ctl_table {
    struct ctl_pool *pool;
    size_t column_count;
    const char *heads[CTL_COLUMNS_MAX];
    bool right[CTL_COLUMNS_MAX]; /* Numbers end at the same column. */
    size_t row_count;
    size_t row_capacity;
    const char **cells; /* Row by row. */
};

/* Begins a table whose heads are given as in "ID,VERSION>,TYPE": `>` aligns to the
 * right. Everything is the pool's. */
void ctl_table_init(struct ctl_table *table, struct ctl_pool *pool, const char *heads);

/* Adds a row: as many cells as there are heads, borrowed until it is printed. */
void ctl_table_add(struct ctl_table *table, const char *const *cells);

/* Prints the heads and the rows; nothing is printed behind the last column. */
void ctl_table_print(const struct ctl *ctl, const struct ctl_table *table, FILE *file);

/* ---- JSON. ----------------------------------------------------------------- */

/* Bytes as JSON: a string when they are UTF-8, else {"base64": "..."}. */
json_t *ctl_json_bytes(const void *bytes, size_t size);

/* Set a member of an object: a text unless it is empty, a number, a time unless it is
 * absent. Numbers beyond what JSON's integers hold here come as the nearest real. */
void ctl_json_set_text(json_t *object, const char *name, const char *text);
void ctl_json_set_number(json_t *object, const char *name, uint64_t number);
void ctl_json_set_time(json_t *object, const char *name, const Google__Protobuf__Timestamp *time);

/* Prints a value, indented on a terminal; or on one line, wherever it goes. Releases it. */
void ctl_json_print(json_t *value, FILE *file);
void ctl_json_print_line(json_t *value, FILE *file);

/* ---- Base64, as in RFC 4648 with padding. ---------------------------------- */

/* The text of the bytes, of the pool. */
char *ctl_base64_encode(struct ctl_pool *pool, const void *bytes, size_t size);

/* Returns false for what no encoder writes. The bytes are the pool's. */
bool ctl_base64_decode(struct ctl_pool *pool, const char *text, size_t size, void **ret_bytes,
                       size_t *ret_size);

#endif /* CTL_OUTPUT_H */
