/* history, history truncate, history optimize: what happened in a context. */

#include <inttypes.h>
#include <stdio.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/rows.h"
#include "clients/ctxctl/show_session.h"

/* ---- history. -------------------------------------------------------------- */

enum {
    LIST_TYPE,
    LIST_SINCE,
    LIST_UNTIL,
    LIST_FROM,
    LIST_NEWEST_FIRST,
    LIST_LIMIT,
};

static const struct ctl_option list_options[] = {
    {"type", "TYPE", "only activities of this type; may be repeated"},
    {"since", "TIME", "from this time on: 10m is ten minutes ago; or 2026-11-21T10:53:18Z"},
    {"until", "TIME", "before this time"},
    {"from", "NUMBER", "begin with this sequence, instead of with the newest that fit"},
    {"newest-first", NULL, "the other way round"},
    CTL_OPTIONS_LIMIT,
};

static enum ctl_exit list_fill(struct ctl *ctl, const struct ctl_args *args,
                               ListActivitiesRequest *request)
{
    struct ctl_list types = {0};
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        const char *text = args->settings[i].value;

        switch (args->settings[i].option) {
        case LIST_TYPE:
            ctl_list_add(&ctl->pool, &types, (char *)text);
            break;
        case LIST_SINCE:
            exit = ctl_option_time(ctl, "since", text, &request->start_time);
            break;
        case LIST_UNTIL:
            exit = ctl_option_time(ctl, "until", text, &request->end_time);
            break;
        case LIST_FROM:
            exit = ctl_option_number(ctl, "from", text, &request->from_sequence);
            break;
        case LIST_NEWEST_FIRST:
            request->newest_first = true;
            break;
        default: /* The limit, which is of two options. */
            break;
        }
    }
    request->types = (char **)types.items;
    request->n_types = types.count;
    return exit;
}

static void list_add(struct ctl_rows *rows, const Activity *activity)
{
    struct ctl_pool *pool = &rows->ctl->pool;

    if (rows->ctl->json) {
        ctl_rows_add_item(rows, ctl_activity_json(activity));
        return;
    }
    ctl_rows_add_cells(rows, (const char *[]){ctl_pool_format(pool, "%" PRIu64, activity->sequence),
                                              ctl_text_time(pool, activity->time, false),
                                              ctl_text_line(pool, activity->type),
                                              ctl_text_line(pool, activity->session_id),
                                              ctl_labels_text(pool, &activity->base),
                                              ctl_activity_text(pool, activity)});
}

static enum cxc_code list_page(void *arg, const struct ctl_page *page, struct ctl_rows *rows,
                               struct cxc_error *ret_error)
{
    ListActivitiesRequest *request = arg;
    ListActivitiesResponse *response;
    enum cxc_code code;

    request->page_size = page->size;
    request->page_token = page->token;
    code = cxc_list_activities(rows->ctl->client, request, &response, ret_error);
    if (code != CXC_OK) {
        return code;
    }
    for (size_t i = 0; i < response->n_activities; i++) {
        list_add(rows, response->activities[i]);
    }
    ctl_rows_next(rows, response->next_page_token);
    cxc_response_free(response);
    return CXC_OK;
}

/* The newest are read from the end, and turned around, so that they stand as they
 * happened. */
static enum ctl_exit list_run(struct ctl *ctl, const struct ctl_args *args)
{
    ListActivitiesRequest request = CONTEXTD__V1__LIST_ACTIVITIES_REQUEST__INIT;
    struct ctl_rows rows;
    struct cxc_error error;
    uint64_t limit;
    bool turn;
    enum ctl_exit exit = list_fill(ctl, args, &request);

