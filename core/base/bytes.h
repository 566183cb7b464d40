/* Runs of bytes. The type says who frees them. */

#ifndef CX_BASE_BYTES_H
#define CX_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/status.h"

/* Borrowed: whoever lends it says how long it stays valid. */
struct cx_bytes {
    const uint8_t *data;
    size_t size;
};

/* Owned, growing: released with cx_buffer_done(), which is safe on a zeroed
 * buffer. */
struct cx_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* The bytes of a C string, without its NUL. NULL is empty. */
static inline struct cx_bytes cx_bytes_of(const char *text)
{
    return (struct cx_bytes){(const uint8_t *)text, text != NULL ? strlen(text) : 0};
}

static inline bool cx_bytes_equal(struct cx_bytes a, struct cx_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Orders by bytes; a prefix comes first. Returns <0, 0 or >0. */
static inline int cx_bytes_compare(struct cx_bytes a, struct cx_bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool cx_bytes_has_prefix(struct cx_bytes bytes, struct cx_bytes prefix)
{
    return bytes.size >= prefix.size &&
           (prefix.size == 0 || memcmp(bytes.data, prefix.data, prefix.size) == 0);
}

/* Copies `bytes` to *at, which has room for them, and moves *at behind the copy. Returns the
 * copy. */
static inline struct cx_bytes cx_bytes_put(uint8_t **at, struct cx_bytes bytes)
{
    struct cx_bytes copy = {*at, bytes.size};

    if (bytes.size > 0) {
        memcpy(*at, bytes.data, bytes.size);
    }
    *at += bytes.size;
    return copy;
}

/* Makes room for `size` more bytes. Fails with CX_RESOURCE_EXHAUSTED when out of
 * memory; the buffer is as it was then. Amortized O(1) per byte. */
CX_MUST_CHECK enum cx_status cx_buffer_reserve(struct cx_buffer *buffer, size_t size);

/* Appends a copy of `bytes`. Fails like cx_buffer_reserve(). */
CX_MUST_CHECK enum cx_status cx_buffer_append(struct cx_buffer *buffer, struct cx_bytes bytes);

/* The content. Valid until the buffer changes. */
static inline struct cx_bytes cx_buffer_bytes(const struct cx_buffer *buffer)
{
    return (struct cx_bytes){buffer->data, buffer->size};
}

/* Releases the memory. */
void cx_buffer_done(struct cx_buffer *buffer);

#endif /* CX_BASE_BYTES_H */
