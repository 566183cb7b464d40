/* session start, get, renew, end, list. */

#include <inttypes.h>
#include <stdio.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/rows.h"
#include "clients/ctxctl/show_session.h"

/* ---- session start. -------------------------------------------------------- */

enum {
    START_OWNER,
    START_LABEL,
    START_TTL,
    START_DEFAULT_CONTEXT,
    START_CREATE,
    START_MAX_ACTIVE,
};

static const struct ctl_option start_options[] = {
    {"owner", "NAME", "who it stands for, such as an agent or a user"},
    {"label", "KEY=VALUE", "a label; may be repeated"},
    {"ttl", "TIME", "how long it lives without being renewed, 1s to 24h (default: 60s)"},
    {"default-context", "ID", "activate this at once, shared, and fall back to it"},
    {"create", NULL, "create contexts that do not exist when they are activated"},
    {"max-active", "NUMBER", "active contexts at a time, up to 1000 (default: 5)"},
};

static enum ctl_exit start_max_active(const struct ctl *ctl, const char *text, uint32_t *ret_count)
{
    uint64_t count;
    enum ctl_exit exit = ctl_option_number(ctl, "max-active", text, &count);

    if (exit == CTL_OK && (count == 0 || count > UINT32_MAX)) {
        return ctl_complain(ctl, CTL_USAGE, "--max-active is 1 to 1000, not %s", text);
    }
    if (exit == CTL_OK) {
        *ret_count = (uint32_t)count;
    }
    return exit;
}

static enum ctl_exit start_ttl(struct ctl *ctl, const char *text, Duration **ret_ttl)
{
    int64_t ms;
    enum ctl_exit exit = ctl_option_duration(ctl, "ttl", text, &ms);

    if (exit == CTL_OK) {
        *ret_ttl = ctl_duration(&ctl->pool, ms);
    }
    return exit;
}

static enum ctl_exit start_fill(struct ctl *ctl, const struct ctl_args *args,
                                StartSessionRequest *request)
{
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        char *text = (char *)args->settings[i].value;

        switch (args->settings[i].option) {
        case START_OWNER:
            request->owner = text;
            break;
        case START_LABEL:
            exit = ctl_option_label(ctl, &request->base, text);
            break;
        case START_TTL:
            exit = start_ttl(ctl, text, &request->ttl);
            break;
        case START_DEFAULT_CONTEXT:
            request->default_context_id = text;
            break;
        case START_CREATE:
            request->create_if_missing = ctl_new_context(&ctl->pool);
            break;
        case START_MAX_ACTIVE:
            exit = start_max_active(ctl, text, &request->max_active_contexts);
            break;
        }
    }
    return exit;
}

static enum ctl_exit start_run(struct ctl *ctl, const struct ctl_args *args)
{
    StartSessionRequest request = CONTEXTD__V1__START_SESSION_REQUEST__INIT;
    StartSessionResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = start_fill(ctl, args, &request);

    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    if (cxc_start_session(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot start a session");
    }
    if (response->session == NULL) {
        exit = ctl_complain(ctl, CTL_FAILED, "the server answered without the session");
    } else if (ctl->json) {
        ctl_json_print(ctl_session_json(response->session), stdout);
    } else {
        puts(response->session->id);
    }
    cxc_response_free(response);
    return exit;
}

const struct ctl_command ctl_session_start = {
    .name = "session start",
    .operands = "",
    .summary = "begin a session, and print its id",
    .description =
        "Begins a session and prints its id, alone on a line. It is lost when it is not\n"
        "renewed in time: its contexts are deactivated then, its resources are given back,\n"
        "and what it still writes is refused.\n",
    .examples = "  S=$(ctxctl session start --owner nightly-job --ttl 10m) || exit\n"
                "  trap 'ctxctl session end \"$S\"' EXIT\n"
                "  ctxctl session start --default-context trip-42 --create\n",
    .options = start_options,
    .option_count = sizeof start_options / sizeof start_options[0],
    .run = start_run,
};

/* ---- session get. ---------------------------------------------------------- */

static enum ctl_exit get_run(struct ctl *ctl, const struct ctl_args *args)
{
    GetSessionRequest request = CONTEXTD__V1__GET_SESSION_REQUEST__INIT;
    GetSessionResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = CTL_OK;

