/* grpc.reflection, v1 and v1alpha: what the server speaks, for tools that bring no
 * .proto files.
 *
 * What always holds:
 *
 *  (1) Every service of the server is listed, and every type that it uses is described:
 *      a file comes with all that it imports.
 *  (2) What is not there is answered in place, with an error_response; the stream goes
 *      on.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 * Threads: the thread that made it; the services do not change it. */

#ifndef CX_SERVICES_REFLECTION_H
#define CX_SERVICES_REFLECTION_H

#include <stddef.h>

#include "core/base/status.h"

struct cx_reflection;
struct cx_service;

enum { CX_REFLECTION_SERVICES = 2 };

/* Lists `services`, which it borrows, and its own; not the array. The caller owns
 * *ret_reflection: cx_reflection_free(). Fails with CX_RESOURCE_EXHAUSTED. */
CX_MUST_CHECK enum cx_status cx_reflection_new(const struct cx_service *const *services,
                                               size_t service_count,
                                               struct cx_reflection **ret_reflection);

/* What to add to the server: `index` below CX_REFLECTION_SERVICES. Borrowed. */
const struct cx_service *cx_reflection_service(const struct cx_reflection *reflection,
                                               size_t index);

/* Releases it, after the server has stopped. NULL is fine. */
void cx_reflection_free(struct cx_reflection *reflection);

#endif /* CX_SERVICES_REFLECTION_H */
