#include "clients/ctxctl/import_line.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "clients/ctxctl/json_range.h"
#include "clients/ctxctl/output.h"

/* The server's bounds for labels: told here with the line and the member. */
enum {
    LABELS_MAX = 64,
    LABEL_KEY_MAX = 63,
    LABEL_VALUE_MAX = 1024,
    NAME_SHOWN_MAX = 80, /* Of a name in a problem. */
};

/* A line while it is read. */
struct parser {
    struct ctl_line *line;
    char *problem;
    struct ctl_list labels;
    struct ctl_list puts;
    bool entries;
};

static bool fail(struct parser *parser, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(struct parser *parser, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(parser->problem, CTL_PROBLEM_SIZE, format, args);
    va_end(args);
    return false;
}

/* ---- Texts. ---------------------------------------------------------------- */

/* The bytes that a JSON string stands for. */
static bool decode(struct parser *parser, struct ctl_json string, struct ctl_bytes *ret_bytes)
{
    json_error_t error;
    json_t *value = json_loadb(string.start, string.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (value == NULL) {
        return fail(parser, "%.*s is no text: %s", NAME_SHOWN_MAX, string.start, error.text);
    }
    ret_bytes->size = json_string_length(value);
    ret_bytes->data = ctl_pool_text(&parser->line->pool, json_string_value(value), ret_bytes->size);
    json_decref(value);
    return true;
}

/* A JSON string without NUL. `what` is whose it is. */
static bool decode_text(struct parser *parser, const char *what, struct ctl_json value,
                        const char **ret_text)
{
    struct ctl_bytes bytes;

    if (ctl_json_kind(value) != '"') {
        return fail(parser, "\"%s\" must be a text in quotes", what);
    }
    if (!decode(parser, value, &bytes)) {
        return false;
    }
    if (strlen(bytes.data) != bytes.size) {
        return fail(parser, "\"%s\" holds a NUL", what);
    }
    *ret_text = bytes.data;
    return true;
}

/* ---- Labels. --------------------------------------------------------------- */

static bool add_label(struct parser *parser, const char *key, struct ctl_json value)
{
    struct ctl_label *label = ctl_pool_alloc(&parser->line->pool, sizeof *label);
    char kind = ctl_json_kind(value);

    label->key = key;
    if (kind == '{' || kind == '[') {
        return fail(parser, "\"%s\" is %s: only texts, numbers, true, false and null become labels",
                    key, kind == '{' ? "an object" : "an array");
    }
    label->value = ctl_pool_text(&parser->line->pool, value.start, value.size);
    if (kind == '"' && !decode_text(parser, key, value, &label->value)) {
        return false;
    }
    if (key[0] == '\0' || strlen(key) > LABEL_KEY_MAX) {
        return fail(parser, "\"%.*s\": the name of a label has 1 to %d bytes, not %zu",
                    NAME_SHOWN_MAX, key, LABEL_KEY_MAX, strlen(key));
    }
    if (strlen(label->value) > LABEL_VALUE_MAX) {
        return fail(parser, "\"%s\": a label holds at most %d bytes, not %zu", key, LABEL_VALUE_MAX,
                    strlen(label->value));
    }
    ctl_list_add(&parser->line->pool, &parser->labels, label);
    return true;
}

static bool add_labels(struct parser *parser, struct ctl_json metadata)
{
    struct ctl_json_items items;
    struct ctl_json name;
    struct ctl_json value;

    if (ctl_json_kind(metadata) != '{') {
        return fail(parser, "\"metadata\" must be an object");
    }
    items = ctl_json_items_of(metadata);
    while (ctl_json_next(&items, &name, &value)) {
        const char *key;

        if (!decode_text(parser, "metadata", name, &key) || !add_label(parser, key, value)) {
            return false;
        }
    }
    return true;
}

/* ---- Entries. -------------------------------------------------------------- */

static void add_put(struct parser *parser, const char *key, struct ctl_bytes value,
                    const char *content_type)
{
    struct ctl_put *put = ctl_pool_alloc(&parser->line->pool, sizeof *put);

    *put = (struct ctl_put){key, value, content_type};
    ctl_list_add(&parser->line->pool, &parser->puts, put);
}

/* An object that stands for bytes: its members, where it has them. */
struct wrapper {
    struct ctl_json text;
    struct ctl_json base64;
    struct ctl_json content_type;
};

static struct ctl_json *wrapper_member(struct wrapper *wrapper, struct ctl_json name)
{
    static const char *const names[] = {"\"text\"", "\"base64\"", "\"content_type\""};
    struct ctl_json *members[] = {&wrapper->text, &wrapper->base64, &wrapper->content_type};

    for (size_t i = 0; i < 3; i++) {
        if (strlen(names[i]) == name.size && memcmp(names[i], name.start, name.size) == 0) {
            return members[i];
        }
    }
    return NULL;
}

/* Whether the object has one of the three forms that stand for bytes. */
static bool wrapper_read(struct ctl_json object, struct wrapper *ret_wrapper)
{
    struct ctl_json_items items = ctl_json_items_of(object);
    struct wrapper wrapper = {0};
    struct ctl_json name;
    struct ctl_json value;

    while (ctl_json_next(&items, &name, &value)) {
        struct ctl_json *member = wrapper_member(&wrapper, name);

        if (member == NULL || member->start != NULL || ctl_json_kind(value) != '"') {
            return false;
        }
        *member = value;
    }
    *ret_wrapper = wrapper;
    if (wrapper.base64.start != NULL) {
        return wrapper.text.start == NULL;
    }
    return wrapper.text.start != NULL && wrapper.content_type.start != NULL;
}

static bool add_wrapper(struct parser *parser, const char *key, const struct wrapper *wrapper)
{
    const char *content_type = "";
    struct ctl_bytes bytes;
    void *data;

    if (wrapper->content_type.start != NULL &&
        !decode_text(parser, "content_type", wrapper->content_type, &content_type)) {
        return false;
    }
    if (wrapper->text.start != NULL) {
        if (!decode(parser, wrapper->text, &bytes)) {
            return false;
        }
    } else {
        if (!decode(parser, wrapper->base64, &bytes)) {
            return false;
        }
        if (!ctl_base64_decode(&parser->line->pool, bytes.data, bytes.size, &data, &bytes.size)) {
            return fail(parser, "the entry \"%.*s\" is not valid base64", NAME_SHOWN_MAX, key);
        }
        bytes.data = data;
    }
    add_put(parser, key, bytes, content_type);
    return true;
}

static bool add_entry(struct parser *parser, const char *key, struct ctl_json value)
{
    struct wrapper wrapper;
    struct ctl_bytes bytes = {value.start, value.size};

    if (ctl_json_kind(value) == '{' && wrapper_read(value, &wrapper)) {
        return add_wrapper(parser, key, &wrapper);
    }
    if (ctl_json_kind(value) == '"' && !decode(parser, value, &bytes)) {
        return false;
    }
    add_put(parser, key, bytes, "");
    return true;
}

static bool add_entries(struct parser *parser, struct ctl_json entries)
{
    struct ctl_json_items items;
    struct ctl_json name;
    struct ctl_json value;

    if (ctl_json_kind(entries) != '{') {
        return fail(parser, "\"entries\" must be an object");
    }
    parser->entries = true;
    items = ctl_json_items_of(entries);
    while (ctl_json_next(&items, &name, &value)) {
        const char *key;

        if (!decode_text(parser, "entries", name, &key) || !add_entry(parser, key, value)) {
            return false;
        }
    }
    return true;
}

static bool add_messages(struct parser *parser, struct ctl_json messages)
{
    struct ctl_json_items items;
    struct ctl_json value;

    if (ctl_json_kind(messages) != '[') {
        return fail(parser, "\"messages\" must be an array");
    }
    parser->line->conversation = true;
    items = ctl_json_items_of(messages);
    while (ctl_json_next(&items, NULL, &value)) {
        const char *key =
            ctl_pool_format(&parser->line->pool, CTL_MESSAGE_KEY_FORMAT, parser->puts.count + 1);

        add_put(parser, key, (struct ctl_bytes){value.start, value.size}, CTL_MESSAGE_CONTENT_TYPE);
    }
    return true;
}

/* ---- Members. -------------------------------------------------------------- */

/* A time as export writes it: RFC 3339 in UTC. */
static bool set_expiry(struct parser *parser, struct ctl_json value)
{
    const char *text;
    int32_t ns;

    if (!decode_text(parser, "expire_time", value, &text)) {
        return false;
    }
    if (!ctl_parse_time(text, &parser->line->expire_s, &ns)) {
        return fail(parser, "\"expire_time\" must be a time such as 2026-11-21T10:53:18Z");
    }
    return true;
}

static bool set_member(struct parser *parser, const char *name, struct ctl_json value)
{
    struct ctl_line *line = parser->line;

    if (strcmp(name, "id") == 0) {
        return decode_text(parser, name, value, &line->id);
    }
    if (strcmp(name, "type") == 0) {
        return decode_text(parser, name, value, &line->type);
    }
    if (strcmp(name, "parent_id") == 0) {
        return decode_text(parser, name, value, &line->parent_id);
    }
    if (strcmp(name, "expire_time") == 0) {
        return set_expiry(parser, value);
    }
    if (strcmp(name, "metadata") == 0) {
        return add_labels(parser, value);
    }
    if (strcmp(name, "entries") == 0) {
        return add_entries(parser, value);
    }
    if (strcmp(name, "messages") == 0) {
        return add_messages(parser, value);
    }
    return add_label(parser, name, value);
}

/* Reads the members; none may come twice. */
static bool read_members(struct parser *parser, struct ctl_json object)
{
    struct ctl_json_items items = ctl_json_items_of(object);
    struct ctl_list names = {0};
    struct ctl_json name;
    struct ctl_json value;

    while (ctl_json_next(&items, &name, &value)) {
        const char *text;

        if (!decode_text(parser, "name", name, &text)) {
            return false;
        }
        for (size_t i = 0; i < names.count; i++) {
            if (strcmp(names.items[i], text) == 0) {
                return fail(parser, "\"%.*s\" comes twice", NAME_SHOWN_MAX, text);
            }
        }
        ctl_list_add(&parser->line->pool, &names, (void *)text);
        if (!set_member(parser, text, value)) {
            return false;
        }
    }
    return true;
}

/* ---- The line. ------------------------------------------------------------- */

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const struct ctl_label *)a)->key, ((const struct ctl_label *)b)->key);
}

