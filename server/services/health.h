/* grpc.health.v1.Health: whether the server serves, as load balancers and orchestrators
 * ask for it.
 *
 * What always holds:
 *
 *  (1) The server as a whole (the empty name) and each of its services have the same
 *      health: NOT_SERVING until cx_health_set() says otherwise.
 *  (2) A watcher is told the health at once, and every change that lasts.
 *  (3) Nobody is kept waiting by a watcher that does not read.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 * Threads: cx_health_set() and cx_health_stop() any; the rest the thread that made it. */

#ifndef CX_SERVICES_HEALTH_H
#define CX_SERVICES_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"

struct cx_health;
struct cx_service;

/* Knows the names of `services`, which it borrows; not the array. The caller owns
 * *ret_health: cx_health_free(). Fails with CX_RESOURCE_EXHAUSTED. */
CX_MUST_CHECK enum cx_status cx_health_new(const struct cx_service *const *services,
                                           size_t service_count, struct cx_health **ret_health);

/* What to add to the server. Borrowed. */
const struct cx_service *cx_health_service(const struct cx_health *health);

/* Says whether the server serves, and tells the watchers. */
void cx_health_set(struct cx_health *health, bool serving);

/* Like cx_health_set(false), and ends the calls of the watchers after that: for a server
 * that stops, so that they do not use up its grace period. There is no way back. */
void cx_health_stop(struct cx_health *health);

/* Releases it, after the server has stopped. NULL is fine. */
void cx_health_free(struct cx_health *health);

#endif /* CX_SERVICES_HEALTH_H */
