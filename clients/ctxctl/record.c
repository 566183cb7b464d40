/* record: adds an activity to the history of a context. */

#include <inttypes.h>
#include <stdio.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"

enum {
    RECORD_TYPE,
    RECORD_FILE,
    RECORD_CONTENT_TYPE,
    RECORD_LABEL,
    RECORD_PATH,
    RECORD_OPERATION,
    RECORD_SOURCE,
    RECORD_MODEL,
    RECORD_PROVIDER,
    RECORD_MODE,
    RECORD_INPUT_TOKENS,
    RECORD_OUTPUT_TOKENS,
    RECORD_CACHED_TOKENS,
    RECORD_COST,
    RECORD_CURRENCY,
    RECORD_LATENCY,
    RECORD_CREATE,
    RECORD_SESSION,
    RECORD_FENCE,
};

static const struct ctl_option options[] = {
    {"type", "TYPE", "such as message or error; not needed with --path or --model"},
    {"file", "PATH", "the data are the content of this file; -: of stdin"},
    {"content-type", "TYPE", "kept with the data, such as application/json"},
    {"label", "KEY=VALUE", "a label; may be repeated"},
    {"path", "PATH", "a file that was touched"},
    {"operation", "NAME", "what was done to that file, such as read, write or delete"},
    {"source", "NAME", "the tool or agent that did it"},
    {"model", "NAME", "a model that was called"},
    {"provider", "NAME", "whose model it is"},
    {"mode", "NAME", "how it was called, such as batch"},
    {"input-tokens", "N", "tokens that went in"},
    {"output-tokens", "N", "tokens that came out"},
    {"cached-tokens", "N", "tokens that were in a cache"},
    {"cost", "AMOUNT", "what the call cost, such as 0.0125"},
    {"currency", "CODE", "of the cost: three capital letters (default: USD)"},
    {"latency", "TIME", "how long the call took, such as 850ms"},
    {"create", NULL, "create the context when it does not exist"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

/* The parts of an activity; `file` and `model` are filled whether or not they are used. */
struct record {
    Activity activity;
    FileOperation file;
    ModelUsage model;
    const char *file_option; /* The last option given that is about a file; NULL: none. */
    const char *model_option;
};

static enum ctl_exit set_cost(const struct ctl *ctl, const char *text, uint64_t *ret_micros)
{
    if (!ctl_parse_micros(text, ret_micros)) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--cost takes an amount with up to six digits behind the point, such "
                            "as 0.0125, not '%s'",
                            text);
    }
    return CTL_OK;
}

static enum ctl_exit set_latency(struct ctl *ctl, const char *text, Duration **ret_latency)
{
    int64_t ms;
    enum ctl_exit exit = ctl_option_duration(ctl, "latency", text, &ms);

    if (exit == CTL_OK) {
        *ret_latency = ctl_duration(&ctl->pool, ms);
    }
    return exit;
}

static enum ctl_exit set_file(struct record *record, const struct ctl_setting *setting)
{
    char *text = (char *)setting->value;

    record->file_option = options[setting->option].name;
    switch (setting->option) {
    case RECORD_PATH:
        record->file.path = text;
        break;
    case RECORD_OPERATION:
        record->file.operation = text;
        break;
    default:
        record->file.source = text;
        break;
    }
    return CTL_OK;
}

static enum ctl_exit set_model(struct ctl *ctl, struct record *record,
                               const struct ctl_setting *setting)
{
    const char *name = options[setting->option].name;
    ModelUsage *model = &record->model;
    char *text = (char *)setting->value;

    record->model_option = name;
    switch (setting->option) {
    case RECORD_MODEL:
        model->model = text;
        return CTL_OK;
    case RECORD_PROVIDER:
        model->provider = text;
        return CTL_OK;
    case RECORD_MODE:
        model->mode = text;
        return CTL_OK;
    case RECORD_INPUT_TOKENS:
        return ctl_option_number(ctl, name, text, &model->input_tokens);
    case RECORD_OUTPUT_TOKENS:
        return ctl_option_number(ctl, name, text, &model->output_tokens);
    case RECORD_CACHED_TOKENS:
        return ctl_option_number(ctl, name, text, &model->cached_tokens);
    case RECORD_COST:
        return set_cost(ctl, text, &model->cost_micros);
    case RECORD_CURRENCY:
        model->currency = text;
        return CTL_OK;
    default:
        return set_latency(ctl, text, &model->latency);
    }
}

static enum ctl_exit set_option(struct ctl *ctl, struct record *record,
                                const struct ctl_setting *setting)
{
    size_t option = setting->option;

    if (option >= RECORD_PATH && option <= RECORD_SOURCE) {
        return set_file(record, setting);
    }
    if (option >= RECORD_MODEL && option <= RECORD_LATENCY) {
        return set_model(ctl, record, setting);
    }
    if (option == RECORD_TYPE) {
        record->activity.type = (char *)setting->value;
    } else if (option == RECORD_CONTENT_TYPE) {
        record->activity.content_type = (char *)setting->value;
    } else if (option == RECORD_LABEL) {
        return ctl_option_label(ctl, &record->activity.base, setting->value);
    }
    return CTL_OK; /* The others are about the data and the request. */
}

