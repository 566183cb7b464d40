/* What differs between two states, for people and for scripts. */

#ifndef CTL_SHOW_DIFF_H
#define CTL_SHOW_DIFF_H

#include <jansson.h>

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* Prints an entry that differs: a line with its key, the versions that set it and, with
 * values, the sizes; then the lines that went with `-` and those that came with `+`, among up
 * to three of those between, and `@@` lines where others are left out. Of what is not text,
 * only that it differs. */
void ctl_entry_diff_print(const struct ctl *ctl, const EntryDiff *diff, bool with_values);

/* Prints a label that differs, likewise. */
void ctl_label_diff_print(const struct ctl *ctl, const MetadataDiff *diff);

/* Prints what became of an entry on a line, for those who know what it was: the beginning of
 * its value, or that it was removed. */
void ctl_entry_news_print(const EntryDiff *diff);

/* {"key", "before", "after"}: entries as `get` has them, labels as texts. What is not there
 * is left out, as are the values that are not asked for. */
json_t *ctl_entry_diff_json(const EntryDiff *diff, bool before_value, bool after_value);
json_t *ctl_label_diff_json(const MetadataDiff *diff);

#endif /* CTL_SHOW_DIFF_H */
