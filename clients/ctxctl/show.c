#include "clients/ctxctl/show.h"

#include <inttypes.h>
#include <string.h>

#include "clients/ctxctl/output.h"

enum {
    NAME_COLUMN = 10,
    PREVIEW_WIDTH = 60,
};

/* ---- JSON. ----------------------------------------------------------------- */

/* Sets a member unless the text is empty. */
static void set_text(json_t *object, const char *name, const char *text)
{
    if (text[0] != '\0') {
        json_object_set_new(object, name, json_string(text));
    }
}

static void set_number(json_t *object, const char *name, uint64_t number)
{
    json_object_set_new(object, name, json_integer((json_int_t)number));
}

json_t *ctl_entry_json(const Entry *entry, bool with_value)
{
    json_t *object = json_object();

    set_text(object, "key", entry->key);
    if (with_value) {
        json_object_set_new(object, "value", ctl_json_bytes(entry->value.data, entry->value.len));
    }
    set_text(object, "content_type", entry->content_type);
    set_number(object, "version", entry->version);
    return object;
}

static void set_times(json_t *object, const Context *context)
{
    struct ctl_pool pool = {0};

    set_text(object, "create_time", ctl_text_time(&pool, context->create_time, true));
    set_text(object, "update_time", ctl_text_time(&pool, context->update_time, true));
    set_text(object, "expire_time", ctl_text_time(&pool, context->expire_time, true));
    set_text(object, "delete_time", ctl_text_time(&pool, context->delete_time, true));
    ctl_pool_done(&pool);
}

json_t *ctl_context_json(const Context *context, bool with_entries)
{
    json_t *object = json_object();
    json_t *labels = json_object();

    set_text(object, "namespace", context->namespace_);
    set_text(object, "id", context->id);
    set_text(object, "type", context->type);
    set_text(object, "parent_id", context->parent_id);
    for (size_t i = 0; i < context->n_metadata; i++) {
        json_object_set_new(labels, context->metadata[i]->key,
                            json_string(context->metadata[i]->value));
    }
    json_object_set_new(object, "metadata", labels);
    set_number(object, "version", context->version);
    set_number(object, "revision", context->revision);
    set_times(object, context);
    set_number(object, "entry_count", context->entry_count);
    set_number(object, "size_bytes", context->size_bytes);
    if (context->fence > 0) {
        set_number(object, "fence", context->fence);
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

static char *escape(struct ctl_pool *pool, const char *text)
{
    return ctl_text_escape(pool, text, strlen(text), 0);
}

char *ctl_labels_text(struct ctl_pool *pool, const Context *context)
{
    char *text = ctl_pool_text(pool, "", 0);

    for (size_t i = 0; i < context->n_metadata; i++) {
        text = ctl_pool_format(pool, "%s%s%s=%s", text, i > 0 ? " " : "",
                               escape(pool, context->metadata[i]->key),
                               escape(pool, context->metadata[i]->value));
    }
    return text;
}

/* Prints a property unless it is empty. */
static void property_print(const struct ctl *ctl, const char *name, const char *value)
{
    if (value[0] != '\0') {
        printf("%s%-*s%s%s\n", ctl_color_on(ctl, stdout, CTL_BOLD), NAME_COLUMN, name,
               ctl_color_off(ctl, stdout), value);
    }
}

static void entries_print(struct ctl *ctl, const Context *context, bool with_values)
{
    struct ctl_pool *pool = &ctl->pool;
    struct ctl_table table;

    ctl_table_init(&table, pool,
                   with_values ? "KEY,VERSION>,SIZE>,TYPE,VALUE" : "KEY,VERSION>,TYPE");
    for (size_t i = 0; i < context->n_entries; i++) {
        const Entry *entry = context->entries[i];
        const char *key = escape(pool, entry->key);
        const char *version = ctl_pool_format(pool, "%" PRIu64, entry->version);
        const char *type = escape(pool, entry->content_type);

        if (with_values) {
            const char *size = ctl_text_size(pool, entry->value.len);
            const char *value =
                ctl_text_escape(pool, entry->value.data, entry->value.len, PREVIEW_WIDTH);

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

    property_print(ctl, "id", escape(pool, context->id));
    property_print(ctl, "namespace", escape(pool, context->namespace_));
    property_print(ctl, "type", escape(pool, context->type));
    property_print(ctl, "parent", escape(pool, context->parent_id));
    property_print(ctl, "version", ctl_pool_format(pool, "%" PRIu64, context->version));
    property_print(ctl, "created", ctl_text_time(pool, context->create_time, false));
    property_print(ctl, "updated", ctl_text_time(pool, context->update_time, false));
    property_print(ctl, "expires", ctl_text_time(pool, context->expire_time, false));
    property_print(ctl, "labels", ctl_labels_text(pool, context));
    property_print(ctl, "entries",
                   ctl_pool_format(pool, "%" PRIu64 ", %s", context->entry_count,
                                   ctl_text_size(pool, context->size_bytes)));
    if (context->n_entries > 0) {
        entries_print(ctl, context, with_values);
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
