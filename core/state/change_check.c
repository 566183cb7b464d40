#include "core/state/change_check.h"

#include "core/base/limits.h"
#include "core/state/settings.h"

/* Keys of the lists are joined with NUL, so that no name may hold one. */
static bool is_name(struct cx_bytes bytes, size_t size_max)
{
    return bytes.size <= size_max &&
           (bytes.size == 0 || memchr(bytes.data, '\0', bytes.size) == NULL);
}

static bool is_duration(int64_t duration_us)
{
    return duration_us >= 0 && duration_us <= CX_TTL_US_MAX;
}

static bool labels_are_well_formed(struct cx_label_list list)
{
    if (list.count > CX_LABELS_MAX) {
        return false;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (!is_name(list.items[i].key, CX_LABEL_KEY_SIZE_MAX) ||
            !is_name(list.items[i].value, CX_LABEL_VALUE_SIZE_MAX)) {
            return false;
        }
        if (i > 0 && cx_bytes_compare(list.items[i - 1].key, list.items[i].key) >= 0) {
            return false;
        }
    }
    return true;
}

static bool op_is_well_formed(const struct cx_op *op)
{
    switch (op->kind) {
    case CX_MUTATION_PUT:
    case CX_MUTATION_APPEND:
        return op->key.size >= 1 && op->key.size <= CX_ENTRY_KEY_SIZE_MAX &&
               op->content_type.size <= CX_CONTENT_TYPE_SIZE_MAX;
    case CX_MUTATION_SET_EXPIRY:
        return is_duration(op->ttl_us);
    default:
        return op->key.size <= CX_ENTRY_KEY_SIZE_MAX;
    }
}

static bool item_is_well_formed(const struct cx_change_item *item)
{
    if (item->id.size == 0 || !is_name(item->id, CX_CONTEXT_ID_SIZE_MAX) ||
        !is_name(item->type, CX_CONTEXT_TYPE_SIZE_MAX) ||
        !is_name(item->parent_id, CX_CONTEXT_ID_SIZE_MAX) ||
        !labels_are_well_formed(item->labels) || !is_duration(item->ttl_us) ||
        (item->kind == CX_ITEM_CREATE && !item->labels_changed)) {
        return false;
    }
    for (size_t i = 0; i < item->op_count; i++) {
        if (!op_is_well_formed(&item->ops[i])) {
            return false;
        }
    }
    return true;
}

static bool settings_are_well_formed(const struct cx_settings *settings)
{
    return settings->version_retention >= 1 && is_duration(settings->undelete_window_us) &&
           is_duration(settings->tombstone_window_us) &&
           is_duration(settings->request_id_window_us) &&
           settings->tombstone_window_us >= settings->undelete_window_us;
}

bool cx_change_is_well_formed(const struct cx_change *change)
{
    if (change->kind == CX_CHANGE_SETTINGS) {
        return settings_are_well_formed(change->settings);
    }
    if (change->namespace_id.size == 0 || !is_name(change->namespace_id, CX_NAMESPACE_SIZE_MAX) ||
        change->item_count == 0 || change->item_count > CX_CHANGE_ITEMS_MAX ||
        change->request.owner >= change->item_count) {
        return false;
    }
    for (size_t i = 0; i < change->item_count; i++) {
        if (!item_is_well_formed(&change->items[i])) {
            return false;
        }
    }
    return true;
}
