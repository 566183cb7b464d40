/* activate, switch, deactivate, status: who works on which context. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show.h"
#include "clients/ctxctl/show_session.h"

/* ---- activate. ------------------------------------------------------------- */

enum {
    ACTIVATE_SESSION,
    ACTIVATE_EXCLUSIVE,
    ACTIVATE_TAKEOVER,
    ACTIVATE_GUARD,
};

static const struct ctl_option activate_options[] = {
    {"session", "ID", "the session to activate it in; needed"},
    {"exclusive", NULL, "shut out other exclusive activations; prints the fence"},
    {"takeover", NULL, "take it from the session that has it exclusively"},
    {"guard", NULL, "refuse writes that carry no --fence, too"},
};

static void activate_print(struct ctl *ctl, const ActivateContextResponse *response, const char *id)
{
    const Activation *activation = response->activation;

    if (ctl->json) {
        bool replayed = response->write != NULL && response->write->replayed;
        json_t *object = json_pack("{s:o, s:b}", "activation", ctl_activation_json(activation),
                                   "replayed", replayed);

        if (response->context != NULL) {
            json_object_set_new(object, "context", ctl_context_json(response->context, false));
        }
        ctl_json_print(object, stdout);
    } else if (activation->exclusive) {
        printf("%" PRIu64 "\n", activation->fence);
    } else {
        printf("%s is active\n", id);
    }
}