    request.namespace_ = (char *)ctl->namespace_;
    request.session_id = args->operands[0];
    if (cxc_get_session(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot get the session %s", request.session_id);
    }
    if (response->session == NULL) {
        exit = ctl_complain(ctl, CTL_FAILED, "the server answered without the session");
    } else if (ctl->json) {
        ctl_json_print(ctl_session_json(response->session), stdout);
    } else {
        ctl_session_print(ctl, response->session);
    }
    cxc_response_free(response);
    return exit;
}

const struct ctl_command ctl_session_get = {
    .name = "session get",
    .operands = "SESSION",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "show a session and what it has active",
    .description = "Shows who a session stands for, until when it lives, which contexts it has\n"
                   "active, and which of them is the current one.\n",
    .examples = "  ctxctl session get \"$S\"\n"
                "  ctxctl session get \"$S\" -o json | jq -r .current_context_id\n",
    .run = get_run,
};

/* ---- session renew. -------------------------------------------------------- */

static enum ctl_exit renew_one(struct ctl *ctl, char *id)
{
    RenewSessionRequest request = CONTEXTD__V1__RENEW_SESSION_REQUEST__INIT;
    RenewSessionResponse *response;
    struct cxc_error error;

    request.namespace_ = (char *)ctl->namespace_;
    request.session_id = id;
    if (cxc_renew_session(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot renew the session %s", id);
    }
    if (ctl->json) {
        json_t *object = json_pack("{s:s}", "id", id);

        ctl_json_set_time(object, "expire_time", response->expire_time);
        ctl_json_print(object, stdout);
    } else {
        printf("%s lives until %s\n", id, ctl_text_time(&ctl->pool, response->expire_time, false));
    }
    cxc_response_free(response);
    return CTL_OK;
}

/* Does `one` for each operand, and stops at the first that fails. */
static enum ctl_exit each(struct ctl *ctl, const struct ctl_args *args,
                          enum ctl_exit (*one)(struct ctl *ctl, char *id))
{
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->operand_count && exit == CTL_OK; i++) {
        exit = one(ctl, args->operands[i]);
    }
    return exit;
}

static enum ctl_exit renew_run(struct ctl *ctl, const struct ctl_args *args)
{
    return each(ctl, args, renew_one);
}

const struct ctl_command ctl_session_renew = {
    .name = "session renew",
    .operands = "SESSION...",
    .operand_min = 1,
    .operand_max = SIZE_MAX,
    .summary = "keep sessions alive for another term",
    .description =
        "Keeps sessions alive for another term, the --ttl that each was started with. A\n"
        "session that has ended or is lost cannot be renewed: start another, and activate\n"
        "again what it had.\n",
    .examples = "  ctxctl session renew \"$S\"\n"
                "  while sleep 20; do ctxctl session renew \"$S\" || [ $? -eq 4 ] || break; done "
                ">/dev/null &\n",
    .run = renew_run,
};

/* ---- session end. ---------------------------------------------------------- */

static enum ctl_exit end_one(struct ctl *ctl, char *id)
{
    EndSessionRequest request = CONTEXTD__V1__END_SESSION_REQUEST__INIT;
    EndSessionResponse *response;
    struct cxc_error error;
    bool ended;

