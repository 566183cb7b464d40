/* ping: is the server there, how far away, and which one is it. */

#include <stdio.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/connect.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/messages.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/timing.h"

enum { PING_COUNT };

enum { COUNT_DEFAULT = 5 };

static const struct ctl_option options[] = {
    {"count", "NUMBER", "how many calls to measure (default: 5)"},
};

/* Asks once, and so often more as are measured: the first call connects. */
static enum cxc_code ask(struct cxc_client *client, uint64_t count, struct ctl_timing *timing,
                         GetServerInfoResponse **ret_info, struct cxc_error *ret_error)
{
    GetServerInfoRequest request = CONTEXTD__V1__GET_SERVER_INFO_REQUEST__INIT;
    enum cxc_code code = cxc_get_server_info(client, &request, ret_info, ret_error);

    for (uint64_t i = 0; i < count && code == CXC_OK; i++) {
        int64_t begin_us = ctl_now_us();

        cxc_response_free(*ret_info);
        *ret_info = NULL;
        code = cxc_get_server_info(client, &request, ret_info, ret_error);
        ctl_timing_add(timing, ctl_now_us() - begin_us);
    }
    return code;
}

static void print(const struct ctl *ctl, const GetServerInfoResponse *info,
                  const struct ctl_timing *timing)
{
    int64_t least_us = ctl_timing_at(timing, 0);
    int64_t median_us = ctl_timing_at(timing, 50);
    int64_t most_us = ctl_timing_at(timing, 100);

    if (ctl->json) {
        ctl_json_print(json_pack("{s:s, s:s, s:s, s:{s:I, s:I, s:I}}", "address", ctl->address,
                                 "version", info->version, "log_id", info->log_id, "round_trip_us",
                                 "min", (json_int_t)least_us, "median", (json_int_t)median_us,
                                 "max", (json_int_t)most_us),
                       stdout);
        return;
    }
    printf("%s answers in %.2f ms (%zu calls: %.2f to %.2f)\n", ctl->address,
           (double)median_us / 1000, timing->count, (double)least_us / 1000,
           (double)most_us / 1000);
    printf("contextd %s, log %s\n", info->version, info->log_id);
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args)
{
    const char *text = ctl_args_value(args, PING_COUNT);
    GetServerInfoResponse *info = NULL;
    struct ctl_timing timing = {0};
    uint64_t count = COUNT_DEFAULT;
    struct cxc_client *client = NULL;
    struct cxc_error error;
    enum ctl_exit exit = CTL_OK;

    if (text != NULL) {
        exit = ctl_option_number(ctl, "count", text, &count);
    }
    if (exit != CTL_OK || count == 0) {
        return exit != CTL_OK ? exit : ctl_complain(ctl, CTL_USAGE, "--count is at least 1");
    }
    /* No repeats: whether the server is there is the question. */
    exit = ctl_connect(ctl, true, &client);
    if (exit != CTL_OK) {
        return exit;
    }
    if (ask(client, count, &timing, &info, &error) == CXC_OK) {
        ctl_timing_sort(&timing);
        print(ctl, info, &timing);
    } else {
        exit = ctl_fail(ctl, &error, "no answer from %s", ctl->address);
    }
    cxc_response_free(info);
    cxc_client_free(client);
    ctl_timing_done(&timing);
    return exit;
}

const struct ctl_command ctl_ping = {
    .name = "ping",
    .operands = "",
    .summary = "see whether the server answers",
    .description =
        "Measures the round trip of a few calls and tells the server's version and the id\n"
        "of its log. Does not wait for a server that is not there.\n",
    .examples = "  ctxctl ping\n"
                "  ctxctl ping --address db-3:7420 --timeout 500ms && echo up\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
