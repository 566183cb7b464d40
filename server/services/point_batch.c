/* BatchRecoveryPoints: each operation on its own, in order.
 *
 * What always holds:
 *
 *  (1) What was done does not look as if it was not, however much there is to answer: first
 *      the points of creates and updates are left out, and gets fail, then failures tell
 *      their code and reason alone. That fits, whatever the limit of a message. */

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/recovery.h"
#include "server/services/answer.h"
#include "server/services/convert_point.h"
#include "server/services/convert_response.h"
#include "server/services/point_message.h"
#include "server/services/recovery.h"
#include "server/services/write_order.h"

/* What a packed result takes at most, without its point and without what its failure tells
 * beside code and reason. */
enum { RESULT_SIZE_MAX = 64 };

/* One operation, done or failed. */
struct batch_part {
    struct cx_point_view_query view; /* Of a get. */
    struct cx_point_view point;      /* Zeroed where there is none, or a failure. */
    struct cx_write_outcome outcome;
    Failure *failure; /* In the call's memory. */
    size_t failure_size;
};

struct batch_state {
    struct cx_answer answer;
    const BatchRecoveryPointsRequest *request;
    struct batch_part *parts; /* Of the heap: they outlive the call. */
    size_t count;
};

static void parts_free(struct batch_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cx_point_view_done(&parts[i].point);
    }
    cx_free(parts);
}

static void release(struct cx_call *call)
{
    struct batch_state *state = cx_call_state(call);

    parts_free(state->parts, state->count);
}

/* ---- The answer. ------------------------------------------------------------ */

struct batch_result {
    BatchPointResult result;
    union {
        CreateRecoveryPointResponse create;
        UpdateRecoveryPointResponse update;
        DeleteRecoveryPointResponse delete;
    };
    WriteResult write;
};

/* The results of a batch while they are made. */
struct batch_answer {
    struct cx_draft draft;
    uint64_t room;
};

static bool fail_part(struct batch_part *part, const struct cx_allocator *allocator,
                      const struct cx_error *error)
{
    part->failure = cx_failure_message(allocator, error, &part->failure_size);
    return part->failure != NULL;
}

/* The point of a create or an update, if there is room for it. */
static RecoveryPoint *add_point(struct batch_answer *answer, const struct cx_point_view *view)
{
    RecoveryPoint *point;
    uint64_t size;

    if (!cx_point_is_there(view)) {
        return NULL;
    }
    point = cx_point_message(&answer->draft, view);
    if (point == NULL) {
        return NULL;
    }
    size = cx_message_field_size(protobuf_c_message_get_packed_size(&point->base));
    if (size > answer->room) {
        return NULL;
    }
    answer->room -= size;
    return point;
}

static void set_get(struct batch_answer *answer, struct batch_part *part, BatchPointResult *result)
{
    enum { WRAPPING_SIZE = 24 }; /* Tags and sizes of the messages around it. */
    uint64_t room = answer->room > WRAPPING_SIZE ? answer->room - WRAPPING_SIZE : 0;
    struct cx_error error;
    uint64_t size;

    result->outcome_case = CONTEXTD__V1__BATCH_RECOVERY_POINTS_RESPONSE__RESULT__OUTCOME_GET;
    if (cx_point_message_full(&answer->draft, &part->point, &part->view, room, &result->get, &size,
                              &error) == CX_OK) {
        answer->room = room - size;
    } else if (error.reason != CX_REASON_RESPONSE_TOO_LARGE ||
               !fail_part(part, &answer->draft.memory, &error)) {
        answer->draft.failed = true;
    }
}

static void set_create(struct batch_answer *answer, const struct batch_part *part,
                       struct batch_result *ret_result)
{
    ret_result->create =
        (CreateRecoveryPointResponse)CONTEXTD__V1__CREATE_RECOVERY_POINT_RESPONSE__INIT;
    ret_result->create.recovery_point = add_point(answer, &part->point);
    ret_result->create.version = part->outcome.version;
    ret_result->create.write = &ret_result->write;
    ret_result->result.outcome_case =
        CONTEXTD__V1__BATCH_RECOVERY_POINTS_RESPONSE__RESULT__OUTCOME_CREATE;
    ret_result->result.create = &ret_result->create;
}