static int compare_puts(const void *a, const void *b)
{
    return strcmp(((const struct ctl_put *)a)->key, ((const struct ctl_put *)b)->key);
}

static bool sort_labels(struct parser *parser)
{
    struct ctl_line *line = parser->line;
    size_t count = parser->labels.count;

    line->labels = ctl_pool_alloc(&line->pool, count * sizeof *line->labels);
    line->label_count = count;
    for (size_t i = 0; i < count; i++) {
        line->labels[i] = *(struct ctl_label *)parser->labels.items[i];
    }
    qsort(line->labels, count, sizeof *line->labels, compare_labels);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(line->labels[i - 1].key, line->labels[i].key) == 0) {
            return fail(parser, "the label \"%s\" comes twice", line->labels[i].key);
        }
    }
    if (count > LABELS_MAX) {
        return fail(parser, "a context has at most %d labels, not %zu", LABELS_MAX, count);
    }
    return true;
}

static bool sort_puts(struct parser *parser)
{
    struct ctl_line *line = parser->line;
    size_t count = parser->puts.count;

    line->puts = ctl_pool_alloc(&line->pool, count * sizeof *line->puts);
    line->put_count = count;
    for (size_t i = 0; i < count; i++) {
        line->puts[i] = *(struct ctl_put *)parser->puts.items[i];
    }
    qsort(line->puts, count, sizeof *line->puts, compare_puts);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(line->puts[i - 1].key, line->puts[i].key) == 0) {
            return fail(parser, "the entry \"%.*s\" comes twice", NAME_SHOWN_MAX,
                        line->puts[i].key);
        }
    }
    return true;
}

bool ctl_line_parse(const char *text, size_t size, struct ctl_line *ret_line,
                    char problem[CTL_PROBLEM_SIZE])
{
    struct parser parser = {.line = ret_line, .problem = problem};
    struct ctl_json_problem broken;
    struct ctl_json value;

    *ret_line = (struct ctl_line){.id = "", .type = "", .parent_id = ""};
    ret_line->text = ctl_pool_text(&ret_line->pool, text, size);
    ret_line->text_size = size;
    if (!ctl_json_check(ret_line->text, size, &value, &broken)) {
        return fail(&parser, "not JSON, at byte %zu: %s", broken.offset + 1, broken.rule);
    }
    if (ctl_json_kind(value) != '{') {
        return fail(&parser, "a line must be an object");
    }
    if (!read_members(&parser, value)) {
        return false;
    }
    if (ret_line->id[0] == '\0') {
        return fail(&parser, "\"id\" is missing: it names the context");
    }
    if (parser.entries && ret_line->conversation) {
        return fail(&parser, "\"entries\" and \"messages\" do not go together");
    }
    return sort_labels(&parser) && sort_puts(&parser);
}

void ctl_line_done(struct ctl_line *line)
{
    ctl_pool_done(&line->pool);
}
