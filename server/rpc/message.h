/* Messages between protobuf-c and gRPC's buffers. */

#ifndef CX_RPC_MESSAGE_H
#define CX_RPC_MESSAGE_H

#include <grpc/byte_buffer.h>
#include <protobuf-c/protobuf-c.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "server/rpc/quota.h"

/* Unpacks `payload`, which stays the caller's, into `arena`, and charges it: its own
 * size, and what it unfolds to beyond a few KiB, since a small message may describe a
 * large one. A string that held NUL is no UTF-8 afterwards (wire_nul.h). Fails with
 *
 *   CX_REASON_MALFORMED_REQUEST   it is not a message of this type
 *   CX_REASON_OVERLOADED          the quota has no room for it now
 *   CX_REASON_LIMIT_REACHED       out of memory
 *
 * and whatever the charge holds then is the caller's to give back all the same. */
enum cx_reason cx_message_unpack(grpc_byte_buffer *payload,
                                 const ProtobufCMessageDescriptor *descriptor,
                                 struct cx_arena *arena, struct cx_quota *quota,
                                 struct cx_charge *charge, ProtobufCMessage **ret_message);

/* Packs `message`, whose packed size is `size`, into a buffer of the caller's. */
grpc_byte_buffer *cx_message_pack(const ProtobufCMessage *message, size_t size);

/* Copies the pieces of a packed message, `size` bytes in all, into a buffer of the
 * caller's. */
grpc_byte_buffer *cx_message_join(const struct cx_bytes *pieces, size_t count, size_t size);

#endif /* CX_RPC_MESSAGE_H */
