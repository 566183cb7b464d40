/* get, put, append, delete-entry: the entries of a context. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/fetch.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show.h"
#include "clients/ctxctl/state.h"

/* ---- get. ------------------------------------------------------------------ */

enum {
    GET_STATE,
    GET_PREFIX = GET_STATE + 3,
    GET_KEYS,
};

static const struct ctl_option get_options[] = {
    {"point", "POINT", "as this recovery point keeps it"},
    {"version", "NUMBER", "as it was at this version, while that is kept"},
    {"time", "TIME", "as it was then: 10m ago, or 2026-11-21T10:53:18Z"},
    {"prefix", "TEXT", "only entries whose keys begin with this"},
    {"keys", NULL, "only the keys, not the values"},
};

static enum ctl_exit get_context(struct ctl *ctl, const struct ctl_query *query)
{
    struct cxc_error error;
    Context *context;

    if (ctl_fetch(ctl, &ctl->pool, query, &context, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot get %s", query->id);
    }
    if (ctl->json) {
        ctl_json_print(ctl_context_json(context, true), stdout);
    } else {
        ctl_context_print(ctl, context, !query->keys_only);
    }
    return CTL_OK;
}

/* Writes the value as it is, or as JSON. */
static enum ctl_exit value_print(struct ctl *ctl, const Entry *entry)
{
    if (ctl->json) {
        ctl_json_print(ctl_entry_json(entry, true), stdout);
        return CTL_OK;
    }
    if (entry->value.len > 0) { /* Else there may be no data at all. */
        fwrite(entry->value.data, 1, entry->value.len, stdout);
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        return ctl_complain(ctl, CTL_INPUT, "cannot write the value");
    }
    return CTL_OK;
}

static enum ctl_exit get_entry(struct ctl *ctl, const char *id, char *key, StateRef *state)
{
    GetContextRequest request = CONTEXTD__V1__GET_CONTEXT_REQUEST__INIT;
    GetContextResponse *response;
    struct cxc_error error;
    enum ctl_exit exit;

    request.state = state;
    request.view = VIEW_FULL;
    request.keys = &key;
    request.n_keys = 1;
    if (cxc_get_context(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot get %s of %s", key, id);
    }
    if (response->context != NULL && response->context->n_entries > 0) {
        exit = value_print(ctl, response->context->entries[0]);
    } else {
        exit = ctl_complain(ctl, CTL_NOT_FOUND,
                            "%s has no entry %s. `ctxctl get %s --keys` shows those it has", id,
                            key, id);
    }
    cxc_response_free(response);
    return exit;
}

static enum ctl_exit get_run(struct ctl *ctl, const struct ctl_args *args)
{
    const struct ctl_state_options state = {get_options, GET_STATE};
    const char *prefix = ctl_args_value(args, GET_PREFIX);
    struct ctl_query query = {
        .id = args->operands[0],
        .prefix = prefix != NULL ? prefix : "",
        .keys_only = ctl_args_value(args, GET_KEYS) != NULL,
    };
    bool given;
    enum ctl_exit exit = ctl_option_state(ctl, args, &state, query.id, &query.state, &given);

    if (exit != CTL_OK) {
        return exit;
    }
    if (args->operand_count == 1) {
        return get_context(ctl, &query);
    }
    if (prefix != NULL || query.keys_only) {
        return ctl_complain(ctl, CTL_USAGE, "--prefix and --keys do not go with a KEY");
    }
    return get_entry(ctl, query.id, args->operands[1], query.state);
}

const struct ctl_command ctl_get = {
    .name = "get",
    .operands = "ID [KEY]",
    .operand_min = 1,
    .operand_max = 2,
    .summary = "show a context, or write the value of one entry",
    .description =
        "Without KEY, shows the context and its entries. With KEY, writes the bytes of that\n"
        "value and nothing else, not even a newline; -o json tells its version too.\n",
    .examples = "  ctxctl get trip-42\n"
                "  ctxctl get trip-42 photo > photo.jpg\n"
                "  ctxctl get trip-42 --prefix messages/ --keys\n"
                "  ctxctl get trip-42 goal --version 3\n"
                "  ctxctl get trip-42 goal --point before-booking\n",
    .options = get_options,
    .option_count = sizeof get_options / sizeof get_options[0],
    .run = get_run,
};

/* ---- Writes of one entry. -------------------------------------------------- */

/* The first options of put and append, in this order; delete-entry has the first three. */
enum {
    WRITE_IF_VERSION,
    WRITE_SESSION,
    WRITE_FENCE,
    WRITE_FILE,
    WRITE_CONTENT_TYPE,
    WRITE_CREATE,
    WRITE_OWN, /* Where those that differ begin. */
};

/* The value: the operand, a file, or stdin. */
static enum ctl_exit value_read(struct ctl *ctl, const struct ctl_args *args,
                                struct ctl_bytes *ret_value)
{
    const char *path = ctl_args_value(args, WRITE_FILE);
    const char *operand = args->operand_count > 2 ? args->operands[2] : NULL;

