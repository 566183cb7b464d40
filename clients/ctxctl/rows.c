#include "clients/ctxctl/rows.h"

#include <assert.h>
#include <string.h>

#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/request.h"

enum {
    LIMIT_DEFAULT = 100,
    PAGE_SIZE_MAX = 1000,
};

void ctl_rows_init(struct ctl_rows *rows, struct ctl *ctl, const char *heads)
{
    *rows = (struct ctl_rows){.ctl = ctl, .items = json_array(), .next_token = ""};
    ctl_table_init(&rows->table, &ctl->pool, heads);
}

void ctl_rows_done(struct ctl_rows *rows)
{
    json_decref(rows->items);
    rows->items = NULL;
}

void ctl_rows_add_item(struct ctl_rows *rows, json_t *item)
{
    assert(rows->ctl->json);
    json_array_append_new(rows->items, item);
    rows->count++;
}

void ctl_rows_add_cells(struct ctl_rows *rows, const char *const *cells)
{
    assert(!rows->ctl->json);
    ctl_table_add(&rows->table, cells);
    rows->count++;
}

void ctl_rows_next(struct ctl_rows *rows, const char *token)
{
    rows->next_token = ctl_pool_text(&rows->ctl->pool, token, strlen(token));
}

enum cxc_code ctl_rows_read(struct ctl_rows *rows, uint64_t limit, ctl_page_fn read, void *arg,
                            struct cxc_error *ret_error)
{
    do {
        uint64_t left = limit - rows->count;
        struct ctl_page page = {
            .size = (int32_t)(left < PAGE_SIZE_MAX ? left : PAGE_SIZE_MAX),
            .token = rows->next_token,
        };
        enum cxc_code code = read(arg, &page, rows, ret_error);

        if (code != CXC_OK) {
            return code;
        }
    } while (rows->next_token[0] != '\0' && rows->count < limit);
    return CXC_OK;
}

static void table_reverse(struct ctl_table *table)
{
    for (size_t i = 0; i < table->row_count / 2; i++) {
        const char **row = table->cells + i * table->column_count;
        const char **other = table->cells + (table->row_count - 1 - i) * table->column_count;

        for (size_t column = 0; column < table->column_count; column++) {
            const char *cell = row[column];

            row[column] = other[column];
            other[column] = cell;
        }
    }
}

void ctl_rows_reverse(struct ctl_rows *rows)
{
    json_t *reversed = json_array();

    for (size_t i = json_array_size(rows->items); i > 0; i--) {
        json_array_append(reversed, json_array_get(rows->items, i - 1));
    }
    json_decref(rows->items);
    rows->items = reversed;
    table_reverse(&rows->table);
}

static bool has_more(const struct ctl_rows *rows)
{
    return rows->next_token[0] != '\0';
}

void ctl_rows_print(struct ctl_rows *rows, const char *name)
{
    if (rows->ctl->json) {
        ctl_json_print(json_pack("{s:O, s:b}", name, rows->items, "more", has_more(rows)), stdout);
        return;
    }
    ctl_table_print(rows->ctl, &rows->table, stdout);
    ctl_rows_tell_more(rows);
}

void ctl_rows_tell_more(const struct ctl_rows *rows)
{
    if (has_more(rows)) {
        fprintf(stderr, "There are more: --all shows them, --limit so many.\n");
    }
}

/* ---- Options. -------------------------------------------------------------- */

enum ctl_exit ctl_option_limit(const struct ctl *ctl, const struct ctl_args *args, size_t first,
                               uint64_t *ret_limit)
{
    uint64_t limit = LIMIT_DEFAULT;
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        if (args->settings[i].option == first) {
            exit = ctl_option_number(ctl, "limit", args->settings[i].value, &limit);
        } else if (args->settings[i].option == first + 1) {
            limit = UINT64_MAX;
        }
    }
    if (exit == CTL_OK && limit == 0) {
        exit = ctl_complain(ctl, CTL_USAGE, "--limit takes a number above 0");
    }
    *ret_limit = limit;
    return exit;
}
