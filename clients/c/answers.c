/* Any call with a stream of answers, pulled. */

#include "clients/c/contextd.h"

#include <stdlib.h>

#include "clients/c/pull.h"

struct cxc_answers {
    struct cxc_pull pull;
    const ProtobufCMessageDescriptor *type;
};

struct cxc_answers *cxc_answers_new(struct cxc_client *client, const char *path,
                                    const ProtobufCMessage *request,
                                    const ProtobufCMessageDescriptor *answer_type)
{
    const struct cxc_method *method = cxc_client_method(client, path);
    struct cxc_answers *answers = calloc(1, sizeof *answers);

    if (method == NULL || answers == NULL) {
        free(answers);
        return NULL;
    }
    answers->type = answer_type;
    cxc_pull_open(&answers->pull, method, request, false);
    return answers;
}

enum cxc_code cxc_answers_next(struct cxc_answers *answers, ProtobufCMessage **ret_answer,
                               struct cxc_error *ret_error)
{
    struct cxc_error ignored;
    struct cxc_error *error = ret_error != NULL ? ret_error : &ignored;
    enum cxc_code code;

    if (cxc_pull_next(&answers->pull, -1) == CXC_PULLED_ANSWER) {
        return cxc_exchange_unpack(&answers->pull.exchange, answers->type, ret_answer, error);
    }
    code = cxc_exchange_result(&answers->pull.exchange, error);
    if (code == CXC_OK) {
        *ret_answer = NULL;
    }
    return code;
}

void cxc_answers_free(struct cxc_answers *answers)
{
    if (answers == NULL) {
        return;
    }
    cxc_pull_close(&answers->pull);
    free(answers);
}
