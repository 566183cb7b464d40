/* NUL in the strings of a packed message. protobuf-c hands out C strings, which end
 * there without a word, so that what is not the same would look the same.
 *
 * Threads: plain data. */

#ifndef CX_RPC_WIRE_NUL_H
#define CX_RPC_WIRE_NUL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* Whether a string of the message, or of one within it, holds NUL. Fields of bytes may.
 * Stops where the message is malformed. O(fields), once there is a NUL at all. */
bool cx_wire_has_nul(const ProtobufCMessageDescriptor *descriptor, const uint8_t *packed,
                     size_t size);

/* Makes those NULs 0xff, a byte that no UTF-8 has: whoever checks the string refuses it,
 * by its name and in its place. */
void cx_wire_mark_nul(const ProtobufCMessageDescriptor *descriptor, uint8_t *packed, size_t size);

#endif /* CX_RPC_WIRE_NUL_H */
