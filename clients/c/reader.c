/* ReadEntries, pulled. */

#include "clients/c/contextd.h"

#include <stdlib.h>

#include "clients/c/pull.h"

struct cxc_reader {
    struct cxc_pull pull;
};

struct cxc_reader *cxc_reader_new(struct cxc_client *client,
                                  const Contextd__V1__ReadEntriesRequest *request)
{
    const struct cxc_method *method =
        cxc_client_method(client, "/contextd.v1.ContextManager/ReadEntries");
    struct cxc_reader *reader = calloc(1, sizeof *reader);

    if (method == NULL || reader == NULL) {
        free(reader);
        return NULL;
    }
    cxc_pull_open(&reader->pull, method, &request->base, false);
    return reader;
}

enum cxc_code cxc_reader_next(struct cxc_reader *reader,
                              Contextd__V1__ReadEntriesResponse **ret_part,
                              struct cxc_error *ret_error)
{
    struct cxc_error ignored;
    struct cxc_error *error = ret_error != NULL ? ret_error : &ignored;
    enum cxc_code code;

    if (cxc_pull_next(&reader->pull, -1) == CXC_PULLED_ANSWER) {
        return cxc_exchange_unpack(&reader->pull.exchange,
                                   &contextd__v1__read_entries_response__descriptor,
                                   (ProtobufCMessage **)ret_part, error);
    }
    code = cxc_exchange_result(&reader->pull.exchange, error);
    if (code == CXC_OK) {
        *ret_part = NULL;
    }
    return code;
}

void cxc_reader_free(struct cxc_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    cxc_pull_close(&reader->pull);
    free(reader);
}
