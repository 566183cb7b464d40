/* Contexts and entries, for people and for scripts. */

#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <jansson.h>

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* {"namespace", "id", "type", "parent_id", "metadata", "version", "revision",
 * "create_time", "update_time", "expire_time", "delete_time", "forked_from",
 * "recovery_policy", "entry_count", "size_bytes", "fence", "entries"}: what is not set is
 * left out, and `entries` too unless asked for. */
json_t *ctl_context_json(const Context *context, bool with_entries);

/* {"key", "value", "content_type", "version"}. */
json_t *ctl_entry_json(const Entry *entry, bool with_value);

/* Prints the properties of a context, one a line, and then a table of its entries; the
 * values as previews of one line. */
void ctl_context_print(struct ctl *ctl, const Context *context, bool with_values);

/* Prints a table of entries behind an empty line. */
void ctl_entries_print(struct ctl *ctl, Entry *const *entries, size_t count, bool with_values);

/* Prints a property on a line of its own, unless it is empty. */
void ctl_property_print(const struct ctl *ctl, const char *name, const char *value);

/* Tells the version that a write made. */
void ctl_print_version(const struct ctl *ctl, const char *id, uint64_t version, bool replayed);

#endif /* CTL_SHOW_H */