static enum ctl_exit activate_run(struct ctl *ctl, const struct ctl_args *args)
{
    ActivateContextRequest request = CONTEXTD__V1__ACTIVATE_CONTEXT_REQUEST__INIT;
    ActivateContextResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = ctl_option_session(ctl, args, ACTIVATE_SESSION, &request.session_id);

    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    request.exclusive = ctl_args_value(args, ACTIVATE_EXCLUSIVE) != NULL;
    request.takeover = ctl_args_value(args, ACTIVATE_TAKEOVER) != NULL;
    request.guard = ctl_args_value(args, ACTIVATE_GUARD) != NULL;
    if (exit == CTL_OK && !request.exclusive && (request.takeover || request.guard)) {
        exit = ctl_complain(ctl, CTL_USAGE, "--%s needs --exclusive",
                            request.takeover ? "takeover" : "guard");
    }
    if (exit != CTL_OK) {
        return exit;
    }
    if (cxc_activate_context(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot activate %s", request.context_id);
    }
    if (response->activation == NULL) {
        exit = ctl_complain(ctl, CTL_FAILED, "the server answered without the activation");
    } else {
        activate_print(ctl, response, request.context_id);
    }
    cxc_response_free(response);
    return exit;
}

const struct ctl_command ctl_activate = {
    .name = "activate",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "activate a context in a session",
    .description =
        "Activates a context in a session, which works on it from now on. With --exclusive\n"
        "prints the fence of the activation, alone on a line: writes with that --fence are\n"
        "taken as long as the activation is in force, and refused ever after. Others can\n"
        "still write without a fence, unless --guard.\n",
    .examples = "  ctxctl activate trip-42 --session \"$S\"\n"
                "  F=$(ctxctl activate trip-42 --session \"$S\" --exclusive --guard) || exit\n"
                "  ctxctl put trip-42 plan v2 --session \"$S\" --fence \"$F\"\n"
                "  ctxctl activate trip-42 --session \"$S\" --exclusive --takeover\n",
    .options = activate_options,
    .option_count = sizeof activate_options / sizeof activate_options[0],
    .run = activate_run,
};

/* ---- switch, deactivate. --------------------------------------------------- */

enum { MOVE_SESSION };

static const struct ctl_option switch_options[] = {
    {"session", "ID", "the session that switches; needed"},
};

static enum ctl_exit switch_run(struct ctl *ctl, const struct ctl_args *args)
{
    SwitchContextRequest request = CONTEXTD__V1__SWITCH_CONTEXT_REQUEST__INIT;
    SwitchContextResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = ctl_option_session(ctl, args, MOVE_SESSION, &request.session_id);

    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    if (cxc_switch_context(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot switch to %s", request.context_id);
    }
    if (response->session == NULL) {
        exit = ctl_complain(ctl, CTL_FAILED, "the server answered without the session");
    } else if (ctl->json) {
        ctl_json_print(ctl_session_json(response->session), stdout);
    } else {
        printf("%s is the current context\n", request.context_id);
    }
    cxc_response_free(response);
    return exit;
}

const struct ctl_command ctl_switch = {
    .name = "switch",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "make a context the current one of a session",
    .description =
        "Makes a context the current one of a session, and activates it, shared, where it is\n"
        "not active yet. What was the current one stays active.\n",
    .examples = "  ctxctl switch trip-42 --session \"$S\"\n",
    .options = switch_options,
    .option_count = sizeof switch_options / sizeof switch_options[0],
    .run = switch_run,
};

static const struct ctl_option deactivate_options[] = {
    {"session", "ID", "the session that has it active; needed"},
};

static enum ctl_exit deactivate_run(struct ctl *ctl, const struct ctl_args *args)
{
    DeactivateContextRequest request = CONTEXTD__V1__DEACTIVATE_CONTEXT_REQUEST__INIT;
    DeactivateContextResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = ctl_option_session(ctl, args, MOVE_SESSION, &request.session_id);

    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    if (cxc_deactivate_context(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot deactivate %s", request.context_id);
    }
    if (response->session == NULL) {
        exit = ctl_complain(ctl, CTL_FAILED, "the server answered without the session");
    } else if (ctl->json) {
        ctl_json_print(ctl_session_json(response->session), stdout);
    } else if (response->session->current_context_id[0] != '\0') {
        printf("%s is deactivated, %s is the current context\n", request.context_id,
               response->session->current_context_id);
    } else {
        printf("%s is deactivated\n", request.context_id);
    }
    cxc_response_free(response);
    return exit;
}

const struct ctl_command ctl_deactivate = {
    .name = "deactivate",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "end the activation of a context",
    .description =
        "Ends the activation of a context in a session; its fence is refused from then on.\n"
        "Resources that the session holds of it stay held.\n",
    .examples = "  ctxctl deactivate trip-42 --session \"$S\"\n",
    .options = deactivate_options,
    .option_count = sizeof deactivate_options / sizeof deactivate_options[0],
    .run = deactivate_run,
};

/* ---- status. --------------------------------------------------------------- */

static const char *status_name(const GetContextStatusResponse *response)
{
    switch (response->status) {
    case CONTEXTD__V1__GET_CONTEXT_STATUS_RESPONSE__STATUS__STATUS_ACTIVE:
        return "active";
    case CONTEXTD__V1__GET_CONTEXT_STATUS_RESPONSE__STATUS__STATUS_INACTIVE:
        return "inactive";
    case CONTEXTD__V1__GET_CONTEXT_STATUS_RESPONSE__STATUS__STATUS_NON_EXISTENT:
        return "non_existent";
    default:
        return "unknown";
    }
}

static json_t *status_json(const GetContextStatusResponse *response, const char *id)
{
    json_t *object = json_pack("{s:s, s:s}", "id", id, "status", status_name(response));
    json_t *sessions = json_array();

    ctl_json_set_number(object, "version", response->version);
    ctl_json_set_number(object, "fence", response->fence);
    for (size_t i = 0; i < response->n_session_ids; i++) {
        json_array_append_new(sessions, json_string(response->session_ids[i]));
    }
    json_object_set_new(object, "session_ids", sessions);
    ctl_json_set_text(object, "exclusive_session_id", response->exclusive_session_id);
    json_object_set_new(object, "guarded", json_boolean(response->guarded));
    return object;
}

/* What a session has of the context, beside having it active. */
static const char *holding(const GetContextStatusResponse *response, const char *session_id)
{
    if (strcmp(response->exclusive_session_id, session_id) != 0) {
        return "";
    }
    return response->guarded ? " exclusive, guarded" : " exclusive";
}

static void status_print(struct ctl *ctl, const GetContextStatusResponse *response, const char *id)
{
    struct ctl_pool *pool = &ctl->pool;

    ctl_property_print(ctl, "id", ctl_text_line(pool, id));
    ctl_property_print(ctl, "status", status_name(response));
    if (response->version > 0) {
        ctl_property_print(ctl, "version", ctl_pool_format(pool, "%" PRIu64, response->version));
    }
    if (response->fence > 0) {
        ctl_property_print(ctl, "fence", ctl_pool_format(pool, "%" PRIu64, response->fence));
    }
    for (size_t i = 0; i < response->n_session_ids; i++) {
        const char *session_id = response->session_ids[i];

        ctl_property_print(ctl, "session",
                           ctl_pool_format(pool, "%s%s", ctl_text_line(pool, session_id),
                                           holding(response, session_id)));
    }
}

static enum ctl_exit status_run(struct ctl *ctl, const struct ctl_args *args)
{
    GetContextStatusRequest request = CONTEXTD__V1__GET_CONTEXT_STATUS_REQUEST__INIT;
    GetContextStatusResponse *response;
    struct cxc_error error;

    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    if (cxc_get_context_status(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot tell the status of %s", request.context_id);
    }
    if (ctl->json) {
        ctl_json_print(status_json(response, request.context_id), stdout);
    } else {
        status_print(ctl, response, request.context_id);
    }
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_status = {
    .name = "status",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "show who has a context active",
    .description =
        "Shows whether a context is active, inactive or non_existent (which is no error), its\n"
        "version, its fence, and the sessions that have it active.\n",
    .examples = "  ctxctl status trip-42\n"
                "  ctxctl status trip-42 -o json | jq -r .exclusive_session_id\n",
    .run = status_run,
};
