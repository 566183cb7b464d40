#include "core/base/bytes.h"

#include <assert.h>

#include "core/base/memory.h"

enum { CAPACITY_MIN = 256 };

enum cx_status cx_buffer_reserve(struct cx_buffer *buffer, size_t size)
{
    size_t capacity = buffer->capacity > CAPACITY_MIN ? buffer->capacity : CAPACITY_MIN;
    uint8_t *data;

    if (buffer->capacity - buffer->size >= size) {
        return CX_OK;
    }
    if (size > SIZE_MAX / 2 - buffer->size) {
        return CX_RESOURCE_EXHAUSTED;
    }
    while (capacity - buffer->size < size) {
        capacity *= 2;
    }
    data = cx_realloc(buffer->data, capacity);
    if (data == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return CX_OK;
}

enum cx_status cx_buffer_append(struct cx_buffer *buffer, struct cx_bytes bytes)
{
    enum cx_status status = cx_buffer_reserve(buffer, bytes.size);

    if (status != CX_OK) {
        return status;
    }
    if (bytes.size > 0) {
        memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
    }
    buffer->size += bytes.size;
    assert(buffer->size <= buffer->capacity);
    return CX_OK;
}

void cx_buffer_done(struct cx_buffer *buffer)
{
    cx_free(buffer->data);
    *buffer = (struct cx_buffer){0};
}
