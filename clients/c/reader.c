/* ReadEntries: a stream of answers of one type. */

#include "clients/c/contextd.h"

/* A `struct cxc_reader` is never made: it is the stream of answers, by a name of its own. */

struct cxc_reader *cxc_reader_new(struct cxc_client *client,
                                  const Contextd__V1__ReadEntriesRequest *request)
{
    return (struct cxc_reader *)cxc_answers_new(client, "/contextd.v1.ContextManager/ReadEntries",
                                                &request->base,
                                                &contextd__v1__read_entries_response__descriptor);
}

enum cxc_code cxc_reader_next(struct cxc_reader *reader,
                              Contextd__V1__ReadEntriesResponse **ret_part,
                              struct cxc_error *ret_error)
{
    return cxc_answers_next((struct cxc_answers *)reader, (ProtobufCMessage **)ret_part, ret_error);
}

void cxc_reader_free(struct cxc_reader *reader)
{
    cxc_answers_free((struct cxc_answers *)reader);
}