static void set_update(struct batch_answer *answer, const struct batch_part *part,
                       struct batch_result *ret_result)
{
    ret_result->update =
        (UpdateRecoveryPointResponse)CONTEXTD__V1__UPDATE_RECOVERY_POINT_RESPONSE__INIT;
    ret_result->update.recovery_point = add_point(answer, &part->point);
    ret_result->update.write = &ret_result->write;
    ret_result->result.outcome_case =
        CONTEXTD__V1__BATCH_RECOVERY_POINTS_RESPONSE__RESULT__OUTCOME_UPDATE;
    ret_result->result.update = &ret_result->update;
}

static void set_delete(struct batch_result *ret_result)
{
    ret_result->delete =
        (DeleteRecoveryPointResponse)CONTEXTD__V1__DELETE_RECOVERY_POINT_RESPONSE__INIT;
    ret_result->delete.write = &ret_result->write;
    ret_result->result.outcome_case =
        CONTEXTD__V1__BATCH_RECOVERY_POINTS_RESPONSE__RESULT__OUTCOME_DELETE;
    ret_result->result.delete_ = &ret_result->delete;
}

static void set_result(struct batch_answer *answer, const BatchPointOperation *operation,
                       struct batch_part *part, struct batch_result *ret_result)
{
    BatchPointResult *result = &ret_result->result;

    *result = (BatchPointResult)CONTEXTD__V1__BATCH_RECOVERY_POINTS_RESPONSE__RESULT__INIT;
    cx_write_result_init(&ret_result->write, &part->outcome);
    if (part->failure == NULL) {
        switch (operation->kind_case) {
        case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_CREATE:
            set_create(answer, part, ret_result);
            break;
        case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_GET:
            set_get(answer, part, result);
            break;
        case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_UPDATE:
            set_update(answer, part, ret_result);
            break;
        default: /* One of no kind has failed. */
            set_delete(ret_result);
            break;
        }
    }
    if (part->failure != NULL) {
        result->outcome_case =
            CONTEXTD__V1__BATCH_RECOVERY_POINTS_RESPONSE__RESULT__OUTCOME_FAILURE;
        result->failure = part->failure;
    }
}

/* Drops what failures tell beside code and reason, from the last one on, until the answer
 * fits into a message. */
static void shorten(BatchRecoveryPointsResponse *response, size_t size_max)
{
    size_t size = protobuf_c_message_get_packed_size(&response->base);

    for (size_t i = response->n_results; i > 0 && size > size_max; i--) {
        const BatchPointResult *result = response->results[i - 1];

        if (result->outcome_case ==
            CONTEXTD__V1__BATCH_RECOVERY_POINTS_RESPONSE__RESULT__OUTCOME_FAILURE) {
            size -= cx_failure_shorten(result->failure);
        }
    }
}

/* Room for the points, beside all that every result takes and what failures tell. */
static uint64_t room_for_points(const struct batch_state *state, size_t size_max)
{
    uint64_t taken = (uint64_t)state->count * RESULT_SIZE_MAX;

    for (size_t i = 0; i < state->count; i++) {
        taken += state->parts[i].failure_size;
    }
    return size_max > taken ? size_max - taken : 0;
}

static void send_results(struct cx_call *call)
{
    const struct batch_state *state = cx_call_state(call);
    struct batch_part *parts = state->parts;
    size_t count = state->count;
    size_t size_max = cx_call_message_size_max(call);
    struct batch_answer answer = {
        .draft = {.memory = cx_allocator_of_call(call)},
        .room = room_for_points(state, size_max),
    };
    BatchRecoveryPointsResponse response = CONTEXTD__V1__BATCH_RECOVERY_POINTS_RESPONSE__INIT;
    struct batch_result *results = cx_draft_alloc(&answer.draft, count * sizeof *results);

    response.results = cx_draft_alloc(&answer.draft, count * sizeof *response.results);
    for (size_t i = 0; i < count && !answer.draft.failed; i++) {
        set_result(&answer, state->request->operations[i], &parts[i], &results[i]);
        response.results[i] = &results[i].result;
    }
    if (answer.draft.failed) {
        cx_answer_out_of_memory(call);
    } else {
        response.n_results = count;
        shorten(&response, size_max);
        cx_call_reply(call, &response.base);
    }
    parts_free(parts, count);
}

