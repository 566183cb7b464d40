/* The wire format: https://protobuf.dev/programming-guides/encoding/ */

#include "server/rpc/wire_nul.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* One field of a message: its number, and its bytes if it has any. */
struct wire_field {
    uint32_t number;
    bool has_bytes;
    size_t start; /* In the message. */
    size_t size;
};

/* Reads a varint at *at and moves that on. False when it is cut or too long. */
static bool read_varint(const uint8_t *packed, size_t size, size_t *at, uint64_t *ret_number)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 64 && *at < size; shift += 7) {
        uint8_t byte = packed[(*at)++];

        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_number = number;
            return true;
        }
    }
    return false;
}

/* Reads the field at *at and moves that on. False at the end, and where the message is
 * malformed. */
static bool read_field(const uint8_t *packed, size_t size, size_t *at, struct wire_field *ret_field)
{
    uint64_t tag;
    uint64_t rest;

    if (!read_varint(packed, size, at, &tag)) {
        return false;
    }
    switch (tag & 7) {
    case WIRE_VARINT:
        if (!read_varint(packed, size, at, &rest)) {
            return false;
        }
        rest = 0;
        break;
    case WIRE_FIXED64:
        rest = 8;
        break;
    case WIRE_FIXED32:
        rest = 4;
        break;
    case WIRE_BYTES:
        if (!read_varint(packed, size, at, &rest)) {
            return false;
        }
        break;
    default:
        return false;
    }
    if (rest > size - *at) {
        return false;
    }
    *ret_field = (struct wire_field){
        .number = (uint32_t)(tag >> 3),
        .has_bytes = (tag & 7) == WIRE_BYTES,
        .start = *at,
        .size = (size_t)rest,
    };
    *at += (size_t)rest;
    return true;
}

/* Finds the next string with NUL from *at on, or message that may have one. */
static const ProtobufCFieldDescriptor *next_suspect(const ProtobufCMessageDescriptor *descriptor,
                                                    const uint8_t *packed, size_t size, size_t *at,
                                                    struct wire_field *ret_field)
{
    while (read_field(packed, size, at, ret_field)) {
        const ProtobufCFieldDescriptor *field;

        if (!ret_field->has_bytes || ret_field->size == 0 ||
            memchr(packed + ret_field->start, 0, ret_field->size) == NULL) {
            continue;
        }
        field = protobuf_c_message_descriptor_get_field(descriptor, ret_field->number);
        if (field != NULL &&
            (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)) {
            return field;
        }
    }
    return NULL;
}

bool cx_wire_has_nul(const ProtobufCMessageDescriptor *descriptor, const uint8_t *packed,
                     size_t size)
{
    const ProtobufCFieldDescriptor *field;
    struct wire_field found;
    size_t at = 0;

    if (size == 0 || memchr(packed, 0, size) == NULL) {
        return false;
    }
    while ((field = next_suspect(descriptor, packed, size, &at, &found)) != NULL) {
        if (field->type == PROTOBUF_C_TYPE_STRING ||
            cx_wire_has_nul(field->descriptor, packed + found.start, found.size)) {
            return true;
        }
    }
    return false;
}

void cx_wire_mark_nul(const ProtobufCMessageDescriptor *descriptor, uint8_t *packed, size_t size)
{
    const ProtobufCFieldDescriptor *field;
    struct wire_field found;
    size_t at = 0;

    while ((field = next_suspect(descriptor, packed, size, &at, &found)) != NULL) {
        uint8_t *bytes = packed + found.start;

        if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            cx_wire_mark_nul(field->descriptor, bytes, found.size);
            continue;
        }
        for (size_t i = 0; i < found.size; i++) {
            bytes[i] = bytes[i] != 0 ? bytes[i] : 0xff;
        }
    }
}
