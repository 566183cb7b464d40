/* files, usage: what the activities add up to. */

#include <inttypes.h>
#include <stdio.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/rows.h"
#include "clients/ctxctl/show_session.h"

/* ---- files. ---------------------------------------------------------------- */

enum { FILES_PREFIX, FILES_LIMIT };

static const struct ctl_option files_options[] = {
    {"prefix", "TEXT", "only paths that begin with this"},
    CTL_OPTIONS_LIMIT,
};

static json_t *file_json(const TrackedFile *file, const FileOperation *last)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "path", last->path);
    ctl_json_set_text(object, "operation", last->operation);
    ctl_json_set_text(object, "source", last->source);
    ctl_json_set_time(object, "time", file->time);
    ctl_json_set_number(object, "operation_count", file->operation_count);
    return object;
}

static void files_add(struct ctl_rows *rows, const TrackedFile *file)
{
    static const FileOperation nothing = CONTEXTD__V1__FILE_OPERATION__INIT;
    const FileOperation *last = file->last_operation != NULL ? file->last_operation : &nothing;
    struct ctl_pool *pool = &rows->ctl->pool;

    if (rows->ctl->json) {
        ctl_rows_add_item(rows, file_json(file, last));
        return;
    }
    ctl_rows_add_cells(rows,
                       (const char *[]){ctl_text_line(pool, last->path),
                                        ctl_pool_format(pool, "%" PRIu64, file->operation_count),
                                        ctl_text_line(pool, last->operation),
                                        ctl_text_line(pool, last->source),
                                        ctl_text_time(pool, file->time, false)});
}

static enum cxc_code files_page(void *arg, const struct ctl_page *page, struct ctl_rows *rows,
                                struct cxc_error *ret_error)
{
    ListFilesRequest *request = arg;
    ListFilesResponse *response;
    enum cxc_code code;

    request->page_size = page->size;
    request->page_token = page->token;
    code = cxc_list_files(rows->ctl->client, request, &response, ret_error);
    if (code != CXC_OK) {
        return code;
    }
    for (size_t i = 0; i < response->n_files; i++) {
        files_add(rows, response->files[i]);
    }
    ctl_rows_next(rows, response->next_page_token);
    cxc_response_free(response);
    return CXC_OK;
}

static enum ctl_exit files_run(struct ctl *ctl, const struct ctl_args *args)
{
    ListFilesRequest request = CONTEXTD__V1__LIST_FILES_REQUEST__INIT;
    const char *prefix = ctl_args_value(args, FILES_PREFIX);
    struct ctl_rows rows;
    struct cxc_error error;
    uint64_t limit;
    enum ctl_exit exit = ctl_option_limit(ctl, args, FILES_LIMIT, &limit);

    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    request.path_prefix = (char *)(prefix != NULL ? prefix : "");
    ctl_rows_init(&rows, ctl, "PATH,COUNT>,LAST,SOURCE,TIME");
    if (ctl_rows_read(&rows, limit, files_page, &request, &error) == CXC_OK) {
        ctl_rows_print(&rows, "files");
    } else {
        exit = ctl_fail(ctl, &error, "cannot list the files of %s", request.context_id);
    }
    ctl_rows_done(&rows);
    return exit;
}

const struct ctl_command ctl_files = {
    .name = "files",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "list the files that were touched",
    .description = "Lists the files that were recorded with --path, by path: how often each was\n"
                   "touched, and what was done to it last.\n",
    .examples = "  ctxctl files trip-42\n"
                "  ctxctl files trip-42 --prefix src/ -o json | jq -r '.files[].path'\n",
    .options = files_options,
    .option_count = sizeof files_options / sizeof files_options[0],
    .run = files_run,
};

/* ---- usage. ---------------------------------------------------------------- */

static json_t *total_json(const UsageTotal *total)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "provider", total->provider);
    ctl_json_set_text(object, "model", total->model);
    ctl_json_set_text(object, "mode", total->mode);
    ctl_json_set_text(object, "currency", total->currency);
    ctl_json_set_number(object, "call_count", total->call_count);
    ctl_json_set_number(object, "input_tokens", total->input_tokens);
    ctl_json_set_number(object, "output_tokens", total->output_tokens);
    ctl_json_set_number(object, "cached_tokens", total->cached_tokens);
    ctl_json_set_number(object, "cost_micros", total->cost_micros);
    ctl_json_set_number(object, "latency_us", (uint64_t)ctl_duration_us(total->latency));
    return object;
}

static void usage_print_json(const SummarizeUsageResponse *response)
{
    json_t *totals = json_array();

    for (size_t i = 0; i < response->n_totals; i++) {
        json_array_append_new(totals, total_json(response->totals[i]));
    }
    ctl_json_print(json_pack("{s:o}", "totals", totals), stdout);
}

static void usage_print(struct ctl *ctl, const SummarizeUsageResponse *response)
{
    struct ctl_pool *pool = &ctl->pool;
    struct ctl_table table;

    ctl_table_init(&table, pool,
                   "PROVIDER,MODEL,MODE,CALLS>,INPUT>,OUTPUT>,CACHED>,COST>,LATENCY>");
    for (size_t i = 0; i < response->n_totals; i++) {
        const UsageTotal *total = response->totals[i];

        ctl_table_add(&table,
                      (const char *[]){
                          ctl_text_line(pool, total->provider), ctl_text_line(pool, total->model),
                          ctl_text_line(pool, total->mode),
                          ctl_pool_format(pool, "%" PRIu64, total->call_count),
                          ctl_pool_format(pool, "%" PRIu64, total->input_tokens),
                          ctl_pool_format(pool, "%" PRIu64, total->output_tokens),
                          ctl_pool_format(pool, "%" PRIu64, total->cached_tokens),
                          ctl_pool_format(pool, "%s %s", ctl_text_micros(pool, total->cost_micros),
                                          ctl_text_line(pool, total->currency)),
                          ctl_text_duration(pool, total->latency)});
    }
    ctl_table_print(ctl, &table, stdout);
}

static enum ctl_exit usage_run(struct ctl *ctl, const struct ctl_args *args)
{
    SummarizeUsageRequest request = CONTEXTD__V1__SUMMARIZE_USAGE_REQUEST__INIT;
    SummarizeUsageResponse *response;
    struct cxc_error error;

    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operand_count > 0 ? args->operands[0] : "";
    if (args->operand_count > 0 && request.context_id[0] == '\0') {
        return ctl_complain(ctl, CTL_USAGE,
                            "the ID is empty; leave it out for the whole namespace");
    }
    if (cxc_summarize_usage(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot sum up the usage of %s",
                        request.context_id[0] != '\0' ? request.context_id : "the namespace");
    }
    if (ctl->json) {
        usage_print_json(response);
    } else {
        usage_print(ctl, response);
    }
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_usage = {
    .name = "usage",
    .operands = "[ID]",
    .operand_max = 1,
    .summary = "show what models were used, and what they cost",
    .description =
        "Shows what was recorded of models, added up by provider, model, mode and currency:\n"
        "of one context, or of all that was ever recorded in the namespace. The latency is the\n"
        "sum of all calls.\n",
    .examples = "  ctxctl usage\n"
                "  ctxctl usage trip-42 -o json | jq '[.totals[].cost_micros] | add / 1000000'\n",
    .run = usage_run,
};
