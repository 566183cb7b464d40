/* SummarizeUsage. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_part.h"
#include "server/services/convert_time.h"
#include "server/services/draft.h"
#include "server/services/tracker.h"

struct summarize_state {
    struct cx_answer answer;
    struct cx_context_name name;
    struct cx_usage_summary summary;
};

/* One total, and what it holds. */
struct total_block {
    UsageTotal total;
    Duration latency;
};

static void release(struct cx_call *call)
{
    struct summarize_state *state = cx_call_state(call);

    cx_usage_summary_done(&state->summary);
}

static void fill_total(struct cx_draft *draft, const struct cx_usage_total *total,
                       struct total_block *block)
{
    UsageTotal *message = &block->total;

    *message = (UsageTotal)CONTEXTD__V1__SUMMARIZE_USAGE_RESPONSE__USAGE_TOTAL__INIT;
    message->provider = cx_draft_text(draft, total->provider);
    message->model = cx_draft_text(draft, total->model);
    message->mode = cx_draft_text(draft, total->mode);
    message->currency = cx_draft_text(draft, total->currency);
    message->call_count = total->call_count;
    message->input_tokens = total->input_tokens;
    message->output_tokens = total->output_tokens;
    message->cached_tokens = total->cached_tokens;
    message->cost_micros = total->cost_micros;
    message->latency = cx_duration_message(&block->latency, total->latency_us);
}

static void add_totals(struct cx_draft *draft, const struct cx_usage_summary *summary,
                       SummarizeUsageResponse *response)
{
    struct total_block *blocks = cx_draft_alloc(draft, summary->count * sizeof *blocks);
    UsageTotal **totals = cx_draft_alloc(draft, summary->count * sizeof(UsageTotal *));

    if (draft->failed) {
        return;
    }
    for (size_t i = 0; i < summary->count; i++) {
        fill_total(draft, &summary->totals[i], &blocks[i]);
        totals[i] = &blocks[i].total;
    }
    response->totals = totals;
    response->n_totals = summary->count;
}

static void reply(struct cx_call *call)
{
    const struct summarize_state *state = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    SummarizeUsageResponse response = CONTEXTD__V1__SUMMARIZE_USAGE_RESPONSE__INIT;

    add_totals(&draft, &state->summary, &response);
    release(call); /* The message holds copies. */
    if (draft.failed) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_call_reply(call, &response.base);
}

static void summarize(struct cx_call *call)
{
    struct summarize_state *state = cx_call_state(call);
    struct cx_error error;
    uint64_t wait_for;

    if (cx_engine_summarize_usage(cx_answer_app(call)->engine, &state->name, &state->summary,
                                  &wait_for, &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}

void cx_tracker_summarize_usage(struct cx_call *call, const ProtobufCMessage *message)
{
    const SummarizeUsageRequest *request = (const SummarizeUsageRequest *)message;
    struct summarize_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct summarize_state){.answer = {.reply = reply, .release = release}};
    if (cx_convert_name(&conversion, NULL, request->namespace_, request->context_id, 0,
                        &state->name) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (state->name.id.size == 0) {
        cx_call_offload(call, summarize); /* Every shard has a part of it. */
    } else {
        summarize(call);
    }
}
