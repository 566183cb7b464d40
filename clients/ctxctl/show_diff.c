#include "clients/ctxctl/show_diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clients/ctxctl/line_diff.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/show.h"
#include "clients/ctxctl/show_mutation.h"
#include "clients/ctxctl/utf8.h"

enum { CONTEXT_LINES = 3 }; /* Shown of what is the same, before and behind a change. */

/* ---- Lines. ------------------------------------------------------------------ */

static void line_print(const struct ctl *ctl, char mark, struct ctl_bytes line)
{
    struct ctl_pool pool = {0};
    bool colored = mark != ' ';

    printf("%s%c%s%s\n",
           colored ? ctl_color_on(ctl, stdout, mark == '-' ? CTL_RED : CTL_GREEN) : "", mark,
           ctl_text_escape(&pool, line.data, line.size, 0),
           colored ? ctl_color_off(ctl, stdout) : "");
    ctl_pool_done(&pool);
}

static void lines_print(const struct ctl *ctl, char mark, const struct ctl_lines *lines,
                        size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        line_print(ctl, mark, lines->items[i]);
    }
}

/* Changes that are near each other, with the lines around them. */
struct hunk {
    size_t first_change;
    size_t end_change;
    struct ctl_line_range before;
    struct ctl_line_range after;
};

/* Widens the changes from `first` on to a hunk: those behind belong to it while what is
 * between them would be shown anyway. */
static struct hunk hunk_make(const struct ctl_line_diff *diff, size_t first)
{
    const struct ctl_line_change *begin = &diff->changes[first];
    const struct ctl_line_change *last = begin;
    size_t lead = begin->before.first < CONTEXT_LINES ? begin->before.first : CONTEXT_LINES;
    struct hunk hunk = {.first_change = first, .end_change = first + 1};
    size_t rest;
    size_t tail;

    while (hunk.end_change < diff->change_count &&
           diff->changes[hunk.end_change].before.first -
                   (last->before.first + last->before.count) <=
               2 * CONTEXT_LINES) {
        last = &diff->changes[hunk.end_change++];
    }
    rest = diff->before.count - (last->before.first + last->before.count);
    tail = rest < CONTEXT_LINES ? rest : CONTEXT_LINES;
    hunk.before.first = begin->before.first - lead;
    hunk.after.first = begin->after.first - lead;
    hunk.before.count = last->before.first + last->before.count + tail - hunk.before.first;
    hunk.after.count = last->after.first + last->after.count + tail - hunk.after.first;
    return hunk;
}

/* Where a hunk stands, as other tools tell it: lines from 1. */
static void hunk_head_print(const struct ctl *ctl, const struct hunk *hunk)
{
    printf("%s@@ -%zu,%zu +%zu,%zu @@%s\n", ctl_color_on(ctl, stdout, CTL_CYAN),
           hunk->before.first + (hunk->before.count > 0 ? 1 : 0), hunk->before.count,
           hunk->after.first + (hunk->after.count > 0 ? 1 : 0), hunk->after.count,
           ctl_color_off(ctl, stdout));
}

static void hunk_print(const struct ctl *ctl, const struct ctl_line_diff *diff,
                       const struct hunk *hunk)
{
    size_t at = hunk->before.first;

    for (size_t i = hunk->first_change; i < hunk->end_change; i++) {
        const struct ctl_line_change *change = &diff->changes[i];
        size_t before_end = change->before.first + change->before.count;

        lines_print(ctl, ' ', &diff->before, at, change->before.first);
        lines_print(ctl, '-', &diff->before, change->before.first, before_end);
        lines_print(ctl, '+', &diff->after, change->after.first,
                    change->after.first + change->after.count);
        at = before_end;
    }
    lines_print(ctl, ' ', &diff->before, at, hunk->before.first + hunk->before.count);
}

static void note_print(const struct ctl *ctl, const char *text)
{
    printf("%s%s%s\n", ctl_color_on(ctl, stdout, CTL_DIM), text, ctl_color_off(ctl, stdout));
}

static void text_diff_print(const struct ctl *ctl, struct ctl_bytes before, struct ctl_bytes after)
{
    struct ctl_pool pool = {0};
    struct ctl_line_diff diff;

    ctl_lines_compare(&pool, before, after, &diff);
    for (size_t i = 0; i < diff.change_count;) {
        struct hunk hunk = hunk_make(&diff, i);

        if (hunk.before.count < diff.before.count || hunk.after.count < diff.after.count) {
            hunk_head_print(ctl, &hunk);
        }
        hunk_print(ctl, &diff, &hunk);
        i = hunk.end_change;
    }
    if (before.size > 0 && after.size > 0 && diff.before.ends != diff.after.ends) {
        note_print(ctl, diff.before.ends ? "the last line has lost its end"
                                         : "the last line has an end now");
    }
    ctl_pool_done(&pool);
}

/* ---- Entries. ---------------------------------------------------------------- */

static struct ctl_bytes bytes_of(const Entry *entry)
{
    return entry != NULL ? (struct ctl_bytes){entry->value.data, entry->value.len}
                         : (struct ctl_bytes){NULL, 0};
}

