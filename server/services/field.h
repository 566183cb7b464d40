/* The fields of a request: where one stands, and what is wrong with it.
 *
 * What always holds:
 *
 *  (1) A check that fails says CX_INVALID_ARGUMENT/INVALID_FIELD {field, rule}: the
 *      path of the field from the message that the client sent, such as
 *      "requests[3].mutations[2].put_entry.key", and the rule that it breaks.
 *  (2) A path is written out only then: until then it is a few pointers on the stack.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_FIELD_H
#define CX_SERVICES_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/status.h"

#define CX_FIELD_SINGLE SIZE_MAX

struct cx_field {
    const struct cx_field *parent; /* NULL: the message that the client sent. */
    const char *name;
    size_t index; /* CX_FIELD_SINGLE: not one of several. */
};

static inline struct cx_field cx_field_of(const struct cx_field *parent, const char *name)
{
    return (struct cx_field){parent, name, CX_FIELD_SINGLE};
}

static inline struct cx_field cx_field_at(const struct cx_field *parent, const char *name,
                                          size_t index)
{
    return (struct cx_field){parent, name, index};
}

/* Writes the path of `parent`.`name`, as far as it fits. `name` may be NULL. */
void cx_field_path(const struct cx_field *parent, const char *name, char *ret_path, size_t size);

/* The field `name` of `parent` breaks a rule. `name` NULL: it is `parent` itself. */
enum cx_status cx_field_invalid(const struct cx_field *parent, const char *name,
                                struct cx_error *error, const char *rule, ...)
    __attribute__((format(printf, 4, 5)));

/* A name: UTF-8 without control characters. */
CX_MUST_CHECK enum cx_status cx_field_check_name(const struct cx_field *parent, const char *name,
                                                 struct cx_bytes value, size_t size_min,
                                                 size_t size_max, struct cx_error *error);

/* Any other string: UTF-8 without NUL. */
CX_MUST_CHECK enum cx_status cx_field_check_text(const struct cx_field *parent, const char *name,
                                                 struct cx_bytes value, size_t size_max,
                                                 struct cx_error *error);

/* How many there are of a repeated field. */
CX_MUST_CHECK enum cx_status cx_field_check_count(const struct cx_field *parent, const char *name,
                                                  size_t count, size_t count_min, size_t count_max,
                                                  struct cx_error *error);

#endif /* CX_SERVICES_FIELD_H */
