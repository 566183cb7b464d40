#include "clients/c/request_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

typedef Contextd__V1__BatchUpdateContextsRequest BatchRequest;
typedef Contextd__V1__UpdateContextRequest UpdateRequest;
typedef Contextd__V1__WriteOptions WriteOptions;

void cxc_request_id(char ret_id[CXC_REQUEST_ID_SIZE])
{
    uint8_t b[16];

    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b) {
        abort(); /* So few bytes always come whole, from any kernel that has the call. */
    }
    b[6] = (b[6] & 0x0F) | 0x40; /* Version 4, */
    b[8] = (b[8] & 0x3F) | 0x80; /* of RFC 4122. */
    snprintf(ret_id, CXC_REQUEST_ID_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

/* ---- One write. ------------------------------------------------------------ */

struct identity {
    WriteOptions write;
    char id[CXC_REQUEST_ID_SIZE];
};

static bool is_identified(const WriteOptions *write)
{
    return write != NULL && write->request_id[0] != '\0';
}

/* Fills in what the caller said about the write, and a new id. */
static WriteOptions *identity_init(struct identity *identity, const WriteOptions *write)
{
    contextd__v1__write_options__init(&identity->write);
    if (write != NULL) {
        identity->write = *write;
    }
    cxc_request_id(identity->id);
    identity->write.request_id = identity->id;
    return &identity->write;
}

/* The field with the WriteOptions of such messages, or NULL when they have none. */
static const ProtobufCFieldDescriptor *write_field(const ProtobufCMessageDescriptor *type)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(type, "write");
    bool is_options =
        field != NULL && field->descriptor == &contextd__v1__write_options__descriptor;

    return is_options ? field : NULL;
}

static enum cxc_code identify_one(const ProtobufCMessage *request, ProtobufCMessage **ret_copy)
{
    const ProtobufCFieldDescriptor *field = write_field(request->descriptor);
    size_t size = request->descriptor->sizeof_message;
    WriteOptions *const *write;
    WriteOptions **copied;
    char *copy;

    *ret_copy = NULL;
    if (field == NULL) {
        return CXC_OK;
    }
    write = (WriteOptions *const *)((const char *)request + field->offset);
    if (is_identified(*write)) {
        return CXC_OK;
    }
    copy = malloc(size + sizeof(struct identity)); /* Both sizes are multiples of a pointer's. */
    if (copy == NULL) {
        return CXC_RESOURCE_EXHAUSTED;
    }
    memcpy(copy, request, size);
    copied = (WriteOptions **)(copy + field->offset);
    *copied = identity_init((struct identity *)(copy + size), *write);
    *ret_copy = (ProtobufCMessage *)copy;
    return CXC_OK;
}

/* ---- The parts of a batch. ------------------------------------------------- */

struct part {
    UpdateRequest request;
    struct identity identity;
};

struct batch {
    BatchRequest request; /* First: freeing the message frees the batch. */
    UpdateRequest **pointers;
    struct part parts[];
};

static enum cxc_code identify_parts(const BatchRequest *request, ProtobufCMessage **ret_copy)
{
    size_t count = request->n_requests;
    struct batch *batch = malloc(sizeof *batch + count * (sizeof batch->parts[0] + sizeof(void *)));

    if (batch == NULL) {
        return CXC_RESOURCE_EXHAUSTED;
    }
    batch->request = *request;
    batch->pointers = (UpdateRequest **)&batch->parts[count];
    batch->request.requests = batch->pointers;
    for (size_t i = 0; i < count; i++) {
        struct part *part = &batch->parts[i];

        batch->pointers[i] = request->requests[i];
        if (is_identified(request->requests[i]->write)) {
            continue;
        }
        part->request = *request->requests[i];
        part->request.write = identity_init(&part->identity, part->request.write);
        batch->pointers[i] = &part->request;
    }
    *ret_copy = (ProtobufCMessage *)batch;
    return CXC_OK;
}

enum cxc_code cxc_request_identify(const ProtobufCMessage *request, ProtobufCMessage **ret_copy)
{
    if (request->descriptor == &contextd__v1__batch_update_contexts_request__descriptor) {
        const BatchRequest *batch = (const BatchRequest *)request;

        if (!batch->atomic) {
            return identify_parts(batch, ret_copy);
        }
    }
    return identify_one(request, ret_copy);
}
