/* Lists: rows that come page by page, as many as were asked for, shown as a table or as
 * JSON. */

#ifndef CTL_ROWS_H
#define CTL_ROWS_H

#include <jansson.h>

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/output.h"

struct ctl_rows {
    struct ctl *ctl;
    struct ctl_table table; /* For people. */
    json_t *items;          /* For scripts: an array. */
    uint64_t count;
    char *next_token; /* Of the page behind these rows; "" when there is none. */
};

/* Which page to ask for. */
struct ctl_page {
    int32_t size; /* Rows, at most. */
    char *token;  /* "" for the first. */
};

/* Asks for a page, adds its rows, and says what comes behind it: ctl_rows_next(). */
typedef enum cxc_code (*ctl_page_fn)(void *arg, const struct ctl_page *page, struct ctl_rows *rows,
                                     struct cxc_error *ret_error);

/* Begins a list with the heads of its table, as ctl_table_init() takes them. To be ended
 * with ctl_rows_done(). */
void ctl_rows_init(struct ctl_rows *rows, struct ctl *ctl, const char *heads);

/* Releases what was not printed. */
void ctl_rows_done(struct ctl_rows *rows);

/* Adds a row: where scripts listen (`ctl->json`) an item, which becomes the list's, else
 * cells, which are borrowed until they are printed. */
void ctl_rows_add_item(struct ctl_rows *rows, json_t *item);
void ctl_rows_add_cells(struct ctl_rows *rows, const char *const *cells);

/* Notes the token of the next page, as a response has it: it is copied. */
void ctl_rows_next(struct ctl_rows *rows, const char *token);

/* Reads pages until there are `limit` rows, or no more. */
CXC_MUST_CHECK enum cxc_code ctl_rows_read(struct ctl_rows *rows, uint64_t limit, ctl_page_fn read,
                                           void *arg, struct cxc_error *ret_error);

/* Turns the rows around. */
void ctl_rows_reverse(struct ctl_rows *rows);

/* Prints the table, and on stderr that there are more; or {`name`: [...], "more": ...}. */
void ctl_rows_print(struct ctl_rows *rows, const char *name);

/* Says on stderr that there are more, where there are. */
void ctl_rows_tell_more(const struct ctl_rows *rows);

/* ---- Options. -------------------------------------------------------------- */

/* Rows for the tables of options, in this order. */
#define CTL_OPTIONS_LIMIT                                                                          \
    {"limit", "NUMBER", "at most so many (default: 100)"},                                         \
    {                                                                                              \
        "all", NULL, "all of them"                                                                 \
    }

/* What they say; `first` is the index of --limit. The later one counts. */
enum ctl_exit ctl_option_limit(const struct ctl *ctl, const struct ctl_args *args, size_t first,
                               uint64_t *ret_limit);

#endif /* CTL_ROWS_H */
