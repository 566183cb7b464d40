#include "clients/ctxctl/show_point.h"

#include <inttypes.h>
#include <stdio.h>

#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/show.h"

const char *ctl_point_origin(const RecoveryPoint *point)
{
    switch (point->origin) {
    case CONTEXTD__V1__RECOVERY_POINT__ORIGIN__ORIGIN_CLIENT:
        return "client";
    case CONTEXTD__V1__RECOVERY_POINT__ORIGIN__ORIGIN_POLICY:
        return "policy";
    case CONTEXTD__V1__RECOVERY_POINT__ORIGIN__ORIGIN_SAFETY:
        return "safety";
    case CONTEXTD__V1__RECOVERY_POINT__ORIGIN__ORIGIN_SESSION_LOSS:
        return "session_loss";
    default:
        return "";
    }
}

/* ---- JSON. ------------------------------------------------------------------ */

json_t *ctl_point_json(const RecoveryPoint *point)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "namespace", point->namespace_);
    ctl_json_set_text(object, "context_id", point->context_id);
    ctl_json_set_text(object, "id", point->id);
    ctl_json_set_text(object, "parent_id", point->parent_id);
    ctl_json_set_number(object, "sequence", point->sequence);
    ctl_json_set_number(object, "version", point->version);
    ctl_json_set_time(object, "create_time", point->create_time);
    ctl_json_set_time(object, "expire_time", point->expire_time);
    json_object_set_new(object, "pinned", json_boolean(point->pinned));
    ctl_json_set_text(object, "origin", ctl_point_origin(point));
    json_object_set_new(object, "metadata", ctl_labels_json(&point->base));
    ctl_json_set_number(object, "entry_count", point->entry_count);
    ctl_json_set_number(object, "size_bytes", point->size_bytes);
    ctl_json_set_number(object, "revision", point->revision);
    return object;
}

static json_t *attachment_json(const Entry *attachment)
{
    json_t *object = ctl_entry_json(attachment, true);

    json_object_del(object, "version"); /* They have none. */
    return object;
}

json_t *ctl_point_whole_json(const GetRecoveryPointResponse *response,
                             const struct ctl_point_parts *parts)
{
    const RecoveryPoint *point = response->recovery_point;
    json_t *object = ctl_point_json(point);

    if (parts->entries) {
        json_t *entries = json_array();

        for (size_t i = 0; i < response->n_entries; i++) {
            json_array_append_new(entries, ctl_entry_json(response->entries[i], true));
        }
        json_object_set_new(object, "entries", entries);
    }
    if (parts->attachments) {
        json_t *attachments = json_array();

        for (size_t i = 0; i < point->n_attachments; i++) {
            json_array_append_new(attachments, attachment_json(point->attachments[i]));
        }
        json_object_set_new(object, "attachments", attachments);
    }
    return object;
}

/* ---- Text. ------------------------------------------------------------------ */

static void attachments_print(struct ctl *ctl, const RecoveryPoint *point)
{
    struct ctl_pool *pool = &ctl->pool;
    struct ctl_table table;

    ctl_table_init(&table, pool, "ATTACHMENT,SIZE>,TYPE,VALUE");
    for (size_t i = 0; i < point->n_attachments; i++) {
        const Entry *entry = point->attachments[i];

        ctl_table_add(&table,
                      (const char *[]){ctl_text_line(pool, entry->key),
                                       ctl_text_size(pool, entry->value.len),
                                       ctl_text_line(pool, entry->content_type),
                                       ctl_text_escape(pool, entry->value.data, entry->value.len,
                                                       CTL_PREVIEW_WIDTH)});
    }
    putchar('\n');
    ctl_table_print(ctl, &table, stdout);
}

void ctl_point_print(struct ctl *ctl, const GetRecoveryPointResponse *response,
                     const struct ctl_point_parts *parts)
{
    const RecoveryPoint *point = response->recovery_point;
    struct ctl_pool *pool = &ctl->pool;

    ctl_property_print(ctl, "id", ctl_text_line(pool, point->id));
    ctl_property_print(ctl, "context", ctl_text_line(pool, point->context_id));
    ctl_property_print(ctl, "namespace", ctl_text_line(pool, point->namespace_));
    ctl_property_print(ctl, "parent", ctl_text_line(pool, point->parent_id));
    ctl_property_print(ctl, "sequence", ctl_pool_format(pool, "%" PRIu64, point->sequence));
    ctl_property_print(ctl, "version", ctl_pool_format(pool, "%" PRIu64, point->version));
    ctl_property_print(ctl, "created", ctl_text_time(pool, point->create_time, false));
    ctl_property_print(ctl, "expires", ctl_text_time(pool, point->expire_time, false));
    ctl_property_print(ctl, "pinned", point->pinned ? "yes" : "no");
    ctl_property_print(ctl, "origin", ctl_point_origin(point));
    ctl_property_print(ctl, "labels", ctl_labels_text(pool, &point->base));
    ctl_property_print(ctl, "entries",
                       ctl_pool_format(pool, "%" PRIu64 ", %s", point->entry_count,
                                       ctl_text_size(pool, point->size_bytes)));
    if (parts->entries) {
        ctl_entries_print(ctl, response->entries, response->n_entries, true);
    }
    if (parts->attachments) {
        attachments_print(ctl, point);
    }
}
