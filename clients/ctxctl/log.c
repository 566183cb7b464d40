/* log: the tree of a context's recovery points. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/fetch.h"
#include "clients/ctxctl/graph.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/rows.h"
#include "clients/ctxctl/show_point.h"

enum { LOG_LIMIT };

static const struct ctl_option options[] = {CTL_OPTIONS_LIMIT};

/* What is drawn. */
struct log {
    ListRecoveryPointsRequest request;
    struct ctl_list responses; /* Released at the end: the points are theirs. */
    struct ctl_list points;
};

/* ---- Reading. ---------------------------------------------------------------- */

static enum cxc_code log_page(void *arg, const struct ctl_page *page, struct ctl_rows *rows,
                              struct cxc_error *ret_error)
{
    struct ctl_pool *pool = &rows->ctl->pool;
    struct log *log = arg;
    ListRecoveryPointsResponse *response;
    enum cxc_code code;

    log->request.page_size = page->size;
    log->request.page_token = page->token;
    code = cxc_list_recovery_points(rows->ctl->client, &log->request, &response, ret_error);
    if (code != CXC_OK) {
        return code;
    }
    ctl_list_add(pool, &log->responses, response);
    for (size_t i = 0; i < response->n_recovery_points; i++) {
        RecoveryPoint *point = response->recovery_points[i]->recovery_point;

        if (point != NULL && rows->ctl->json) {
            ctl_rows_add_item(rows, ctl_point_json(point));
        } else if (point != NULL) {
            ctl_list_add(pool, &log->points, point);
            rows->count++;
        }
    }
    ctl_rows_next(rows, response->next_page_token);
    return CXC_OK;
}

/* The version of the context as it is; 0 when it was deleted. */
static enum ctl_exit head_read(struct ctl *ctl, const char *id, uint64_t *ret_version)
{
    struct cxc_error error;
    Context *context;

    *ret_version = 0;
    if (ctl_fetch_basic(ctl, &ctl->pool, id, &context, &error) != CXC_OK) {
        return error.code == CXC_NOT_FOUND ? CTL_OK : ctl_fail(ctl, &error, "cannot get %s", id);
    }
    *ret_version = context->version;
    return CTL_OK;
}

/* ---- Drawing. ---------------------------------------------------------------- */

static void point_print(struct ctl *ctl, const RecoveryPoint *point, uint64_t head_version)
{
    const char *off = ctl_color_off(ctl, stdout);
    const char *labels = ctl_labels_text(&ctl->pool, &point->base);
    const char *origin = ctl_point_origin(point);

    printf(" %s%s%s", ctl_color_on(ctl, stdout, CTL_YELLOW), ctl_text_line(&ctl->pool, point->id),
           off);
    if (point->version == head_version) {
        printf(" %s(head)%s", ctl_color_on(ctl, stdout, CTL_CYAN), off);
    }
    printf("  v%" PRIu64 "  %s%s%s", point->version, ctl_color_on(ctl, stdout, CTL_DIM),
           ctl_text_time(&ctl->pool, point->create_time, false), off);
    printf("%s%s%s%s%s", origin[0] != '\0' ? "  " : "", origin, point->pinned ? "  pinned" : "",
           labels[0] != '\0' ? "  " : "", labels);
}

/* The head has a row of its own while no point keeps its version. */
static void head_print(struct ctl *ctl, const struct log *log, uint64_t head_version)
{
    for (size_t i = 0; i < log->points.count; i++) {
        const RecoveryPoint *point = log->points.items[i];

        if (point->version == head_version) {
            return;
        }
    }
    if (head_version > 0) {
        printf("o %s(head)%s  v%" PRIu64 "\n", ctl_color_on(ctl, stdout, CTL_CYAN),
               ctl_color_off(ctl, stdout), head_version);
    }
}

static void log_print(struct ctl *ctl, const struct log *log, uint64_t head_version)
{
    size_t count = log->points.count;
    struct ctl_graph_node *nodes = ctl_pool_alloc(&ctl->pool, count * sizeof *nodes);
    struct ctl_graph_row *rows;
    size_t row_count;

    for (size_t i = 0; i < count; i++) {
        const RecoveryPoint *point = log->points.items[i];

        nodes[i] = (struct ctl_graph_node){point->id, point->parent_id};
    }
    ctl_graph_draw(&ctl->pool, nodes, count, &rows, &row_count);
    head_print(ctl, log, head_version);
    for (size_t i = 0; i < row_count; i++) {
        fputs(rows[i].lanes, stdout);
        if (rows[i].node != SIZE_MAX) {
            point_print(ctl, log->points.items[rows[i].node], head_version);
        }
        putchar('\n');
    }
}

static enum ctl_exit log_show(struct ctl *ctl, struct log *log, struct ctl_rows *rows,
                              uint64_t limit)
{
    const char *id = log->request.context_id;
    struct cxc_error error;
    uint64_t head_version;
    enum ctl_exit exit;

    if (ctl_rows_read(rows, limit, log_page, log, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot list the recovery points of %s", id);
    }
    if (ctl->json) {
        ctl_rows_print(rows, "recovery_points");
        return CTL_OK;
    }
    exit = head_read(ctl, id, &head_version);
    if (exit == CTL_OK) {
        log_print(ctl, log, head_version);
        ctl_rows_tell_more(rows);
    }
    return exit;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args)
{
    struct log log = {.request = CONTEXTD__V1__LIST_RECOVERY_POINTS_REQUEST__INIT};
    struct ctl_rows rows;
    uint64_t limit;
    enum ctl_exit exit = ctl_option_limit(ctl, args, LOG_LIMIT, &limit);

    log.request.namespace_ = (char *)ctl->namespace_;
    log.request.context_id = args->operands[0];
    if (exit == CTL_OK) {
        exit = ctl_check_given(ctl, "CONTEXT", log.request.context_id);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    ctl_rows_init(&rows, ctl, "POINT");
    exit = log_show(ctl, &log, &rows, limit);
    ctl_rows_done(&rows);
    for (size_t i = 0; i < log.responses.count; i++) {
        cxc_response_free(log.responses.items[i]);
    }
    return exit;
}

const struct ctl_command ctl_log = {
    .name = "log",
    .operands = "CONTEXT",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "draw the tree of a context's recovery points",
    .description =
        "Draws the recovery points of a context with what each came from, newest at the top: its\n"
        "id, version and time, why it was made, whether it is pinned, its labels. (head) marks\n"
        "the one that keeps the context's version; where none does, the context has a line of\n"
        "its own. With -o json it prints what `ctxctl points` prints.\n",
    .examples = "  ctxctl log trip-42\n"
                "  ctxctl log trip-42 --limit 20 --color always | less -R\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
