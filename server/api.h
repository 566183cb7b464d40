/* Everything that the server offers to its clients: the services of the API, gRPC's
 * health and reflection, and what they know.
 *
 * Threads: the main thread. cx_health_set() and cx_health_stop() any. */

#ifndef CX_SERVER_API_H
#define CX_SERVER_API_H

#include "core/base/status.h"
#include "server/config/config.h"
#include "server/services/services.h"

struct cx_engine;
struct cx_health;
struct cx_reflection;
struct cx_rpc_server;

struct cx_api {
    struct cx_app app;
    struct cx_health *health;
    struct cx_reflection *reflection;

    /* What app.settings names. */
    struct cx_config_value values[CX_CONFIG_SETTINGS_MAX];
    struct cx_app_setting settings[CX_CONFIG_SETTINGS_MAX];
};

/* Prepares it, not serving. Borrows `engine`. CX_RESOURCE_EXHAUSTED when out of memory;
 * cx_api_done() is due also then. */
CX_MUST_CHECK enum cx_status cx_api_init(struct cx_api *api, const struct cx_config *config,
                                         struct cx_engine *engine);

/* Adds every service to a server that has not started, whose app is `api->app`. Fails
 * with CX_RESOURCE_EXHAUSTED. */
CX_MUST_CHECK enum cx_status cx_api_add(struct cx_api *api, struct cx_rpc_server *server);

/* Releases it, after the server has stopped. Safe on a zeroed one. */
void cx_api_done(struct cx_api *api);

#endif /* CX_SERVER_API_H */
