/* update: several steps as one change. */

#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/policy.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show.h"

enum {
    UPDATE_PUT,
    UPDATE_PUT_FILE,
    UPDATE_APPEND,
    UPDATE_DELETE,
    UPDATE_DELETE_PREFIX,
    UPDATE_LABEL,
    UPDATE_UNLABEL,
    UPDATE_TTL,
    UPDATE_SLIDING,
    UPDATE_SET_POLICY,
    UPDATE_CLEAR_POLICY,
    UPDATE_IF_VERSION,
    UPDATE_IF_ENTRY,
    UPDATE_CREATE,
    UPDATE_SESSION,
    UPDATE_FENCE,
};

static const struct ctl_option update_options[] = {
    {"put", "KEY=VALUE", "set an entry"},
    {"put-file", "KEY=PATH", "set an entry to the content of a file; -: of stdin"},
    {"append", "KEY=VALUE", "add to the end of an entry"},
    {"delete", "KEY", "remove an entry"},
    {"delete-prefix", "TEXT", "remove the entries whose keys begin with this"},
    {"label", "KEY=VALUE", "set a label"},
    {"unlabel", "KEY", "remove a label"},
    {"ttl", "TIME", "delete the context by itself after this; never: keep it"},
    {"sliding", NULL, "count that time from the last change"},
    {"set-policy", "RULES", "its recovery points, such as keep-last=10,point-every=10m"},
    {"clear-policy", NULL, "the recovery policy of the server again"},
    {"if-version", "NUMBER", "only if the context is at this version; 0: does not exist"},
    {"if-entry", "KEY=NUMBER", "only if the entry is of this version; 0: does not exist"},
    {"create", NULL, "create the context when it does not exist"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

/* What the options add up to. */
struct update {
    struct ctl_list mutations;
    struct ctl_list preconditions;
    SetExpiry *expiry; /* NULL until --ttl. */
    bool sliding;
    bool create;
};

static void add_mutation(struct ctl *ctl, struct update *update, Mutation *mutation)
{
    ctl_list_add(&ctl->pool, &update->mutations, mutation);
}

/* The options that take KEY=VALUE. */
static enum ctl_exit add_pair(struct ctl *ctl, struct update *update, size_t option,
                              const char *text)
{
    struct ctl_pool *pool = &ctl->pool;
    struct ctl_bytes content;
    uint64_t version;
    char *key;
    char *value;
    enum ctl_exit exit = ctl_option_pair(ctl, update_options[option].name, text, &key, &value);

    if (exit == CTL_OK && option == UPDATE_PUT_FILE) {
        exit = ctl_read_file(ctl, value, &content);
    }
    if (exit == CTL_OK && option == UPDATE_IF_ENTRY) {
        exit = ctl_option_number(ctl, "if-entry KEY", value, &version);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    switch (option) {
    case UPDATE_PUT:
        add_mutation(ctl, update, ctl_mutation_put(pool, key, ctl_bytes_of(value), ""));
        break;
    case UPDATE_PUT_FILE:
        add_mutation(ctl, update, ctl_mutation_put(pool, key, content, ""));
        break;
    case UPDATE_APPEND:
        add_mutation(ctl, update, ctl_mutation_append(pool, key, ctl_bytes_of(value), "", NULL));
        break;
    case UPDATE_LABEL:
        add_mutation(ctl, update, ctl_mutation_label(pool, key, value));
        break;
    default:
        ctl_list_add(pool, &update->preconditions, ctl_if_entry(pool, key, version));
        break;
    }
    return CTL_OK;
}

static enum ctl_exit add_version(struct ctl *ctl, struct update *update, const char *text)
{
    uint64_t version;
    enum ctl_exit exit = ctl_option_number(ctl, "if-version", text, &version);

    if (exit == CTL_OK) {
        ctl_list_add(&ctl->pool, &update->preconditions, ctl_if_version(&ctl->pool, version));
    }
    return exit;
}

/* --ttl takes its place among the steps; --sliding, wherever it stands, is its flag. */
static enum ctl_exit add_expiry(struct ctl *ctl, struct update *update, const char *text)
{
    int64_t ttl_ms;
    enum ctl_exit exit = ctl_option_ttl(ctl, text, &ttl_ms);

    if (exit == CTL_OK) {
        update->expiry = ctl_expiry(&ctl->pool, ttl_ms, false);
        add_mutation(ctl, update, ctl_mutation_expiry(&ctl->pool, update->expiry));
    }
    return exit;
}

static enum ctl_exit add_policy(struct ctl *ctl, struct update *update, const char *text)
{
    RecoveryPolicy *policy;
    enum ctl_exit exit = ctl_option_policy(ctl, "set-policy", text, &policy);

    if (exit == CTL_OK) {
        add_mutation(ctl, update, ctl_mutation_policy(&ctl->pool, policy));
    }
    return exit;
}

static enum ctl_exit add_setting(struct ctl *ctl, struct update *update,
                                 const struct ctl_setting *setting)
{
    switch (setting->option) {
    case UPDATE_DELETE:
        add_mutation(ctl, update, ctl_mutation_delete(&ctl->pool, setting->value));
        return CTL_OK;
    case UPDATE_DELETE_PREFIX:
        add_mutation(ctl, update, ctl_mutation_delete_prefix(&ctl->pool, setting->value));
        return CTL_OK;
    case UPDATE_UNLABEL:
        add_mutation(ctl, update, ctl_mutation_unlabel(&ctl->pool, setting->value));
        return CTL_OK;
    case UPDATE_TTL:
        return add_expiry(ctl, update, setting->value);
    case UPDATE_SLIDING:
        update->sliding = true;
        return CTL_OK;
    case UPDATE_SET_POLICY:
        return add_policy(ctl, update, setting->value);
    case UPDATE_CLEAR_POLICY:
        add_mutation(ctl, update, ctl_mutation_policy(&ctl->pool, NULL));
        return CTL_OK;
    case UPDATE_IF_VERSION:
        return add_version(ctl, update, setting->value);
    case UPDATE_CREATE:
        update->create = true;
        return CTL_OK;
    case UPDATE_SESSION:
    case UPDATE_FENCE: /* Who writes is no step. */
        return CTL_OK;
    default:
        return add_pair(ctl, update, setting->option, setting->value);
    }
}

static enum ctl_exit update_make(struct ctl *ctl, const struct ctl_args *args,
                                 struct update *update)
{
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        exit = add_setting(ctl, update, &args->settings[i]);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    if (update->sliding && update->expiry == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--sliding needs --ttl");
    }
    if (update->expiry != NULL) {
        update->expiry->sliding = update->sliding;
    }
    if (update->mutations.count == 0) {
        return ctl_complain(ctl, CTL_USAGE, "there is nothing to change: see ctxctl update --help");
    }
    return CTL_OK;
}

static enum ctl_exit update_run(struct ctl *ctl, const struct ctl_args *args)
{
    UpdateContextRequest request = CONTEXTD__V1__UPDATE_CONTEXT_REQUEST__INIT;
    UpdateContextResponse *response;
    struct update update = {0};
    struct cxc_error error;
    enum ctl_exit exit = update_make(ctl, args, &update);

    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, ctl_args_value(args, UPDATE_SESSION),
                                ctl_args_value(args, UPDATE_FENCE), &request.write);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    request.mutations = (Mutation **)update.mutations.items;
    request.n_mutations = update.mutations.count;
    request.preconditions = (Precondition **)update.preconditions.items;
    request.n_preconditions = update.preconditions.count;
    request.create_if_missing = update.create ? ctl_new_context(&ctl->pool) : NULL;
    if (cxc_update_context(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot update %s", request.context_id);
    }
    ctl_print_version(ctl, request.context_id, response->version,
                      response->write != NULL && response->write->replayed);
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_update = {
    .name = "update",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "change a context in several steps at once",
    .description =
        "Makes all the steps, in the order of the command line, as one change: all or none.\n"
        "Each option may be repeated.\n"
        "\n"
        "A recovery policy has rules with commas between them. keep-last=N, keep-every=N (by\n"
        "sequence) and keep-within=TIME say which recovery points are kept: those that any of\n"
        "them keeps. point-every-changes=N and point-every=TIME make points by themselves.\n",
    .examples =
        "  ctxctl update trip-42 --put goal='a quiet hotel' --delete draft --label state=open\n"
        "  ctxctl update trip-42 --put plan=v2 --if-version 7\n"
        "  ctxctl update trip-42 --set-policy keep-last=10,keep-within=7d,point-every=10m\n"
        "  ctxctl update scratch --delete-prefix tmp/ --ttl 10m --sliding\n",
    .options = update_options,
    .option_count = sizeof update_options / sizeof update_options[0],
    .run = update_run,
};