static void reply(struct cx_call *call)
{
    const struct batch_state *state = cx_call_state(call);
    uint64_t cost = 0;

    for (size_t i = 0; i < state->count && cost <= CX_OFFLOAD_ITEMS; i++) {
        if (state->parts[i].failure == NULL) {
            cost += cx_point_cost(&state->parts[i].point, &state->parts[i].view);
        }
    }
    if (cost > CX_OFFLOAD_ITEMS) {
        cx_call_offload(call, send_results);
    } else {
        send_results(call);
    }
}

/* ---- The operations. -------------------------------------------------------- */

/* What all operations are done with. */
struct batch_run {
    struct cx_engine *engine;
    struct cx_conversion conversion;
    struct cx_write_order order;
    const char *namespace_id; /* That all must name: that of the first. NULL: none has. */
};

/* The namespace that an operation names; NULL for one of no kind. */
static const char *namespace_of(const BatchPointOperation *operation)
{
    switch (operation->kind_case) {
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_CREATE:
        return operation->create->namespace_;
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_GET:
        return operation->get->namespace_;
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_UPDATE:
        return operation->update->namespace_;
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_DELETE:
        return operation->delete_->namespace_;
    default:
        return NULL;
    }
}

static enum cx_status check_namespace(const struct batch_run *run, const struct cx_field *at,
                                      const char *namespace_id)
{
    if (!cx_convert_same_namespace(namespace_id, run->namespace_id)) {
        return cx_field_invalid(at, "namespace", run->conversion.error, CX_RULE_ONE_NAMESPACE);
    }
    return CX_OK;
}

static enum cx_status run_create(struct batch_run *run, const struct cx_field *operation,
                                 const CreateRecoveryPointRequest *message, struct batch_part *part)
{
    const struct cx_field at = cx_field_of(operation, "create");
    struct cx_create_point_request request;
    enum cx_status status = check_namespace(run, &at, message->namespace_);

    if (status == CX_OK) {
        status = cx_convert_point_create(&run->conversion, &at, message, &request);
    }
    return status != CX_OK ? status
                           : cx_engine_create_point(run->engine, &request, &part->outcome,
                                                    &part->point, run->conversion.error);
}

static enum cx_status run_get(struct batch_run *run, const struct cx_field *operation,
                              const GetRecoveryPointRequest *message, struct batch_part *part)
{
    const struct cx_field at = cx_field_of(operation, "get");
    struct cx_point_get_query query;
    enum cx_status status = check_namespace(run, &at, message->namespace_);

    if (status == CX_OK) {
        status = cx_convert_point_get(&run->conversion, &at, message, &query);
    }
    if (status != CX_OK) {
        return status;
    }
    part->view = query.view;
    return cx_engine_get_point(run->engine, &query.name, query.point_id, &part->point,
                               &part->outcome.wait_for, run->conversion.error);
}

static enum cx_status run_update(struct batch_run *run, const struct cx_field *operation,
                                 const UpdateRecoveryPointRequest *message, struct batch_part *part)
{
    const struct cx_field at = cx_field_of(operation, "update");
    struct cx_update_point_request request;
    enum cx_status status = check_namespace(run, &at, message->namespace_);

    if (status == CX_OK) {
        status = cx_convert_point_update(&run->conversion, &at, message, &request);
    }
    return status != CX_OK ? status
                           : cx_engine_update_point(run->engine, &request, &part->outcome,
                                                    &part->point, run->conversion.error);
}

