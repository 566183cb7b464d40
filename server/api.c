#include "server/api.h"

#include "server/rpc/server.h"
#include "server/services/health.h"
#include "server/services/reflection.h"

static const struct cx_service *const services[] = {
    &cx_context_manager_service,
    &cx_tracker_service,
    &cx_recovery_service,
};
enum { SERVICE_COUNT = sizeof services / sizeof services[0] };

enum cx_status cx_api_init(struct cx_api *api, const struct cx_config *config,
                           struct cx_engine *engine)
{
    const struct cx_service *reflected[SERVICE_COUNT + 1];
    enum cx_status status;
    size_t count;

    *api = (struct cx_api){0};
    count = cx_config_values(config, api->values);
    for (size_t i = 0; i < count; i++) {
        api->settings[i] = (struct cx_app_setting){api->values[i].name, api->values[i].text};
    }
    api->app = (struct cx_app){
        .engine = engine,
        .version = CX_VERSION,
        .stream_stall_max_us = (int64_t)config->stream_stall_max_us,
        .subscription_stall_max_us = (int64_t)config->subscription_stall_max_us,
        .settings = api->settings,
        .setting_count = count,
    };
    status = cx_health_new(services, SERVICE_COUNT, &api->health);
    if (status != CX_OK) {
        return status;
    }
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        reflected[i] = services[i];
    }
    reflected[SERVICE_COUNT] = cx_health_service(api->health);
    return cx_reflection_new(reflected, SERVICE_COUNT + 1, &api->reflection);
}

enum cx_status cx_api_add(struct cx_api *api, struct cx_rpc_server *server)
{
    enum cx_status status = cx_rpc_server_add(server, cx_health_service(api->health));

    for (size_t i = 0; i < SERVICE_COUNT && status == CX_OK; i++) {
        status = cx_rpc_server_add(server, services[i]);
    }
    for (size_t i = 0; i < CX_REFLECTION_SERVICES && status == CX_OK; i++) {
        status = cx_rpc_server_add(server, cx_reflection_service(api->reflection, i));
    }
    return status;
}

void cx_api_done(struct cx_api *api)
{
    cx_reflection_free(api->reflection);
    cx_health_free(api->health);
    *api = (struct cx_api){0};
}
