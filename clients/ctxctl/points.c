/* points, point prune: the recovery points of one context or of many. */

#include <inttypes.h>
#include <stdio.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/rows.h"
#include "clients/ctxctl/show_point.h"

/* ---- points. ---------------------------------------------------------------- */

enum {
    LIST_PREFIX,
    LIST_LABEL,
    LIST_BEFORE,
    LIST_ANCESTORS_OF,
    LIST_LIMIT,
};

static const struct ctl_option list_options[] = {
    {"prefix", "TEXT", "of the contexts whose ids begin with this"},
    {"label", "KEY=VALUE", "only points with this label; may be repeated"},
    {"before", "POINT", "only points made before this one of CONTEXT"},
    {"ancestors-of", "POINT", "only what this one of CONTEXT came from, nearest first"},
    CTL_OPTIONS_LIMIT,
};

static enum ctl_exit list_set(struct ctl *ctl, const struct ctl_setting *setting,
                              ListRecoveryPointsRequest *request)
{
    char *text = (char *)setting->value;

    switch (setting->option) {
    case LIST_PREFIX:
        request->id_prefix = text;
        return CTL_OK;
    case LIST_LABEL:
        return ctl_option_label(ctl, &request->base, text);
    case LIST_BEFORE:
        request->before_recovery_point_id = text;
        return ctl_check_given(ctl, "--before", text);
    case LIST_ANCESTORS_OF:
        request->ancestors_of = text;
        return ctl_check_given(ctl, "--ancestors-of", text);
    default: /* The limit, which is of two options. */
        return CTL_OK;
    }
}

static enum ctl_exit list_fill(struct ctl *ctl, const struct ctl_args *args,
                               ListRecoveryPointsRequest *request)
{
    enum ctl_exit exit = CTL_OK;

    request->namespace_ = (char *)ctl->namespace_;
    if (args->operand_count > 0) {
        request->context_id = args->operands[0];
        exit = ctl_check_given(ctl, "CONTEXT", request->context_id);
    }
    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        exit = list_set(ctl, &args->settings[i], request);
    }
    if (exit == CTL_OK && request->context_id[0] != '\0' && request->id_prefix[0] != '\0') {
        exit = ctl_complain(ctl, CTL_USAGE, "CONTEXT or --prefix: not both");
    }
    if (exit == CTL_OK && request->context_id[0] == '\0' &&
        (request->before_recovery_point_id[0] != '\0' || request->ancestors_of[0] != '\0')) {
        exit = ctl_complain(ctl, CTL_USAGE, "--before and --ancestors-of need a CONTEXT");
    }
    return exit;
}

/* What is listed, and how. */
struct list {
    ListRecoveryPointsRequest request;
    bool many; /* Of many contexts: they are named. */
};

static void list_add(struct ctl_rows *rows, const struct list *list, const RecoveryPoint *point)
{
    struct ctl_pool *pool = &rows->ctl->pool;
    const char *cells[] = {
        ctl_text_line(pool, point->context_id),
        ctl_text_line(pool, point->id),
        ctl_pool_format(pool, "%" PRIu64, point->version),
        ctl_text_time(pool, point->create_time, false),
        ctl_point_origin(point),
        point->pinned ? "yes" : "",
        ctl_pool_format(pool, "%" PRIu64, point->entry_count),
        ctl_text_size(pool, point->size_bytes),
        ctl_labels_text(pool, &point->base),
    };

    ctl_rows_add_cells(rows, list->many ? cells : cells + 1);
}

static enum cxc_code list_page(void *arg, const struct ctl_page *page, struct ctl_rows *rows,
                               struct cxc_error *ret_error)
{
    struct list *list = arg;
    ListRecoveryPointsResponse *response;
    enum cxc_code code;

    list->request.page_size = page->size;
    list->request.page_token = page->token;
    code = cxc_list_recovery_points(rows->ctl->client, &list->request, &response, ret_error);
    if (code != CXC_OK) {
        return code;
    }
    for (size_t i = 0; i < response->n_recovery_points; i++) {
        const RecoveryPoint *point = response->recovery_points[i]->recovery_point;

        if (point != NULL && rows->ctl->json) {
            ctl_rows_add_item(rows, ctl_point_json(point));
        } else if (point != NULL) {
            list_add(rows, list, point);
        }
    }
    ctl_rows_next(rows, response->next_page_token);
    cxc_response_free(response);
    return CXC_OK;
}

