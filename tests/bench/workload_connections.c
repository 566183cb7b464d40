/* Connections that do nothing. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "clients/c/contextd.h"
#include "tests/bench/workload.h"

static void connect_one(struct cxc_client *client, struct workload_result *result)
{
    const Contextd__V1__GetServerInfoRequest request = CONTEXTD__V1__GET_SERVER_INFO_REQUEST__INIT;
    Contextd__V1__GetServerInfoResponse *response;
    struct cxc_error error;

    if (cxc_get_server_info(client, &request, &response, &error) != CXC_OK) {
        workload_fail(result, "%s: %s", cxc_code_name(error.code), error.message);
        return;
    }
    workload_count(result, 1, workload_now());
    cxc_response_free(response);
}

bool workload_connections(const struct workload_options *options, struct workload_result *result)
{
    struct cxc_client **clients = calloc(options->in_flight, sizeof *clients);

    assert(clients != NULL);
    workload_begin(result, options);
    for (unsigned i = 0; i < options->in_flight; i++) {
        clients[i] = cxc_client_new(&(struct cxc_options){.address = options->address});
        assert(clients[i] != NULL);
        connect_one(clients[i], result);
    }
    puts("connected");
    fflush(stdout);
    while (getchar() != EOF) {
    }
    for (unsigned i = 0; i < options->in_flight; i++) {
        cxc_client_free(clients[i]);
    }
    free(clients);
    return true;
}
