/* GetServerInfo. */

#include <stdio.h>

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/messages.h"

enum { LOG_ID_SIZE = 16 };

static void format_log_id(const struct cx_engine *engine, char ret_text[2 * LOG_ID_SIZE + 1])
{
    uint8_t log_id[LOG_ID_SIZE];
    uint64_t epoch;

    cx_engine_identity(engine, log_id, &epoch);
    for (size_t i = 0; i < LOG_ID_SIZE; i++) {
        snprintf(ret_text + 2 * i, 3, "%02x", log_id[i]);
    }
}

/* Depends on nothing that could still be lost, so it is told at once. */
void cx_server_info(struct cx_call *call, const ProtobufCMessage *message)
{
    const struct cx_app *app = cx_answer_app(call);
    GetServerInfoResponse response = CONTEXTD__V1__GET_SERVER_INFO_RESPONSE__INIT;
    Setting *settings =
        cx_call_alloc(call, app->setting_count * (sizeof *settings + sizeof(Setting *)) + 1);
    char log_id[2 * LOG_ID_SIZE + 1];

    (void)message; /* It has no fields. */
    if (settings == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    format_log_id(app->engine, log_id);
    response.version = (char *)app->version;
    response.log_id = log_id;
    response.settings = (Setting **)(void *)(settings + app->setting_count);
    response.n_settings = app->setting_count;
    for (size_t i = 0; i < app->setting_count; i++) {
        settings[i] = (Setting)CONTEXTD__V1__GET_SERVER_INFO_RESPONSE__SETTINGS_ENTRY__INIT;
        settings[i].key = (char *)app->settings[i].name;
        settings[i].value = (char *)app->settings[i].value;
        response.settings[i] = &settings[i];
    }
    cx_call_reply(call, &response.base);
}
