#include "clients/ctxctl/export_line.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "clients/ctxctl/import_line.h"
#include "clients/ctxctl/json_range.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"

/* Writes a value and releases it. */
static void write_json(json_t *value, FILE *file)
{
    json_dumpf(value, file, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(value);
}

/* Writes a member with a text, unless it is empty. */
static void write_text(const char *name, const char *text, FILE *file)
{
    if (text[0] != '\0') {
        fprintf(file, ",\"%s\":", name);
        write_json(json_string(text), file);
    }
}

/* To the nearest second: an import counts from its own time, a little later. */
static void write_expiry(const Google__Protobuf__Timestamp *time, FILE *file)
{
    char text[32];
    time_t seconds;
    struct tm tm;

    if (time == NULL) {
        return;
    }
    seconds = (time_t)time->seconds + (time->nanos >= 500000000);
    if (gmtime_r(&seconds, &tm) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm)) {
        write_text("expire_time", text, file);
    }
}

static void write_labels(const Context *context, FILE *file)
{
    fputs(",\"metadata\":", file);
    write_json(ctl_labels_json(&context->base), file);
}

/* ---- Conversations. -------------------------------------------------------- */

/* Whether the value can stand in a line as it is: JSON from its first byte to its last,
 * and no line break. */
static bool is_plain_json(const ProtobufCBinaryData *value)
{
    const char *text = (const char *)value->data;
    struct ctl_json_problem problem;
    struct ctl_json whole;

    return value->len > 0 && memchr(text, '\n', value->len) == NULL &&
           memchr(text, '\r', value->len) == NULL &&
           ctl_json_check(text, value->len, &whole, &problem) && whole.size == value->len;
}

static bool is_conversation(const Context *context)
{
    for (size_t i = 0; i < context->n_entries; i++) {
        const Entry *entry = context->entries[i];
        char key[32];

        snprintf(key, sizeof key, CTL_MESSAGE_KEY_FORMAT, i + 1);
        if (strcmp(entry->key, key) != 0 ||
            strcmp(entry->content_type, CTL_MESSAGE_CONTENT_TYPE) != 0 ||
            !is_plain_json(&entry->value)) {
            return false;
        }
    }
    return context->n_entries > 0;
}

static void write_messages(const Context *context, FILE *file)
{
    fputs(",\"messages\":[", file);
    for (size_t i = 0; i < context->n_entries; i++) {
        const ProtobufCBinaryData *value = &context->entries[i]->value;

        if (i > 0) {
            fputc(',', file);
        }
        fwrite(value->data, 1, value->len, file);
    }
    fputc(']', file);
}

/* ---- Entries. -------------------------------------------------------------- */

/* A text, {"base64"}, and both with a content type. */
static json_t *entry_value(const Entry *entry)
{
    json_t *value = ctl_json_bytes(entry->value.data, entry->value.len);

    if (entry->content_type[0] != '\0') {
        if (json_is_string(value)) {
            value = json_pack("{s:o}", "text", value);
        }
        json_object_set_new(value, "content_type", json_string(entry->content_type));
    }
    return value;
}

static void write_entries(const Context *context, FILE *file)
{
    fputs(",\"entries\":{", file);
    for (size_t i = 0; i < context->n_entries; i++) {
        if (i > 0) {
            fputc(',', file);
        }
        write_json(json_string(context->entries[i]->key), file);
        fputc(':', file);
        write_json(entry_value(context->entries[i]), file);
    }
    fputc('}', file);
}

void ctl_export_line(const Context *context, FILE *file)
{
    fputs("{\"id\":", file);
    write_json(json_string(context->id), file);
    write_text("type", context->type, file);
    write_text("parent_id", context->parent_id, file);
    write_expiry(context->expire_time, file);
    write_labels(context, file);
    if (is_conversation(context)) {
        write_messages(context, file);
    } else {
        write_entries(context, file);
    }
    fputs("}\n", file);
}
