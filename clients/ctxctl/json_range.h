/* Where the values of a JSON text lie, so that their exact bytes can be kept.
 *
 * What always holds:
 *
 *  (1) ctl_json_check() accepts exactly the texts of RFC 8259 that are UTF-8 and
 *      nested at most CTL_JSON_DEPTH_MAX deep.
 *  (2) A range has no white space around its value. The ranges of the items of a value
 *      lie inside its own, in order.
 *
 * Each function looks at each byte of its range a constant number of times.
 * Threads: pure functions. */

#ifndef CTL_JSON_RANGE_H
#define CTL_JSON_RANGE_H

#include <stdbool.h>
#include <stddef.h>

enum { CTL_JSON_DEPTH_MAX = 1000 };

/* A value, or the name of a member, in the text it is from. */
struct ctl_json {
    const char *start;
    size_t size;
};

/* What went wrong, and where. */
struct ctl_json_problem {
    size_t offset;
    const char *rule; /* A literal. */
};

/* Finds the one value that the text consists of. */
bool ctl_json_check(const char *text, size_t size, struct ctl_json *ret_value,
                    struct ctl_json_problem *ret_problem);

/* What a value is, by its first byte: one of `{ [ " t f n`, or `0` for a number. */
char ctl_json_kind(struct ctl_json value);

/* Goes through the items of an array or the members of an object that was checked. */
struct ctl_json_items {
    const char *at;
    const char *end; /* The closing bracket. */
    bool members;
};

struct ctl_json_items ctl_json_items_of(struct ctl_json value);

/* The next item, or false after the last one. `ret_name`, for members only, is the
 * name with its quotes; NULL when it is not asked for. */
bool ctl_json_next(struct ctl_json_items *items, struct ctl_json *ret_name,
                   struct ctl_json *ret_value);

#endif /* CTL_JSON_RANGE_H */
