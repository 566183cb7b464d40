#include "server/rpc/message.h"

#include <assert.h>
#include <string.h>

#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>

#include "core/base/limits.h"
#include "server/rpc/wire_nul.h"

enum {
    ROOM_FREE = 4096,      /* An unpacked message of this size costs no charge of its own. */
    ROOM_STEP = 64 * 1024, /* Charged at a time. */
};

/* Where a message is unpacked to. */
struct unpack {
    struct cx_arena *arena;
    struct cx_quota *quota;
    struct cx_charge *charge;
    size_t room;           /* That is left of what was charged. */
    enum cx_reason reason; /* Why an allocation was refused. */
};

static void *unpack_alloc(void *arg, size_t size)
{
    struct unpack *unpack = arg;
    void *memory;

    if (size > unpack->room) {
        size_t step = size > ROOM_STEP ? size : ROOM_STEP;

        if (!cx_quota_take(unpack->quota, unpack->charge, step)) {
            unpack->reason = CX_REASON_OVERLOADED;
            return NULL;
        }
        unpack->room = step;
    }
    memory = cx_arena_alloc(unpack->arena, size);
    if (memory == NULL) {
        unpack->reason = CX_REASON_LIMIT_REACHED;
        return NULL;
    }
    unpack->room -= size;
    return memory;
}

static void unpack_free(void *arg, void *memory)
{
    (void)arg; /* Freed with the arena. */
    (void)memory;
}

static ProtobufCMessage *unpack_slice(struct unpack *unpack,
                                      const ProtobufCMessageDescriptor *descriptor,
                                      const grpc_slice *slice)
{
    ProtobufCAllocator allocator = {unpack_alloc, unpack_free, unpack};
    const uint8_t *packed = GRPC_SLICE_START_PTR(*slice);
    size_t size = GRPC_SLICE_LENGTH(*slice);

    if (cx_wire_has_nul(descriptor, packed, size)) {
        uint8_t *marked = unpack_alloc(unpack, size);

        if (marked == NULL) {
            return NULL;
        }
        memcpy(marked, packed, size);
        cx_wire_mark_nul(descriptor, marked, size);
        packed = marked;
    }
    return protobuf_c_message_unpack(descriptor, &allocator, size, packed);
}

/* Reads a message in place when it lies in one slice, as small ones do. */
static ProtobufCMessage *unpack_buffer(struct unpack *unpack,
                                       const ProtobufCMessageDescriptor *descriptor,
                                       grpc_byte_buffer *payload, size_t size)
{
    grpc_byte_buffer_reader reader;
    ProtobufCMessage *message;
    grpc_slice *first;
    grpc_slice whole;

    if (!grpc_byte_buffer_reader_init(&reader, payload)) {
        return NULL;
    }
    if (grpc_byte_buffer_reader_peek(&reader, &first) && GRPC_SLICE_LENGTH(*first) == size) {
        message = unpack_slice(unpack, descriptor, first);
    } else {
        grpc_byte_buffer_reader_destroy(&reader);
        grpc_byte_buffer_reader_init(&reader, payload);
        whole = grpc_byte_buffer_reader_readall(&reader);
        message = unpack_slice(unpack, descriptor, &whole);
        grpc_slice_unref(whole);
    }
    grpc_byte_buffer_reader_destroy(&reader);
    return message;
}

enum cx_reason cx_message_unpack(grpc_byte_buffer *payload,
                                 const ProtobufCMessageDescriptor *descriptor,
                                 struct cx_arena *arena, struct cx_quota *quota,
                                 struct cx_charge *charge, ProtobufCMessage **ret_message)
{
    struct unpack unpack = {
        .arena = arena,
        .quota = quota,
        .charge = charge,
        .room = ROOM_FREE,
        .reason = CX_REASON_MALFORMED_REQUEST,
    };
    size_t size = grpc_byte_buffer_length(payload);
    ProtobufCMessage *message;

    if (!cx_quota_take(quota, charge, size)) {
        return CX_REASON_OVERLOADED;
    }
    message = unpack_buffer(&unpack, descriptor, payload, size);
    if (message == NULL) {
        return unpack.reason;
    }
    *ret_message = message;
    return CX_REASON_NONE;
}

/* Takes over `slice`. */
static grpc_byte_buffer *buffer_of(grpc_slice slice)
{
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);

    grpc_slice_unref(slice);
    return buffer;
}

grpc_byte_buffer *cx_message_pack(const ProtobufCMessage *message, size_t size)
{
    grpc_slice slice = grpc_slice_malloc(size);
    size_t packed = protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));

    assert(packed == size);
    (void)packed;
    return buffer_of(slice);
}

grpc_byte_buffer *cx_message_join(const struct cx_bytes *pieces, size_t count, size_t size)
{
    grpc_slice slice = grpc_slice_malloc(size);
    uint8_t *at = GRPC_SLICE_START_PTR(slice);

    for (size_t i = 0; i < count; i++) {
        cx_bytes_put(&at, pieces[i]);
    }
    assert(at == GRPC_SLICE_END_PTR(slice));
    return buffer_of(slice);
}
