/* Finds files in a serialized google.protobuf.FileDescriptorSet: by name, and by the
 * symbols that they declare.
 *
 * Threads: may be shared once it is built. */

#ifndef CX_SERVICES_DESCRIPTOR_INDEX_H
#define CX_SERVICES_DESCRIPTOR_INDEX_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

/* One file, and all that it imports: itself first, each serialized as in the set. */
struct cx_descriptor_file {
    char *name; /* Owned. */
    ProtobufCBinaryData *closure;
    size_t closure_count;
};

struct cx_descriptor_index;

/* Builds the index of `set`, which must stay where it is, and be what protoc writes with
 * --include_imports. The caller owns *ret_index: cx_descriptor_index_free(). Fails with
 * CX_RESOURCE_EXHAUSTED. */
CX_MUST_CHECK enum cx_status cx_descriptor_index_new(struct cx_bytes set,
                                                     struct cx_descriptor_index **ret_index);

/* The file of this name, such as "contextd/v1/tracker.proto", or NULL. O(files). */
const struct cx_descriptor_file *cx_descriptor_index_file(const struct cx_descriptor_index *index,
                                                          const char *name);

/* The file that declares a message, enum, service or method, by its full name such as
 * "contextd.v1.Context", or NULL. O(symbols). */
const struct cx_descriptor_file *cx_descriptor_index_symbol(const struct cx_descriptor_index *index,
                                                            const char *name);

/* NULL and half-built ones are fine. */
void cx_descriptor_index_free(struct cx_descriptor_index *index);

#endif /* CX_SERVICES_DESCRIPTOR_INDEX_H */