static enum cx_status run_delete(struct batch_run *run, const struct cx_field *operation,
                                 const DeleteRecoveryPointRequest *message, struct batch_part *part)
{
    const struct cx_field at = cx_field_of(operation, "delete");
    struct cx_delete_point_request request;
    enum cx_status status = check_namespace(run, &at, message->namespace_);

    if (status == CX_OK) {
        status = cx_convert_point_delete(&run->conversion, &at, message, &request);
    }
    return status != CX_OK ? status
                           : cx_engine_delete_point(run->engine, &request, &part->outcome,
                                                    run->conversion.error);
}

static enum cx_status run_kind(struct batch_run *run, const struct cx_field *at,
                               const BatchPointOperation *operation, struct batch_part *part)
{
    switch (operation->kind_case) {
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_CREATE:
        return run_create(run, at, operation->create, part);
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_GET:
        return run_get(run, at, operation->get, part);
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_UPDATE:
        return run_update(run, at, operation->update, part);
    case CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_DELETE:
        return run_delete(run, at, operation->delete_, part);
    default:
        return cx_field_invalid(at, NULL, run->conversion.error, "must be set to a known kind");
    }
}

static enum cx_status run_part(struct batch_run *run, const struct cx_field *at,
                               const BatchPointOperation *operation, struct batch_part *part)
{
    enum cx_status status = cx_write_order_check(&run->order, run->conversion.error);

    if (status == CX_OK) {
        status = run_kind(run, at, operation, part);
    }
    if (status != CX_OK) {
        cx_write_order_failed(&run->order, run->conversion.error);
    }
    return status;
}

static void run_parts(struct cx_call *call)
{
    struct batch_state *state = cx_call_state(call);
    BatchPointOperation **operations = state->request->operations;
    struct cx_error error;
    struct batch_run run = {
        .engine = cx_answer_app(call)->engine,
        .conversion = cx_conversion_of_call(call, &error),
    };
    uint64_t wait_for = 0;

    for (size_t i = 0; i < state->count; i++) {
        const struct cx_field field = cx_field_at(NULL, "operations", i);
        struct batch_part *part = &state->parts[i];

        if (run.namespace_id == NULL) {
            run.namespace_id = namespace_of(operations[i]);
        }
        if (run_part(&run, &field, operations[i], part) != CX_OK &&
            !fail_part(part, &run.conversion.memory, &error)) {
            release(call);
            cx_answer_out_of_memory(call);
            return;
        }
        wait_for = part->outcome.wait_for > wait_for ? part->outcome.wait_for : wait_for;
    }
    cx_answer_when_durable(call, wait_for);
}

/* ---- The request. ----------------------------------------------------------- */

/* In items. An operation costs more than one, whatever is in it. */
static size_t request_cost(const BatchRecoveryPointsRequest *request)
{
    enum { OPERATION_COST = 4 };
    size_t cost = request->n_operations * OPERATION_COST;

    for (size_t i = 0; i < request->n_operations; i++) {
        const BatchPointOperation *operation = request->operations[i];

        if (operation->kind_case ==
            CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_CREATE) {
            cost += cx_point_create_cost(operation->create);
        } else if (operation->kind_case ==
                   CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_UPDATE) {
            cost += cx_point_update_cost(operation->update);
        } else if (operation->kind_case ==
                   CONTEXTD__V1__BATCH_RECOVERY_POINTS_REQUEST__OPERATION__KIND_GET) {
            cost += operation->get->n_keys;
        }
    }
    return cost;
}

void cx_recovery_batch_points(struct cx_call *call, const ProtobufCMessage *message)
{
    const BatchRecoveryPointsRequest *request = (const BatchRecoveryPointsRequest *)message;
    struct batch_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;

    if (cx_field_check_count(NULL, "operations", request->n_operations, 1, CX_BATCH_MAX, &error) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct batch_state){
        .answer = {.reply = reply, .release = release},
        .request = request,
        .parts = cx_calloc(request->n_operations * sizeof *state->parts),
        .count = request->n_operations,
    };
    if (state->parts == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_call_set_state(call, state);
    if (request_cost(request) > CX_OFFLOAD_ITEMS) {
        cx_call_offload(call, run_parts);
    } else {
        run_parts(call);
    }
}
