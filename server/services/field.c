#include "server/services/field.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/text.h"

enum { PATH_SIZE_MAX = 256, RULE_SIZE_MAX = 256 };

/* Returns where the next part of the path goes: behind what fitted. */
static size_t path_append(const struct cx_field *field, char *path, size_t size)
{
    size_t used = field->parent != NULL ? path_append(field->parent, path, size) : 0;
    const char *dot = used > 0 ? "." : "";
    int added;

    if (field->index == CX_FIELD_SINGLE) {
        added = snprintf(path + used, size - used, "%s%s", dot, field->name);
    } else {
        added = snprintf(path + used, size - used, "%s%s[%zu]", dot, field->name, field->index);
    }
    used += (size_t)added;
    return used < size ? used : size - 1;
}

void cx_field_path(const struct cx_field *parent, const char *name, char *ret_path, size_t size)
{
    const struct cx_field leaf = cx_field_of(parent, name);
    const struct cx_field *field = name != NULL ? &leaf : parent;

    ret_path[0] = '\0';
    if (field != NULL) {
        path_append(field, ret_path, size);
    }
}

enum cx_status cx_field_invalid(const struct cx_field *parent, const char *name,
                                struct cx_error *error, const char *rule, ...)
{
    char path[PATH_SIZE_MAX];
    char text[RULE_SIZE_MAX];
    enum cx_status status;
    va_list args;

    cx_field_path(parent, name, path, sizeof path);
    va_start(args, rule);
    vsnprintf(text, sizeof text, rule, args);
    va_end(args);
    status = cx_error_set(error, CX_REASON_INVALID_FIELD, "%s %s", path, text);
    cx_error_detail(error, "field", cx_bytes_of(path));
    cx_error_detail(error, "rule", cx_bytes_of(text));
    return status;
}

/* A string that came with NUL comes here as one that is no UTF-8: see
 * server/rpc/wire_nul.h. */
static enum cx_status field_breaks(const struct cx_field *parent, const char *name,
                                   struct cx_bytes value, const char *rule, struct cx_error *error)
{
    return cx_field_invalid(parent, name, error, "%s",
                            cx_text_is_utf8(value) ? rule : "must be UTF-8 without NUL");
}

enum cx_status cx_field_check_name(const struct cx_field *parent, const char *name,
                                   struct cx_bytes value, size_t size_min, size_t size_max,
                                   struct cx_error *error)
{
    const char *rule;

    if (value.size > size_max) {
        return cx_field_invalid(parent, name, error, "must have at most %zu bytes", size_max);
    }
    rule = cx_name_check(value, size_min, size_max);
    return rule == NULL ? CX_OK : field_breaks(parent, name, value, rule, error);
}

enum cx_status cx_field_check_text(const struct cx_field *parent, const char *name,
                                   struct cx_bytes value, size_t size_max, struct cx_error *error)
{
    const char *rule;

    if (value.size > size_max) {
        return cx_field_invalid(parent, name, error, "must have at most %zu bytes", size_max);
    }
    rule = cx_text_check(value, size_max);
    return rule == NULL ? CX_OK : field_breaks(parent, name, value, rule, error);
}

enum cx_status cx_field_check_count(const struct cx_field *parent, const char *name, size_t count,
                                    size_t count_min, size_t count_max, struct cx_error *error)
{
    if (count >= count_min && count <= count_max) {
        return CX_OK;
    }
    if (count < count_min) {
        return cx_field_invalid(parent, name, error, "must not be empty");
    }
    return cx_field_invalid(parent, name, error, "must have at most %zu elements", count_max);
}