    request.namespace_ = (char *)ctl->namespace_;
    request.session_id = id;
    if (cxc_end_session(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot end the session %s", id);
    }
    ended = response->write != NULL && response->write->revision > 0;
    if (ctl->json) {
        ctl_json_print(json_pack("{s:s, s:b}", "id", id, "ended", ended), stdout);
    } else {
        printf(ended ? "%s has ended\n" : "%s was not alive\n", id);
    }
    cxc_response_free(response);
    return CTL_OK;
}

static enum ctl_exit end_run(struct ctl *ctl, const struct ctl_args *args)
{
    return each(ctl, args, end_one);
}

const struct ctl_command ctl_session_end = {
    .name = "session end",
    .operands = "SESSION...",
    .operand_min = 1,
    .operand_max = SIZE_MAX,
    .summary = "end sessions",
    .description =
        "Ends sessions: their contexts are deactivated, their resources given back, and\n"
        "what they still write is refused. No error for one that is not alive.\n",
    .examples = "  ctxctl session end \"$S\"\n"
                "  ctxctl session list --owner nightly-job --all -o json |\n"
                "    jq -r '.sessions[].id' | xargs -r ctxctl session end\n",
    .run = end_run,
};

/* ---- session list. --------------------------------------------------------- */

enum { LIST_OWNER, LIST_LIMIT };

static const struct ctl_option list_options[] = {
    {"owner", "NAME", "only sessions that stand for this one"},
    CTL_OPTIONS_LIMIT,
};

static void list_add(struct ctl_rows *rows, const Session *session)
{
    struct ctl_pool *pool = &rows->ctl->pool;

    if (rows->ctl->json) {
        ctl_rows_add_item(rows, ctl_session_json(session));
        return;
    }
    ctl_rows_add_cells(rows, (const char *[]){ctl_text_line(pool, session->id),
                                              ctl_text_line(pool, session->owner),
                                              ctl_text_time(pool, session->create_time, false),
                                              ctl_text_time(pool, session->expire_time, false),
                                              ctl_pool_format(pool, "%zu", session->n_activations),
                                              ctl_text_line(pool, session->current_context_id),
                                              ctl_labels_text(pool, &session->base)});
}

static enum cxc_code list_page(void *arg, const struct ctl_page *page, struct ctl_rows *rows,
                               struct cxc_error *ret_error)
{
    ListSessionsRequest *request = arg;
    ListSessionsResponse *response;
    enum cxc_code code;

    request->page_size = page->size;
    request->page_token = page->token;
    code = cxc_list_sessions(rows->ctl->client, request, &response, ret_error);
    if (code != CXC_OK) {
        return code;
    }
    for (size_t i = 0; i < response->n_sessions; i++) {
        list_add(rows, response->sessions[i]);
    }
    ctl_rows_next(rows, response->next_page_token);
    cxc_response_free(response);
    return CXC_OK;
}

static enum ctl_exit list_run(struct ctl *ctl, const struct ctl_args *args)
{
    ListSessionsRequest request = CONTEXTD__V1__LIST_SESSIONS_REQUEST__INIT;
    const char *owner = ctl_args_value(args, LIST_OWNER);
    struct ctl_rows rows;
    struct cxc_error error;
    uint64_t limit;
    enum ctl_exit exit = ctl_option_limit(ctl, args, LIST_LIMIT, &limit);

    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.owner = (char *)(owner != NULL ? owner : "");
    ctl_rows_init(&rows, ctl, "SESSION,OWNER,STARTED,EXPIRES,ACTIVE>,CURRENT,LABELS");
    if (ctl_rows_read(&rows, limit, list_page, &request, &error) == CXC_OK) {
        ctl_rows_print(&rows, "sessions");
    } else {
        exit = ctl_fail(ctl, &error, "cannot list sessions");
    }
    ctl_rows_done(&rows);
    return exit;
}

const struct ctl_command ctl_session_list = {
    .name = "session list",
    .operands = "",
    .summary = "list the sessions that are alive",
    .description =
        "Lists the sessions that are alive, oldest first, with how many contexts each has\n"
        "active and which of them is the current one.\n",
    .examples = "  ctxctl session list\n"
                "  ctxctl session list --owner nightly-job --all\n",
    .options = list_options,
    .option_count = sizeof list_options / sizeof list_options[0],
    .run = list_run,
};
