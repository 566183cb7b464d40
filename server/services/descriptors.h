/* The descriptors of every message and service that the server speaks, as protoc wrote
 * them: a serialized google.protobuf.FileDescriptorSet with all imports. Generated. */

#ifndef CX_SERVICES_DESCRIPTORS_H
#define CX_SERVICES_DESCRIPTORS_H

#include <stddef.h>

extern const unsigned char cx_descriptors[];
extern const size_t cx_descriptors_size;

#endif /* CX_SERVICES_DESCRIPTORS_H */
