/* restore: sets a context back to an earlier state. */

#include <inttypes.h>
#include <stdio.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show.h"

enum {
    RESTORE_TO,
    RESTORE_VERSION,
    RESTORE_TIME,
    RESTORE_SAFETY_POINT,
    RESTORE_UNDELETE,
    RESTORE_IF_VERSION,
    RESTORE_SESSION,
    RESTORE_FENCE,
};

static const struct ctl_option options[] = {
    {"to", "POINT", "to what this recovery point keeps"},
    {"version", "NUMBER", "to this version, while it is retained"},
    {"time", "TIME", "to what was the newest then: 10m ago, or 2026-11-21T10:53:18Z"},
    {"safety-point", NULL, "keep the state before as a recovery point"},
    {"undelete", NULL, "bring back a context that was deleted"},
    {"if-version", "NUMBER", "only if it is at this version"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

/* Which state; none of the options is the server's choice. */
static enum ctl_exit target_set(struct ctl *ctl, const struct ctl_args *args,
                                RestoreContextRequest *request)
{
    const char *to = ctl_args_value(args, RESTORE_TO);
    const char *version = ctl_args_value(args, RESTORE_VERSION);
    const char *time = ctl_args_value(args, RESTORE_TIME);
    enum ctl_exit exit = CTL_OK;

    if ((to != NULL) + (version != NULL) + (time != NULL) > 1) {
        return ctl_complain(ctl, CTL_USAGE, "--to, --version or --time: only one of them");
    }
    if (to != NULL) {
        request->target_case = CONTEXTD__V1__RESTORE_CONTEXT_REQUEST__TARGET_RECOVERY_POINT_ID;
        request->recovery_point_id = (char *)to;
        return ctl_check_given(ctl, "--to", to);
    }
    if (version != NULL) {
        request->target_case = CONTEXTD__V1__RESTORE_CONTEXT_REQUEST__TARGET_VERSION;
        exit = ctl_option_number(ctl, "version", version, &request->version);
        return exit == CTL_OK && request->version == 0
                   ? ctl_complain(ctl, CTL_USAGE, "--version is above 0: versions begin with 1")
                   : exit;
    }
    if (time != NULL) {
        request->target_case = CONTEXTD__V1__RESTORE_CONTEXT_REQUEST__TARGET_TIME;
        return ctl_option_time(ctl, "time", time, &request->time);
    }
    return CTL_OK;
}

static void print_json(const RestoreContextResponse *response)
{
    json_t *object = json_object();

    json_object_set_new(object, "context", ctl_context_json(response->context, false));
    ctl_json_set_number(object, "changed_entry_count", response->changed_entry_count);
    ctl_json_set_text(object, "safety_point_id", response->safety_point_id);
    json_object_set_new(object, "replayed",
                        json_boolean(response->write != NULL && response->write->replayed));
    ctl_json_print(object, stdout);
}

static void print(struct ctl *ctl, const RestoreContextResponse *response)
{
    uint64_t count = response->changed_entry_count;

    if (response->write != NULL && response->write->replayed) {
        printf("%s is at version %" PRIu64 ", restored before\n", response->context->id,
               response->context->version);
    } else {
        printf("%s is at version %" PRIu64 ", with %" PRIu64 " %s changed\n", response->context->id,
               response->context->version, count, count == 1 ? "entry" : "entries");
    }
    if (response->safety_point_id[0] != '\0') {
        printf("point %s keeps the state before\n",
               ctl_text_line(&ctl->pool, response->safety_point_id));
    }
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args)
{
    RestoreContextRequest request = CONTEXTD__V1__RESTORE_CONTEXT_REQUEST__INIT;
    RestoreContextResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = target_set(ctl, args, &request);

    if (exit == CTL_OK) {
        exit = ctl_option_if_version(ctl, ctl_args_value(args, RESTORE_IF_VERSION),
                                     &request.preconditions, &request.n_preconditions);
    }
    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, ctl_args_value(args, RESTORE_SESSION),
                                ctl_args_value(args, RESTORE_FENCE), &request.write);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    request.safety_point = ctl_args_value(args, RESTORE_SAFETY_POINT) != NULL;
    request.undelete = ctl_args_value(args, RESTORE_UNDELETE) != NULL;
    if (cxc_restore_context(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot restore %s", request.context_id);
    }
    if (response->context == NULL) {
        exit = ctl_complain(ctl, CTL_FAILED, "the server answered without the context");
    } else if (ctl->json) {
        print_json(response);
    } else {
        print(ctl, response);
    }
    cxc_response_free(response);
    return exit;
}

const struct ctl_command ctl_restore = {
    .name = "restore",
    .operands = "CONTEXT",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "set a context back to an earlier state",
    .description =
        "Sets a context back, as a new version: nothing between is lost. Without --to, --version\n"
        "and --time it is the newest recovery point; of a deleted context, its last state.\n"
        "`ctxctl diff CONTEXT#POINT` shows beforehand what would change.\n",
    .examples = "  ctxctl restore trip-42 --to before-booking --safety-point\n"
                "  ctxctl restore trip-42 --version 7 --if-version 12\n"
                "  ctxctl restore trip-42 --time 10m\n"
                "  ctxctl restore trip-42 --undelete\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
