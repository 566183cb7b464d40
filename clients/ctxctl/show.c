#include "clients/ctxctl/show.h"

#include <inttypes.h>
#include <string.h>

#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/policy.h"
#include "clients/ctxctl/state.h"

enum { NAME_COLUMN = 10 };

/* ---- JSON. ----------------------------------------------------------------- */

json_t *ctl_entry_json(const Entry *entry, bool with_value)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "key", entry->key);
    if (with_value) {
        json_object_set_new(object, "value", ctl_json_bytes(entry->value.data, entry->value.len));
    }
    ctl_json_set_text(object, "content_type", entry->content_type);
    ctl_json_set_number(object, "version", entry->version);
    return object;
}

json_t *ctl_context_json(const Context *context, bool with_entries)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "namespace", context->namespace_);
    ctl_json_set_text(object, "id", context->id);
    ctl_json_set_text(object, "type", context->type);
    ctl_json_set_text(object, "parent_id", context->parent_id);
    json_object_set_new(object, "metadata", ctl_labels_json(&context->base));
    ctl_json_set_number(object, "version", context->version);
    ctl_json_set_number(object, "revision", context->revision);
    ctl_json_set_time(object, "create_time", context->create_time);
    ctl_json_set_time(object, "update_time", context->update_time);
    ctl_json_set_time(object, "expire_time", context->expire_time);
    ctl_json_set_time(object, "delete_time", context->delete_time);
    if (context->forked_from != NULL) {
        json_object_set_new(object, "forked_from", ctl_state_json(context->forked_from));
    }
    if (context->recovery_policy != NULL) {
        json_object_set_new(object, "recovery_policy", ctl_policy_json(context->recovery_policy));
    }
    ctl_json_set_number(object, "entry_count", context->entry_count);
    ctl_json_set_number(object, "size_bytes", context->size_bytes);
    if (context->fence > 0) {
        ctl_json_set_number(object, "fence", context->fence);
    }
    if (with_entries) {
        json_t *entries = json_array();

        for (size_t i = 0; i < context->n_entries; i++) {
            json_array_append_new(entries, ctl_entry_json(context->entries[i], true));
        }
        json_object_set_new(object, "entries", entries);
    }
    return object;
}

/* ---- Text. ----------------------------------------------------------------- */

void ctl_property_print(const struct ctl *ctl, const char *name, const char *value)
{
    if (value[0] != '\0') {
        printf("%s%-*s%s%s\n", ctl_color_on(ctl, stdout, CTL_BOLD), NAME_COLUMN, name,
               ctl_color_off(ctl, stdout), value);
    }
}

void ctl_entries_print(struct ctl *ctl, Entry *const *entries, size_t count, bool with_values)
{
    struct ctl_pool *pool = &ctl->pool;
    struct ctl_table table;

    ctl_table_init(&table, pool,
                   with_values ? "KEY,VERSION>,SIZE>,TYPE,VALUE" : "KEY,VERSION>,TYPE");
    for (size_t i = 0; i < count; i++) {
        const Entry *entry = entries[i];
        const char *key = ctl_text_line(pool, entry->key);
        const char *version = ctl_pool_format(pool, "%" PRIu64, entry->version);
        const char *type = ctl_text_line(pool, entry->content_type);

        if (with_values) {
            const char *size = ctl_text_size(pool, entry->value.len);
            const char *value =
                ctl_text_escape(pool, entry->value.data, entry->value.len, CTL_PREVIEW_WIDTH);

            ctl_table_add(&table, (const char *[]){key, version, size, type, value});
        } else {
            ctl_table_add(&table, (const char *[]){key, version, type});
        }
    }
    putchar('\n');
    ctl_table_print(ctl, &table, stdout);
}

void ctl_context_print(struct ctl *ctl, const Context *context, bool with_values)
{
    struct ctl_pool *pool = &ctl->pool;

    ctl_property_print(ctl, "id", ctl_text_line(pool, context->id));
    ctl_property_print(ctl, "namespace", ctl_text_line(pool, context->namespace_));
    ctl_property_print(ctl, "type", ctl_text_line(pool, context->type));
    ctl_property_print(ctl, "parent", ctl_text_line(pool, context->parent_id));
    ctl_property_print(ctl, "version", ctl_pool_format(pool, "%" PRIu64, context->version));
    ctl_property_print(ctl, "created", ctl_text_time(pool, context->create_time, false));
    ctl_property_print(ctl, "updated", ctl_text_time(pool, context->update_time, false));
    ctl_property_print(ctl, "expires", ctl_text_time(pool, context->expire_time, false));
    ctl_property_print(ctl, "labels", ctl_labels_text(pool, &context->base));
    ctl_property_print(ctl, "forked", ctl_state_text(pool, context->forked_from));
    ctl_property_print(ctl, "policy", ctl_policy_text(pool, context->recovery_policy));
    ctl_property_print(ctl, "entries",
                       ctl_pool_format(pool, "%" PRIu64 ", %s", context->entry_count,
                                       ctl_text_size(pool, context->size_bytes)));
    if (context->n_entries > 0) {
        ctl_entries_print(ctl, context->entries, context->n_entries, with_values);
    }
}

void ctl_print_version(const struct ctl *ctl, const char *id, uint64_t version, bool replayed)
{
    if (ctl->json) {
        ctl_json_print(json_pack("{s:s, s:I, s:b}", "id", id, "version", (json_int_t)version,
                                 "replayed", replayed),
                       stdout);
    } else {
        printf("%s is at version %" PRIu64 "\n", id, version);
    }
}