    if (path == NULL && operand == NULL) {
        return ctl_complain(
            ctl, CTL_USAGE,
            "there is no value: give it as an argument, with --file, or - for stdin");
    }
    return ctl_read_value(ctl, operand, path, ret_value);
}

/* Sends an update whose mutations are made, and tells the version it made. */
static enum ctl_exit update_send(struct ctl *ctl, const struct ctl_args *args,
                                 struct ctl_list *mutations, const char *what)
{
    UpdateContextRequest request = CONTEXTD__V1__UPDATE_CONTEXT_REQUEST__INIT;
    const char *if_version = ctl_args_value(args, WRITE_IF_VERSION);
    UpdateContextResponse *response;
    Precondition *precondition;
    struct cxc_error error;
    enum ctl_exit exit = ctl_option_write(ctl, ctl_args_value(args, WRITE_SESSION),
                                          ctl_args_value(args, WRITE_FENCE), &request.write);

    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    request.mutations = (Mutation **)mutations->items;
    request.n_mutations = mutations->count;
    if (ctl_args_value(args, WRITE_CREATE) != NULL) {
        request.create_if_missing = ctl_new_context(&ctl->pool);
    }
    if (if_version != NULL) {
        uint64_t version;

        exit = ctl_option_number(ctl, "if-version", if_version, &version);
        if (exit != CTL_OK) {
            return exit;
        }
        precondition = ctl_if_version(&ctl->pool, version);
        request.preconditions = &precondition;
        request.n_preconditions = 1;
    }
    if (cxc_update_context(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot %s %s", what, request.context_id);
    }
    ctl_print_version(ctl, request.context_id, response->version,
                      response->write != NULL && response->write->replayed);
    cxc_response_free(response);
    return CTL_OK;
}

/* ---- put. ------------------------------------------------------------------ */

static const struct ctl_option put_options[] = {
    {"if-version", "NUMBER", "only if the context is at this version; 0: does not exist"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
    {"file", "PATH", "the value is the content of this file; -: of stdin"},
    {"content-type", "TYPE", "kept with the value, such as application/json"},
    {"create", NULL, "create the context when it does not exist"},
};

static const char *content_type(const struct ctl_args *args)
{
    const char *type = ctl_args_value(args, WRITE_CONTENT_TYPE);

    return type != NULL ? type : "";
}

static enum ctl_exit put_run(struct ctl *ctl, const struct ctl_args *args)
{
    struct ctl_list mutations = {0};
    struct ctl_bytes value;
    enum ctl_exit exit = value_read(ctl, args, &value);

    if (exit != CTL_OK) {
        return exit;
    }
    ctl_list_add(&ctl->pool, &mutations,
                 ctl_mutation_put(&ctl->pool, args->operands[1], value, content_type(args)));
    return update_send(ctl, args, &mutations, "put an entry into");
}

const struct ctl_command ctl_put = {
    .name = "put",
    .operands = "ID KEY [VALUE]",
    .operand_min = 2,
    .operand_max = 3,
    .summary = "set an entry",
    .description =
        "Sets an entry, whether or not it exists. VALUE - reads stdin. A value that begins\n"
        "with a dash goes behind `--`.\n",
    .examples = "  ctxctl put trip-42 goal 'a quiet hotel'\n"
                "  ctxctl put trip-42 photo --file photo.jpg --content-type image/jpeg\n"
                "  make-plan | ctxctl put trip-42 plan - --if-version 7\n"
                "  ctxctl put trip-42 offset -- -5\n",
    .options = put_options,
    .option_count = sizeof put_options / sizeof put_options[0],
    .run = put_run,
};

/* ---- append. --------------------------------------------------------------- */

enum { APPEND_IF_SIZE = WRITE_OWN };

static const struct ctl_option append_options[] = {
    {"if-version", "NUMBER", "only if the context is at this version; 0: does not exist"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
    {"file", "PATH", "what to add is the content of this file; -: of stdin"},
    {"content-type", "TYPE", "for a new entry"},
    {"create", NULL, "create the context when it does not exist"},
    {"if-size", "BYTES", "only if the value has this size before"},
};

static enum ctl_exit append_run(struct ctl *ctl, const struct ctl_args *args)
{
    const char *if_size = ctl_args_value(args, APPEND_IF_SIZE);
    struct ctl_list mutations = {0};
    struct ctl_bytes value;
    uint64_t size = 0;
    enum ctl_exit exit = value_read(ctl, args, &value);

    if (exit == CTL_OK && if_size != NULL) {
        exit = ctl_option_number(ctl, "if-size", if_size, &size);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    ctl_list_add(&ctl->pool, &mutations,
                 ctl_mutation_append(&ctl->pool, args->operands[1], value, content_type(args),
                                     if_size != NULL ? &size : NULL));
    return update_send(ctl, args, &mutations, "append to an entry of");
}

const struct ctl_command ctl_append = {
    .name = "append",
    .operands = "ID KEY [VALUE]",
    .operand_min = 2,
    .operand_max = 3,
    .summary = "add bytes to the end of an entry",
    .description =
        "Adds to the end of an entry, creating it when missing, so that a value which only\n"
        "grows is not sent again. VALUE - reads stdin.\n",
    .examples = "  ctxctl append trip-42 log 'booked the flight. '\n"
                "  tail -n1 agent.log | ctxctl append trip-42 log - --if-size 2048\n",
    .options = append_options,
    .option_count = sizeof append_options / sizeof append_options[0],
    .run = append_run,
};

/* ---- delete-entry. --------------------------------------------------------- */

enum { DELETE_ENTRY_PREFIX = WRITE_FENCE + 1, DELETE_ENTRY_ALL };

static const struct ctl_option delete_entry_options[] = {
    {"if-version", "NUMBER", "only if the context is at this version"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
    {"prefix", "TEXT", "those whose keys begin with this, too; may be repeated"},
    {"all", NULL, "every entry"},
};

static enum ctl_exit delete_entry_run(struct ctl *ctl, const struct ctl_args *args)
{
    struct ctl_list mutations = {0};

    for (size_t i = 1; i < args->operand_count; i++) {
        ctl_list_add(&ctl->pool, &mutations, ctl_mutation_delete(&ctl->pool, args->operands[i]));
    }
    for (size_t i = 0; i < args->setting_count; i++) {
        bool all = args->settings[i].option == DELETE_ENTRY_ALL;
        const char *prefix = all ? "" : args->settings[i].value;

        if (args->settings[i].option == DELETE_ENTRY_PREFIX && prefix[0] == '\0') {
            return ctl_complain(ctl, CTL_USAGE, "--prefix is empty; --all removes every entry");
        }
        if (all || args->settings[i].option == DELETE_ENTRY_PREFIX) {
            ctl_list_add(&ctl->pool, &mutations, ctl_mutation_delete_prefix(&ctl->pool, prefix));
        }
    }
    if (mutations.count == 0) {
        return ctl_complain(ctl, CTL_USAGE, "name a KEY, a --prefix or --all");
    }
    return update_send(ctl, args, &mutations, "delete entries of");
}

const struct ctl_command ctl_delete_entry = {
    .name = "delete-entry",
    .operands = "ID [KEY...]",
    .operand_min = 1,
    .operand_max = SIZE_MAX,
    .summary = "remove entries",
    .description = "Removes entries, all in one change. A missing one is no error.\n",
    .examples = "  ctxctl delete-entry trip-42 goal plan\n"
                "  ctxctl delete-entry trip-42 --prefix scratch/\n",
    .options = delete_entry_options,
    .option_count = sizeof delete_entry_options / sizeof delete_entry_options[0],
    .run = delete_entry_run,
};
