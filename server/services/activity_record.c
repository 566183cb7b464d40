/* RecordActivities. */

#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_history.h"
#include "server/services/convert_response.h"
#include "server/services/tracker.h"

/* An activity is worth more than one mutation of an entry. */
enum { OFFLOAD_ACTIVITIES = CX_OFFLOAD_ITEMS / 4 };

struct record_state {
    struct cx_answer answer;
    const RecordActivitiesRequest *request;
    struct cx_write_outcome outcome;
};

static void reply(struct cx_call *call)
{
    const struct record_state *state = cx_call_state(call);
    RecordActivitiesResponse response = CONTEXTD__V1__RECORD_ACTIVITIES_RESPONSE__INIT;
    WriteResult write;

    cx_write_result_init(&write, &state->outcome);
    response.first_sequence = state->outcome.sequence - state->request->n_activities + 1;
    response.last_sequence = state->outcome.sequence;
    response.write = &write;
    cx_call_reply(call, &response.base);
}

static void record(struct cx_call *call)
{
    struct record_state *state = cx_call_state(call);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_update_request request;

    if (cx_convert_record(&conversion, state->request, &request) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    if (cx_engine_update(cx_answer_app(call)->engine, &request, &state->outcome, &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_tracker_record_activities(struct cx_call *call, const ProtobufCMessage *message)
{
    const RecordActivitiesRequest *request = (const RecordActivitiesRequest *)message;
    struct record_state *state = cx_call_alloc(call, sizeof *state);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct record_state){.answer = {.reply = reply}, .request = request};
    cx_call_set_state(call, state);
    if (request->n_activities > OFFLOAD_ACTIVITIES) {
        cx_call_offload(call, record);
    } else {
        record(call);
    }
}