/* What the activity is about, as the options have it. */
static enum ctl_exit set_detail(const struct ctl *ctl, struct record *record)
{
    if (record->file_option != NULL && record->model_option != NULL) {
        return ctl_complain(ctl, CTL_USAGE,
                            "an activity is about a file or a model: --%s and --%s need one each",
                            record->file_option, record->model_option);
    }
    if (record->file_option != NULL && record->file.path[0] == '\0') {
        return ctl_complain(ctl, CTL_USAGE, "--%s needs --path", record->file_option);
    }
    if (record->file_option != NULL) {
        record->activity.detail_case = CONTEXTD__V1__ACTIVITY__DETAIL_FILE;
        record->activity.file = &record->file;
    } else if (record->model_option != NULL) {
        record->activity.detail_case = CONTEXTD__V1__ACTIVITY__DETAIL_MODEL;
        record->activity.model = &record->model;
    } else if (record->activity.type[0] == '\0') {
        return ctl_complain(ctl, CTL_USAGE,
                            "what was it? Give it a --type, or say which --path or --model");
    }
    return CTL_OK;
}

static enum ctl_exit set_data(struct ctl *ctl, const struct ctl_args *args, struct record *record)
{
    const char *operand = args->operand_count > 1 ? args->operands[1] : NULL;
    const char *path = ctl_args_value(args, RECORD_FILE);
    struct ctl_bytes data;
    enum ctl_exit exit;

    if (operand == NULL && path == NULL) {
        return CTL_OK;
    }
    exit = ctl_read_value(ctl, operand, path, &data);
    if (exit == CTL_OK) {
        record->activity.data = ctl_binary(data);
    }
    return exit;
}

static enum ctl_exit record_make(struct ctl *ctl, const struct ctl_args *args,
                                 struct record *record)
{
    enum ctl_exit exit = CTL_OK;

    contextd__v1__activity__init(&record->activity);
    contextd__v1__file_operation__init(&record->file);
    contextd__v1__model_usage__init(&record->model);
    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        exit = set_option(ctl, record, &args->settings[i]);
    }
    if (exit == CTL_OK) {
        exit = set_detail(ctl, record);
    }
    return exit == CTL_OK ? set_data(ctl, args, record) : exit;
}

static void print(const struct ctl *ctl, const RecordActivitiesResponse *response, const char *id)
{
    if (ctl->json) {
        json_t *object = json_pack("{s:s}", "id", id);
        bool replayed = response->write != NULL && response->write->replayed;

        ctl_json_set_number(object, "sequence", response->last_sequence);
        json_object_set_new(object, "replayed", json_boolean(replayed));
        ctl_json_print(object, stdout);
    } else {
        printf("%s has activity %" PRIu64 "\n", id, response->last_sequence);
    }
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args)
{
    RecordActivitiesRequest request = CONTEXTD__V1__RECORD_ACTIVITIES_REQUEST__INIT;
    RecordActivitiesResponse *response;
    struct record record = {0};
    Activity *activity = &record.activity;
    struct cxc_error error;
    enum ctl_exit exit = ctl_option_write(ctl, ctl_args_value(args, RECORD_SESSION),
                                          ctl_args_value(args, RECORD_FENCE), &request.write);

    if (exit == CTL_OK) {
        exit = record_make(ctl, args, &record);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    request.activities = &activity;
    request.n_activities = 1;
    if (ctl_args_value(args, RECORD_CREATE) != NULL) {
        request.create_if_missing = ctl_new_context(&ctl->pool);
    }
    if (cxc_record_activities(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot record an activity of %s", request.context_id);
    }
    print(ctl, response, request.context_id);
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_record = {
    .name = "record",
    .operands = "ID [DATA]",
    .operand_min = 1,
    .operand_max = 2,
    .summary = "add an activity to the history of a context",
    .description =
        "Adds what happened to the history of a context; its version stays. DATA - reads\n"
        "stdin; data that begin with a dash go behind `--`. With --path it is about a file\n"
        "that was touched and counts in `ctxctl files`, with --model about the call of a\n"
        "model and counts in `ctxctl usage`.\n",
    .examples = "  ctxctl record trip-42 'asked for a window seat' --type note --session \"$S\"\n"
                "  make 2>&1 | ctxctl record trip-42 - --type build --label target=all\n"
                "  ctxctl record trip-42 --path src/plan.c --operation write --source editor\n"
                "  ctxctl record trip-42 --provider acme --model large --input-tokens 1200 \\\n"
                "    --output-tokens 300 --cost 0.0125 --latency 850ms\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
