#include "clients/c/request_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

typedef Contextd__V1__BatchUpdateContextsRequest BatchRequest;
typedef Contextd__V1__BatchRecoveryPointsRequest PointsRequest;
typedef Contextd__V1__BatchRecoveryPointsRequest__Operation PointsOperation;
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

/* ---- The operations of a batch on points. ---------------------------------- */

struct operation {
    PointsOperation operation;
    union {
        Contextd__V1__CreateRecoveryPointRequest create;
        Contextd__V1__UpdateRecoveryPointRequest update;
        Contextd__V1__DeleteRecoveryPointRequest remove;
    } request;
    struct identity identity;
};

struct points {
    PointsRequest request; /* First: freeing the message frees the batch. */
    PointsOperation **pointers;
    struct operation operations[];
};

/* Copies an operation that writes, with an id; returns the one to send. */
static PointsOperation *identify_operation(PointsOperation *from, struct operation *copy)
{
    copy->operation = *from;
    switch (from->kind_case) {
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_CREATE:
        if (is_identified(from->create->write)) {
            return from;
        }
        copy->request.create = *from->create;
        copy->request.create.write = identity_init(&copy->identity, from->create->write);
        copy->operation.create = &copy->request.create;
        return &copy->operation;
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_UPDATE:
        if (is_identified(from->update->write)) {
            return from;
        }
        copy->request.update = *from->update;
        copy->request.update.write = identity_init(&copy->identity, from->update->write);
        copy->operation.update = &copy->request.update;
        return &copy->operation;
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_DELETE:
        if (is_identified(from->delete_->write)) {
            return from;
        }
        copy->request.remove = *from->delete_;
        copy->request.remove.write = identity_init(&copy->identity, from->delete_->write);
        copy->operation.delete_ = &copy->request.remove;
        return &copy->operation;
    default: /* It only reads. */
        return from;
    }
}

static enum cxc_code identify_operations(const PointsRequest *request, ProtobufCMessage **ret_copy)
{
    size_t count = request->n_operations;
    struct points *points =
        malloc(sizeof *points + count * (sizeof points->operations[0] + sizeof(void *)));

    if (points == NULL) {
        return CXC_RESOURCE_EXHAUSTED;
    }
    points->request = *request;
    points->pointers = (PointsOperation **)&points->operations[count];
    points->request.operations = points->pointers;
    for (size_t i = 0; i < count; i++) {
        points->pointers[i] = identify_operation(request->operations[i], &points->operations[i]);
    }
    *ret_copy = (ProtobufCMessage *)points;
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
    if (request->descriptor == &contextd__v1__batch_recovery_points_request__descriptor) {
        return identify_operations((const PointsRequest *)request, ret_copy);
    }
    return identify_one(request, ret_copy);
}
