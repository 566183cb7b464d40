/* Text from outside: UTF-8, names. The one place that decides what a name may be.
 *
 * Source for UTF-8: RFC 3629, section 4 (no surrogates, no overlong forms). */

#ifndef CX_BASE_TEXT_H
#define CX_BASE_TEXT_H

#include <stdbool.h>

#include "core/base/bytes.h"

/* Whether the bytes are well-formed UTF-8. */
bool cx_text_is_utf8(struct cx_bytes text);

/* The size of the longest prefix that does not end inside a character. */
size_t cx_text_whole_size(struct cx_bytes text);

/* Checks a name: UTF-8 without control characters (below U+0020, and U+007F to
 * U+009F), `size_min` to `size_max` bytes. Returns NULL, or the rule that it
 * breaks as a text for people, valid for ever. */
const char *cx_name_check(struct cx_bytes name, size_t size_min, size_t size_max);

/* Checks a namespace: 1 to 63 characters of `a-z 0-9 - _ .`, beginning with a
 * letter or digit. Returns like cx_name_check(). */
const char *cx_namespace_check(struct cx_bytes name);

/* Checks a free text: UTF-8 without NUL, at most `size_max` bytes. Returns like
 * cx_name_check(). */
const char *cx_text_check(struct cx_bytes text, size_t size_max);

#endif /* CX_BASE_TEXT_H */
