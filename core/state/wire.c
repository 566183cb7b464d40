#include "core/state/wire.h"

#include <endian.h>

enum { VARINT_SIZE_MAX = 10 };

/* Where `size` more bytes can be written, or NULL. */
static uint8_t *writer_room(struct cx_wire_writer *writer, size_t size)
{
    struct cx_buffer *buffer = writer->buffer;

    if (buffer->capacity - buffer->size < size && writer->status == CX_OK) {
        writer->status = cx_buffer_reserve(buffer, size);
    }
    return writer->status == CX_OK ? buffer->data + buffer->size : NULL;
}

static size_t number_write(uint8_t *at, uint64_t number)
{
    size_t size = 0;

    while (number >= 0x80) {
        at[size++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    at[size++] = (uint8_t)number;
    return size;
}

void cx_wire_put_large_number(struct cx_wire_writer *writer, uint64_t number)
{
    uint8_t *at = writer_room(writer, VARINT_SIZE_MAX);

    if (at != NULL) {
        writer->buffer->size += number_write(at, number);
    }
}

void cx_wire_put_bytes(struct cx_wire_writer *writer, struct cx_bytes bytes)
{
    uint8_t *at = writer_room(writer, VARINT_SIZE_MAX + bytes.size);
    size_t size;

    if (at == NULL) {
        return;
    }
    size = number_write(at, bytes.size);
    if (bytes.size > 0) {
        memcpy(at + size, bytes.data, bytes.size);
    }
    writer->buffer->size += size + bytes.size;
}

void cx_wire_put_fixed64(struct cx_wire_writer *writer, uint64_t number)
{
    uint64_t stored = htole64(number);
    uint8_t *at = writer_room(writer, sizeof stored);

    if (at != NULL) {
        memcpy(at, &stored, sizeof stored);
        writer->buffer->size += sizeof stored;
    }
}

uint64_t cx_wire_get_large_number(struct cx_wire_reader *reader)
{
    uint64_t number = 0;

    for (size_t i = 0; i < VARINT_SIZE_MAX && i < reader->rest.size; i++) {
        uint8_t byte = reader->rest.data[i];

        if (i == VARINT_SIZE_MAX - 1 && byte > 1) {
            break; /* More than 64 bits. */
        }
        number |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            reader->rest.data += i + 1;
            reader->rest.size -= i + 1;
            return number;
        }
    }
    reader->bad = true;
    reader->rest.size = 0;
    return 0;
}

static struct cx_bytes reader_take(struct cx_wire_reader *reader, uint64_t size)
{
    struct cx_bytes taken = {reader->rest.data, size};

    if (reader->bad || size > reader->rest.size) {
        reader->bad = true;
        reader->rest.size = 0;
        return (struct cx_bytes){0};
    }
    reader->rest.data += size;
    reader->rest.size -= size;
    return taken;
}

struct cx_bytes cx_wire_get_bytes(struct cx_wire_reader *reader)
{
    return reader_take(reader, cx_wire_get_number(reader));
}

uint64_t cx_wire_get_fixed64(struct cx_wire_reader *reader)
{
    struct cx_bytes bytes = reader_take(reader, sizeof(uint64_t));
    uint64_t stored = 0;

    if (bytes.size == sizeof stored) {
        memcpy(&stored, bytes.data, sizeof stored);
    }
    return le64toh(stored);
}
