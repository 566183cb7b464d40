/* UTF-8, as RFC 3629 draws it. */

#ifndef CTL_UTF8_H
#define CTL_UTF8_H

#include <stddef.h>

/* The size of the character that `text` begins with; 0 when it is none, cut off, of
 * too long a form, a surrogate or beyond U+10FFFF. `size` is at least 1. */
size_t ctl_utf8_size(const char *text, size_t size);

#endif /* CTL_UTF8_H */