static enum ctl_exit list_run(struct ctl *ctl, const struct ctl_args *args)
{
    struct list list = {.request = CONTEXTD__V1__LIST_RECOVERY_POINTS_REQUEST__INIT};
    struct ctl_rows rows;
    struct cxc_error error;
    uint64_t limit;
    enum ctl_exit exit = list_fill(ctl, args, &list.request);

    if (exit == CTL_OK) {
        exit = ctl_option_limit(ctl, args, LIST_LIMIT, &limit);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    list.many = list.request.context_id[0] == '\0';
    ctl_rows_init(&rows, ctl,
                  list.many ? "CONTEXT,POINT,VERSION>,CREATED,ORIGIN,PINNED,ENTRIES>,SIZE>,LABELS"
                            : "POINT,VERSION>,CREATED,ORIGIN,PINNED,ENTRIES>,SIZE>,LABELS");
    if (ctl_rows_read(&rows, limit, list_page, &list, &error) == CXC_OK) {
        ctl_rows_print(&rows, "recovery_points");
    } else {
        exit = ctl_fail(ctl, &error, "cannot list the recovery points%s%s", list.many ? "" : " of ",
                        list.request.context_id);
    }
    ctl_rows_done(&rows);
    return exit;
}

const struct ctl_command ctl_points = {
    .name = "points",
    .operands = "[CONTEXT]",
    .operand_max = 1,
    .summary = "list recovery points",
    .description =
        "Lists the recovery points of a context, also of a deleted one that can be brought back,\n"
        "or of all contexts, newest first. All conditions must hold. `ctxctl log` draws how the\n"
        "points of a context came from each other.\n",
    .examples = "  ctxctl points trip-42\n"
                "  ctxctl points --prefix trip- --label stage=final --all\n"
                "  ctxctl points trip-42 --ancestors-of plan-b -o json | \\\n"
                "    jq -r '.recovery_points[].id'\n",
    .options = list_options,
    .option_count = sizeof list_options / sizeof list_options[0],
    .run = list_run,
};

/* ---- point prune. ----------------------------------------------------------- */

enum {
    PRUNE_KEEP_LAST,
    PRUNE_KEEP_EVERY,
    PRUNE_KEEP_WITHIN,
    PRUNE_LABEL,
    PRUNE_PREFIX,
    PRUNE_DRY_RUN,
    PRUNE_SESSION,
    PRUNE_FENCE,
};

static const struct ctl_option prune_options[] = {
    {"keep-last", "NUMBER", "keep so many of each context, the newest"},
    {"keep-every", "NUMBER", "keep those whose sequence is a multiple of this"},
    {"keep-within", "TIME", "keep those younger than this, such as 24h"},
    {"label", "KEY=VALUE", "drop those with this label; repeated: with all of them"},
    {"prefix", "TEXT", "of the contexts whose ids begin with this"},
    {"dry-run", NULL, "say what would be dropped, and drop nothing"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

static RetentionPolicy *prune_policy(struct ctl *ctl, PruneRecoveryPointsRequest *request)
{
    if (request->policy == NULL) {
        request->policy = ctl_message_new(&ctl->pool, &contextd__v1__retention_policy__descriptor);
    }
    return request->policy;
}

static enum ctl_exit prune_number(struct ctl *ctl, const char *name, const char *text,
                                  uint64_t *ret_number)
{
    enum ctl_exit exit = ctl_option_number(ctl, name, text, ret_number);

    return exit == CTL_OK && *ret_number == 0
               ? ctl_complain(ctl, CTL_USAGE, "--%s is above 0", name)
               : exit;
}

static enum ctl_exit prune_set(struct ctl *ctl, const struct ctl_setting *setting,
                               PruneRecoveryPointsRequest *request)
{
    const char *name = prune_options[setting->option].name;
    char *text = (char *)setting->value;
    int64_t ms;
    enum ctl_exit exit;

    switch (setting->option) {
    case PRUNE_KEEP_LAST:
        return prune_number(ctl, name, text, &prune_policy(ctl, request)->keep_last);
    case PRUNE_KEEP_EVERY:
        return prune_number(ctl, name, text, &prune_policy(ctl, request)->keep_every);
    case PRUNE_KEEP_WITHIN:
        exit = ctl_option_duration(ctl, name, text, &ms);
        if (exit == CTL_OK) {
            prune_policy(ctl, request)->keep_within = ctl_duration(&ctl->pool, ms);
        }
        return exit;
    case PRUNE_LABEL:
        return ctl_option_label(ctl, &request->base, text);
    case PRUNE_PREFIX:
        request->id_prefix = text;
        return ctl_check_given(ctl, "--prefix", text);
    default: /* What needs no value, and who writes. */
        return CTL_OK;
    }
}

static enum ctl_exit prune_fill(struct ctl *ctl, const struct ctl_args *args,
                                PruneRecoveryPointsRequest *request)
{
    enum ctl_exit exit = ctl_option_write(ctl, ctl_args_value(args, PRUNE_SESSION),
                                          ctl_args_value(args, PRUNE_FENCE), &request->write);

    request->namespace_ = (char *)ctl->namespace_;
    request->dry_run = ctl_args_value(args, PRUNE_DRY_RUN) != NULL;
    if (exit == CTL_OK && args->operand_count > 0) {
        request->context_id = args->operands[0];
        exit = ctl_check_given(ctl, "CONTEXT", request->context_id);
    }
    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        exit = prune_set(ctl, &args->settings[i], request);
    }
    if (exit == CTL_OK && request->context_id[0] != '\0' && request->id_prefix[0] != '\0') {
        exit = ctl_complain(ctl, CTL_USAGE, "CONTEXT or --prefix: not both");
    }
    if (exit == CTL_OK && request->policy == NULL && request->n_metadata == 0) {
        exit = ctl_complain(ctl, CTL_USAGE,
                            "say what to keep: --keep-last, --keep-every or --keep-within; or what "
                            "to drop: --label");
    }
    return exit;
}

static enum ctl_exit prune_run(struct ctl *ctl, const struct ctl_args *args)
{
    PruneRecoveryPointsRequest request = CONTEXTD__V1__PRUNE_RECOVERY_POINTS_REQUEST__INIT;
    PruneRecoveryPointsResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = prune_fill(ctl, args, &request);

    if (exit != CTL_OK) {
        return exit;
    }
    if (cxc_prune_recovery_points(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot prune the recovery points%s%s",
                        request.context_id[0] != '\0' ? " of " : "", request.context_id);
    }
    if (ctl->json) {
        json_t *object = json_pack("{s:b}", "dry_run", request.dry_run);

        ctl_json_set_number(object, "removed_count", response->removed_count);
        ctl_json_set_number(object, "kept_count", response->kept_count);
        ctl_json_print(object, stdout);
    } else if (response->write != NULL && response->write->replayed) {
        puts("the points were dropped before");
    } else {
        printf("%" PRIu64 " %s %s dropped, and %" PRIu64 " kept\n", response->removed_count,
               response->removed_count == 1 ? "point" : "points",
               request.dry_run                ? "would be"
               : response->removed_count == 1 ? "is"
                                              : "are",
               response->kept_count);
    }
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_point_prune = {
    .name = "point prune",
    .operands = "[CONTEXT]",
    .operand_max = 1,
    .summary = "drop the recovery points that no rule keeps",
    .description =
        "Drops the recovery points that no --keep rule keeps, and those that have all --label,\n"
        "of one context, of those with a --prefix, or of the whole namespace. A pinned point\n"
        "stays, and by the rules the newest of a context does too. Where the answer is lost,\n"
        "that of one context is not repeated; of many, what is to be dropped then is.\n",
    .examples = "  ctxctl point prune trip-42 --keep-last 10 --keep-within 24h --dry-run\n"
                "  ctxctl point prune --prefix trip- --label stage=draft\n"
                "  ctxctl point prune --keep-last 100 --keep-every 50\n",
    .options = prune_options,
    .option_count = sizeof prune_options / sizeof prune_options[0],
    .run = prune_run,
};