static bool is_text(struct ctl_bytes bytes)
{
    const char *at = bytes.data;
    size_t left = bytes.size;

    while (left > 0) {
        size_t size = *at != '\0' ? ctl_utf8_size(at, left) : 0;

        if (size == 0) {
            return false;
        }
        at += size;
        left -= size;
    }
    return true;
}

/* The version that set an entry, and its size: `v7, 13 B`. */
static char *entry_place(struct ctl_pool *pool, const Entry *entry, bool with_values)
{
    return with_values ? ctl_pool_format(pool, "v%" PRIu64 ", %s", entry->version,
                                         ctl_text_size(pool, entry->value.len))
                       : ctl_pool_format(pool, "v%" PRIu64, entry->version);
}

static void head_print(const struct ctl *ctl, const char *text)
{
    printf("%s%s%s\n", ctl_color_on(ctl, stdout, CTL_BOLD), text, ctl_color_off(ctl, stdout));
}

static void entry_head_print(const struct ctl *ctl, const EntryDiff *diff, bool with_values)
{
    struct ctl_pool pool = {0};
    const char *key = ctl_text_line(&pool, diff->key);
    const char *before = diff->before != NULL ? entry_place(&pool, diff->before, with_values) : "";
    const char *after = diff->after != NULL ? entry_place(&pool, diff->after, with_values) : "";

    if (diff->before == NULL) {
        head_print(ctl, ctl_pool_format(&pool, "added %s (%s)", key, after));
    } else if (diff->after == NULL) {
        head_print(ctl, ctl_pool_format(&pool, "removed %s (%s)", key, before));
    } else {
        head_print(ctl, ctl_pool_format(&pool, "changed %s (%s to %s)", key, before, after));
    }
    ctl_pool_done(&pool);
}

static void type_diff_print(const struct ctl *ctl, const EntryDiff *diff)
{
    struct ctl_pool pool = {0};

    if (diff->before != NULL && diff->after != NULL &&
        strcmp(diff->before->content_type, diff->after->content_type) != 0) {
        note_print(ctl, ctl_pool_format(&pool, "type %s to %s",
                                        diff->before->content_type[0] != '\0'
                                            ? ctl_text_line(&pool, diff->before->content_type)
                                            : "none",
                                        diff->after->content_type[0] != '\0'
                                            ? ctl_text_line(&pool, diff->after->content_type)
                                            : "none"));
    }
    ctl_pool_done(&pool);
}

void ctl_entry_diff_print(const struct ctl *ctl, const EntryDiff *diff, bool with_values)
{
    struct ctl_bytes before = bytes_of(diff->before);
    struct ctl_bytes after = bytes_of(diff->after);
    bool same = before.size == after.size &&
                (before.size == 0 || memcmp(before.data, after.data, before.size) == 0);

    entry_head_print(ctl, diff, with_values);
    type_diff_print(ctl, diff);
    if (!with_values) {
        return;
    }
    if (same) {
        note_print(ctl, diff->before != NULL && diff->after != NULL ? "set again, to the same value"
                                                                    : "empty");
    } else if (is_text(before) && is_text(after)) {
        text_diff_print(ctl, before, after);
    } else {
        note_print(ctl, "not text");
    }
}

void ctl_entry_news_print(const EntryDiff *diff)
{
    struct ctl_pool pool = {0};

    if (diff->after != NULL) {
        printf("set %s\n", ctl_value_text(&pool, diff->key, &diff->after->value, true));
    } else {
        printf("removed %s\n", ctl_text_line(&pool, diff->key));
    }
    ctl_pool_done(&pool);
}

/* ---- Labels. ----------------------------------------------------------------- */

void ctl_label_diff_print(const struct ctl *ctl, const MetadataDiff *diff)
{
    struct ctl_pool pool = {0};
    const char *what = diff->before == NULL ? "added" : diff->after == NULL ? "removed" : "changed";

    head_print(ctl, ctl_pool_format(&pool, "%s label %s", what, ctl_text_line(&pool, diff->key)));
    if (diff->before != NULL) {
        line_print(ctl, '-', ctl_bytes_of(diff->before->value));
    }
    if (diff->after != NULL) {
        line_print(ctl, '+', ctl_bytes_of(diff->after->value));
    }
    ctl_pool_done(&pool);
}

/* ---- JSON. ------------------------------------------------------------------- */

json_t *ctl_entry_diff_json(const EntryDiff *diff, bool before_value, bool after_value)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "key", diff->key);
    if (diff->before != NULL) {
        json_object_set_new(object, "before", ctl_entry_json(diff->before, before_value));
    }
    if (diff->after != NULL) {
        json_object_set_new(object, "after", ctl_entry_json(diff->after, after_value));
    }
    return object;
}

json_t *ctl_label_diff_json(const MetadataDiff *diff)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "key", diff->key);
    if (diff->before != NULL) {
        json_object_set_new(object, "before", json_string(diff->before->value));
    }
    if (diff->after != NULL) {
        json_object_set_new(object, "after", json_string(diff->after->value));
    }
    return object;
}