    if (exit == CTL_OK) {
        exit = ctl_option_limit(ctl, args, LIST_LIMIT, &limit);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    turn = !request.newest_first && request.from_sequence == 0 && limit != UINT64_MAX;
    request.newest_first = request.newest_first || turn;
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    ctl_rows_init(&rows, ctl, "SEQUENCE>,TIME,TYPE,SESSION,LABELS,WHAT");
    if (ctl_rows_read(&rows, limit, list_page, &request, &error) == CXC_OK) {
        if (turn) {
            ctl_rows_reverse(&rows);
        }
        ctl_rows_print(&rows, "activities");
    } else {
        exit = ctl_fail(ctl, &error, "cannot list the history of %s", request.context_id);
    }
    ctl_rows_done(&rows);
    return exit;
}

const struct ctl_command ctl_history = {
    .name = "history",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "show what happened in a context",
    .description =
        "Shows the newest activities of a context, as they happened: the last line is the\n"
        "newest. --from begins elsewhere, --all shows the whole history. A context that is\n"
        "called truncate or optimize goes behind `--`.\n",
    .examples = "  ctxctl history trip-42 --limit 20\n"
                "  ctxctl history trip-42 --type error --type build --since 1h\n"
                "  ctxctl history trip-42 --from 1200 --limit 50\n"
                "  ctxctl history trip-42 --all -o json | jq -r '.activities[].data'\n",
    .options = list_options,
    .option_count = sizeof list_options / sizeof list_options[0],
    .run = list_run,
};

/* ---- history truncate. ----------------------------------------------------- */

enum {
    TRUNCATE_KEEP_FROM,
    TRUNCATE_KEEP_SINCE,
    TRUNCATE_SESSION,
    TRUNCATE_FENCE,
};

static const struct ctl_option truncate_options[] = {
    {"keep-from", "NUMBER", "keep this sequence, and all behind it"},
    {"keep-since", "TIME", "keep what happened from this time on: 7d is seven days ago"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

static enum ctl_exit truncate_keep(struct ctl *ctl, const struct ctl_args *args,
                                   TruncateHistoryRequest *request)
{
    const char *from = ctl_args_value(args, TRUNCATE_KEEP_FROM);
    const char *since = ctl_args_value(args, TRUNCATE_KEEP_SINCE);

    if ((from == NULL) == (since == NULL)) {
        return ctl_complain(ctl, CTL_USAGE, "say what to keep: --keep-from or --keep-since");
    }
    if (from != NULL) {
        request->keep_case = CONTEXTD__V1__TRUNCATE_HISTORY_REQUEST__KEEP_FROM_SEQUENCE;
        return ctl_option_number(ctl, "keep-from", from, &request->from_sequence);
    }
    request->keep_case = CONTEXTD__V1__TRUNCATE_HISTORY_REQUEST__KEEP_FROM_TIME;
    return ctl_option_time(ctl, "keep-since", since, &request->from_time);
}

static enum ctl_exit truncate_run(struct ctl *ctl, const struct ctl_args *args)
{
    TruncateHistoryRequest request = CONTEXTD__V1__TRUNCATE_HISTORY_REQUEST__INIT;
    TruncateHistoryResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = truncate_keep(ctl, args, &request);

    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, ctl_args_value(args, TRUNCATE_SESSION),
                                ctl_args_value(args, TRUNCATE_FENCE), &request.write);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    if (cxc_truncate_history(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot truncate the history of %s", request.context_id);
    }
    if (ctl->json) {
        json_t *object = json_pack("{s:s}", "id", request.context_id);

        ctl_json_set_number(object, "removed_count", response->removed_count);
        ctl_json_print(object, stdout);
    } else {
        printf("%s has lost %" PRIu64 " %s\n", request.context_id, response->removed_count,
               response->removed_count == 1 ? "activity" : "activities");
    }
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_history_truncate = {
    .name = "history truncate",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "drop the beginning of a history",
    .description =
        "Drops the activities before a sequence or a time, for good. `ctxctl history ID` with\n"
        "--from or --since, of the same value, shows what will be kept. Files and usage stay.\n",
    .examples = "  ctxctl history truncate trip-42 --keep-from 1200\n"
                "  ctxctl history truncate trip-42 --keep-since 30d\n",
    .options = truncate_options,
    .option_count = sizeof truncate_options / sizeof truncate_options[0],
    .run = truncate_run,
};

/* ---- history optimize. ----------------------------------------------------- */

enum {
    OPTIMIZE_DEDUPLICATE,
    OPTIMIZE_MAX_COUNT,
    OPTIMIZE_MAX_BYTES,
    OPTIMIZE_DRY_RUN,
    OPTIMIZE_SESSION,
    OPTIMIZE_FENCE,
};

static const struct ctl_option optimize_options[] = {
    {"deduplicate", NULL, "of activities with the same type, data and detail, keep the newest"},
    {"max-count", "NUMBER", "then keep so many, the newest"},
    {"max-bytes", "NUMBER", "then keep what fits into so many bytes, the newest"},
    {"dry-run", NULL, "say what would be dropped, and drop nothing"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

static enum ctl_exit optimize_bound(const struct ctl *ctl, const struct ctl_args *args,
                                    size_t option, uint64_t *ret_bound)
{
    const char *name = optimize_options[option].name;
    const char *text = ctl_args_value(args, option);
    enum ctl_exit exit = text != NULL ? ctl_option_number(ctl, name, text, ret_bound) : CTL_OK;

    if (exit == CTL_OK && text != NULL && *ret_bound == 0) {
        return ctl_complain(ctl, CTL_USAGE, "--%s is above 0", name);
    }
    return exit;
}

static enum ctl_exit optimize_fill(struct ctl *ctl, const struct ctl_args *args,
                                   OptimizeHistoryRequest *request)
{
    enum ctl_exit exit = optimize_bound(ctl, args, OPTIMIZE_MAX_COUNT, &request->max_count);

    if (exit == CTL_OK) {
        exit = optimize_bound(ctl, args, OPTIMIZE_MAX_BYTES, &request->max_bytes);
    }
    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, ctl_args_value(args, OPTIMIZE_SESSION),
                                ctl_args_value(args, OPTIMIZE_FENCE), &request->write);
    }
    request->deduplicate = ctl_args_value(args, OPTIMIZE_DEDUPLICATE) != NULL;
    request->dry_run = ctl_args_value(args, OPTIMIZE_DRY_RUN) != NULL;
    if (exit == CTL_OK && !request->deduplicate && request->max_count == 0 &&
        request->max_bytes == 0) {
        exit = ctl_complain(ctl, CTL_USAGE,
                            "say what to drop: --deduplicate, --max-count or --max-bytes");
    }
    return exit;
}

static void optimize_print(struct ctl *ctl, const OptimizeHistoryRequest *request,
                           const OptimizeHistoryResponse *response)
{
    if (ctl->json) {
        json_t *object =
            json_pack("{s:s, s:b}", "id", request->context_id, "dry_run", request->dry_run);

        ctl_json_set_number(object, "removed_count", response->removed_count);
        ctl_json_set_number(object, "removed_bytes", response->removed_bytes);
        ctl_json_set_number(object, "kept_count", response->kept_count);
        ctl_json_set_number(object, "kept_bytes", response->kept_bytes);
        ctl_json_print(object, stdout);
        return;
    }
    printf("%s %s %" PRIu64 " activities (%s), and %s %" PRIu64 " (%s)\n", request->context_id,
           request->dry_run ? "would lose" : "has lost", response->removed_count,
           ctl_text_size(&ctl->pool, response->removed_bytes), request->dry_run ? "keep" : "keeps",
           response->kept_count, ctl_text_size(&ctl->pool, response->kept_bytes));
}

static enum ctl_exit optimize_run(struct ctl *ctl, const struct ctl_args *args)
{
    OptimizeHistoryRequest request = CONTEXTD__V1__OPTIMIZE_HISTORY_REQUEST__INIT;
    OptimizeHistoryResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = optimize_fill(ctl, args, &request);

    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    if (cxc_optimize_history(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot optimize the history of %s", request.context_id);
    }
    optimize_print(ctl, &request, response);
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_history_optimize = {
    .name = "history optimize",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "drop what a history can do without",
    .description =
        "Drops repeats first, and then keeps the newest activities that fit, without a hole:\n"
        "the first that does not fit ends what is kept. The newest of all always stays.\n",
    .examples = "  ctxctl history optimize trip-42 --deduplicate --dry-run\n"
                "  ctxctl history optimize trip-42 --max-count 1000 --max-bytes 1048576\n",
    .options = optimize_options,
    .option_count = sizeof optimize_options / sizeof optimize_options[0],
    .run = optimize_run,
};
