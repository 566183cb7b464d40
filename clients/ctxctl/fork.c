/* fork: makes a context from a state of another. */

#include <inttypes.h>
#include <stdio.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/fetch.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/properties.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show.h"
#include "clients/ctxctl/state.h"

enum {
    FORK_AT,
    FORK_PROPERTIES = FORK_AT + 3,
    FORK_WITH_HISTORY = FORK_PROPERTIES + CTL_PROPERTY_COUNT,
    FORK_WITH_POINTS,
    FORK_SESSION,
};

static const struct ctl_option options[] = {
    CTL_OPTIONS_STATE("at", "SOURCE"),
    CTL_OPTIONS_PROPERTIES,
    {"with-history", NULL, "take the history, files and usage along"},
    {"with-points", NULL, "take the recovery points up to that state along"},
    CTL_OPTION_SESSION,
};

static bool has_properties(const struct ctl_args *args)
{
    for (size_t i = 0; i < args->setting_count; i++) {
        if (args->settings[i].option >= FORK_PROPERTIES &&
            args->settings[i].option < FORK_PROPERTIES + CTL_PROPERTY_COUNT) {
            return true;
        }
    }
    return false;
}

/* Takes from the source what the options do not say: a fork with properties has none but
 * those. Type and parent never change, so that they are right whichever state is forked. */
static enum ctl_exit properties_inherit(struct ctl *ctl, const struct ctl_args *args,
                                        const StateRef *source, NewContext *properties)
{
    bool has_type = ctl_args_value(args, FORK_PROPERTIES + CTL_PROPERTY_TYPE) != NULL;
    bool has_parent = ctl_args_value(args, FORK_PROPERTIES + CTL_PROPERTY_PARENT) != NULL;
    struct cxc_error error;
    Context *context;

    if (ctl_fetch_basic(ctl, &ctl->pool, source->context_id, &context, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot fork %s", source->context_id);
    }
    properties->type = has_type ? properties->type : context->type;
    properties->parent_id = has_parent ? properties->parent_id : context->parent_id;
    if (properties->recovery_policy == NULL) {
        properties->recovery_policy = context->recovery_policy;
    }
    return CTL_OK;
}

static enum ctl_exit fork_fill(struct ctl *ctl, const struct ctl_args *args,
                               ForkContextRequest *request)
{
    const struct ctl_state_options at = {options, FORK_AT};
    NewContext *properties = ctl_new_context(&ctl->pool);
    enum ctl_exit exit =
        ctl_operand_state(ctl, args, &at, args->operands[0], NULL, &request->source);

    if (exit == CTL_OK) {
        exit = ctl_option_properties(ctl, args, FORK_PROPERTIES, properties);
    }
    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, ctl_args_value(args, FORK_SESSION), NULL, &request->write);
    }
    if (exit == CTL_OK && args->operand_count > 1) {
        request->context_id = args->operands[1];
        exit = ctl_check_given(ctl, "NEW", request->context_id);
    }
    if (exit == CTL_OK && has_properties(args)) {
        request->properties = properties;
        exit = properties_inherit(ctl, args, request->source, properties);
    }
    request->with_history = ctl_args_value(args, FORK_WITH_HISTORY) != NULL;
    request->with_recovery_points = ctl_args_value(args, FORK_WITH_POINTS) != NULL;
    return exit;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args)
{
    ForkContextRequest request = CONTEXTD__V1__FORK_CONTEXT_REQUEST__INIT;
    ForkContextResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = fork_fill(ctl, args, &request);

    if (exit != CTL_OK) {
        return exit;
    }
    if (cxc_fork_context(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot fork %s", ctl_state_text(&ctl->pool, request.source));
    }
    if (response->context == NULL) {
        exit = ctl_complain(ctl, CTL_FAILED, "the server answered without the context");
    } else if (ctl->json) {
        ctl_json_print(ctl_context_json(response->context, false), stdout);
    } else {
        const char *from = ctl_state_text(&ctl->pool, response->context->forked_from);

        printf("%s is at version %" PRIu64 "%s%s\n", response->context->id,
               response->context->version, from[0] != '\0' ? ", forked from " : "", from);
    }
    cxc_response_free(response);
    return exit;
}

const struct ctl_command ctl_fork = {
    .name = "fork",
    .operands = "SOURCE [NEW]",
    .operand_min = 1,
    .operand_max = 2,
    .summary = "make a context from a state of another",
    .description =
        "Makes a context that begins as another is or was, and shares all of it: it costs\n"
        "nothing. Without NEW the server makes an id up. SOURCE is CONTEXT, CONTEXT@VERSION,\n"
        "CONTEXT@TIME or CONTEXT#POINT, as `ctxctl diff --help` says; with one of the options\n"
        "--at-... it is an id as it is. The fork has type, parent and recovery policy of its\n"
        "source unless the options say otherwise, the labels of both, and no expiry but one\n"
        "that is said.\n",
    .examples = "  ctxctl fork trip-42 trip-42-b\n"
                "  ctxctl fork trip-42#before-booking plan-b --label variant=b --ttl 7d\n"
                "  ctxctl fork \"$ID\" --at-time 1h --with-history -o json | jq -r .id\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
