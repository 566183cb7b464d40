/* point create, point show, point update, point delete: recovery points, one at a time. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show_point.h"

/* ---- What several of them do. ----------------------------------------------- */

/* Data beside a state: `KEY=VALUE`, `KEY=@FILE`, where `@-` is stdin, or `KEY=@@VALUE` for a
 * value that begins with an `@`. */
static enum ctl_exit attachment_make(struct ctl *ctl, const char *name, const char *text,
                                     struct ctl_list *attachments)
{
    Entry *entry = ctl_message_new(&ctl->pool, &contextd__v1__entry__descriptor);
    struct ctl_bytes bytes;
    char *value;
    enum ctl_exit exit = ctl_option_pair(ctl, name, text, &entry->key, &value);

    if (exit != CTL_OK) {
        return exit;
    }
    bytes = ctl_bytes_of(value[0] == '@' ? value + 1 : value);
    if (value[0] == '@' && value[1] != '@') {
        exit = ctl_read_file(ctl, value + 1, &bytes);
    }
    if (exit == CTL_OK) {
        entry->value = ctl_binary(bytes);
        ctl_list_add(&ctl->pool, attachments, entry);
    }
    return exit;
}

/* What a call that changed a point tells scripts. `version` 0: nothing of the context. */
static void print_json(const RecoveryPoint *point, uint64_t version, const WriteResult *write)
{
    json_t *object = json_object();

    if (point != NULL) {
        json_object_set_new(object, "recovery_point", ctl_point_json(point));
    }
    if (version > 0) {
        ctl_json_set_number(object, "version", version);
    }
    json_object_set_new(object, "replayed", json_boolean(write != NULL && write->replayed));
    ctl_json_print(object, stdout);
}

/* ---- point create. ---------------------------------------------------------- */

enum {
    CREATE_FROM,
    CREATE_SET_LABEL,
    CREATE_ATTACH,
    CREATE_TTL,
    CREATE_PIN,
    CREATE_REPLACE,
    CREATE_PUT,
    CREATE_PUT_FILE,
    CREATE_DELETE,
    CREATE_DELETE_PREFIX,
    CREATE_MOVE_HEAD,
    CREATE_IF_VERSION,
    CREATE_CREATE,
    CREATE_SESSION,
    CREATE_FENCE,
};

static const struct ctl_option create_options[] = {
    {"from", "POINT", "begin from what this point keeps, instead of the context as it is"},
    {"set-label", "KEY=VALUE", "a label of the point; may be repeated"},
    {"attach", "KEY=VALUE", "data beside the state, or KEY=@FILE; may be repeated"},
    {"ttl", "TIME", "drop the point by itself after this"},
    {"pin", NULL, "no policy and no prune drops it"},
    {"replace", NULL, "give the point of this id the new state, unless it is pinned"},
    {"put", "KEY=VALUE", "set an entry on top of the state; may be repeated"},
    {"put-file", "KEY=PATH", "likewise, to the content of a file; -: of stdin"},
    {"delete", "KEY", "remove an entry of it; may be repeated"},
    {"delete-prefix", "TEXT", "remove the entries of it whose keys begin with this"},
    {"move-head", NULL, "make the point's state the context's own too"},
    {"if-version", "NUMBER", "only if the context is at this version; 0: does not exist"},
    {"create", NULL, "create the context when it does not exist"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

/* What the options add up to. */
struct creation {
    CreateRecoveryPointRequest *request;
    struct ctl_list mutations;
    struct ctl_list attachments;
};

static enum ctl_exit create_put(struct ctl *ctl, struct creation *creation, size_t option,
                                const char *text)
{
    bool is_file = option == CREATE_PUT_FILE;
    struct ctl_bytes content;
    char *key;
    char *value;
    enum ctl_exit exit = ctl_option_pair(ctl, create_options[option].name, text, &key, &value);

    if (exit == CTL_OK) {
        content = ctl_bytes_of(value);
        exit = is_file ? ctl_read_file(ctl, value, &content) : CTL_OK;
    }
    if (exit == CTL_OK) {
        ctl_list_add(&ctl->pool, &creation->mutations,
                     ctl_mutation_put(&ctl->pool, key, content, ""));
    }
    return exit;
}

static enum ctl_exit create_label(struct ctl *ctl, struct creation *creation, const char *text)
{
    char *key;
    char *value;
    enum ctl_exit exit = ctl_option_pair(ctl, "set-label", text, &key, &value);

    if (exit == CTL_OK) {
        ctl_label_add(&ctl->pool, &creation->request->base, key, value);
    }
    return exit;
}

static enum ctl_exit create_ttl(struct ctl *ctl, const char *text, Duration **ret_ttl)
{
    int64_t ms;
    enum ctl_exit exit = ctl_option_duration(ctl, "ttl", text, &ms);

    if (exit == CTL_OK) {
        *ret_ttl = ctl_duration(&ctl->pool, ms);
    }
    return exit;
}

static enum ctl_exit create_set(struct ctl *ctl, const struct ctl_setting *setting,
                                struct creation *creation)
{
    CreateRecoveryPointRequest *request = creation->request;
    char *text = (char *)setting->value;

    switch (setting->option) {
    case CREATE_FROM:
        request->from_recovery_point_id = text;
        return ctl_check_given(ctl, "--from", text);
    case CREATE_SET_LABEL:
        return create_label(ctl, creation, text);
    case CREATE_ATTACH:
        return attachment_make(ctl, "attach", text, &creation->attachments);
    case CREATE_TTL:
        return create_ttl(ctl, text, &request->ttl);
    case CREATE_PUT:
    case CREATE_PUT_FILE:
        return create_put(ctl, creation, setting->option, text);
    case CREATE_DELETE:
        ctl_list_add(&ctl->pool, &creation->mutations, ctl_mutation_delete(&ctl->pool, text));
        return CTL_OK;
    case CREATE_DELETE_PREFIX:
        ctl_list_add(&ctl->pool, &creation->mutations,
                     ctl_mutation_delete_prefix(&ctl->pool, text));
        return CTL_OK;
    default: /* What needs no value, the condition, and who writes. */
        return CTL_OK;
    }
}

static enum ctl_exit create_fill(struct ctl *ctl, const struct ctl_args *args,
                                 CreateRecoveryPointRequest *request)
{
    struct creation creation = {.request = request};
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        exit = create_set(ctl, &args->settings[i], &creation);
    }
    if (exit == CTL_OK) {
        exit = ctl_option_if_version(ctl, ctl_args_value(args, CREATE_IF_VERSION),
                                     &request->preconditions, &request->n_preconditions);
    }
    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, ctl_args_value(args, CREATE_SESSION),
                                ctl_args_value(args, CREATE_FENCE), &request->write);
    }
    request->pinned = ctl_args_value(args, CREATE_PIN) != NULL;
    request->replace = ctl_args_value(args, CREATE_REPLACE) != NULL;
    request->move_head = ctl_args_value(args, CREATE_MOVE_HEAD) != NULL;
    request->create_if_missing =
        ctl_args_value(args, CREATE_CREATE) != NULL ? ctl_new_context(&ctl->pool) : NULL;
    request->mutations = (Mutation **)creation.mutations.items;
    request->n_mutations = creation.mutations.count;
    request->attachments = (Entry **)creation.attachments.items;
    request->n_attachments = creation.attachments.count;
    return exit;
}

static enum ctl_exit create_run(struct ctl *ctl, const struct ctl_args *args)
{
    CreateRecoveryPointRequest request = CONTEXTD__V1__CREATE_RECOVERY_POINT_REQUEST__INIT;
    CreateRecoveryPointResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = create_fill(ctl, args, &request);

    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    request.recovery_point_id = args->operand_count > 1 ? args->operands[1] : "";
    if (cxc_create_recovery_point(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot make a recovery point of %s", request.context_id);
    }
    if (response->recovery_point == NULL && !ctl->json) { /* A repeat, and it is gone by now. */
        printf("the point of %s was made, and is gone\n", request.context_id);
    } else if (ctl->json) {
        print_json(response->recovery_point, response->version, response->write);
    } else {
        printf("%s has point %s of version %" PRIu64 "\n", request.context_id,
               ctl_text_line(&ctl->pool, response->recovery_point->id),
               response->recovery_point->version);
    }
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_point_create = {
    .name = "point create",
    .operands = "CONTEXT [POINT]",
    .operand_min = 1,
    .operand_max = 2,
    .summary = "keep the state of a context",
    .description =
        "Makes a recovery point of the context as it is, or of what another point keeps. Without\n"
        "POINT the server makes an id up. --put, --put-file, --delete and --delete-prefix change\n"
        "the state that is kept, in the order of the command line; the context stays as it is,\n"
        "unless --move-head makes the same of it. An attachment that begins with @ itself is\n"
        "written KEY=@@VALUE; KEY=@- reads stdin.\n",
    .examples = "  ctxctl point create trip-42 before-booking --set-label stage=draft --pin\n"
                "  ctxctl point create trip-42 --ttl 7d --attach plan=@plan.json\n"
                "  ctxctl point create trip-42 plan-b --from before-booking --put goal='a tent'\n"
                "  ctxctl point create trip-42 latest --replace --if-version 7\n",
    .options = create_options,
    .option_count = sizeof create_options / sizeof create_options[0],
    .run = create_run,
};

/* ---- point show. ------------------------------------------------------------ */

enum {
    SHOW_ENTRIES,
    SHOW_ATTACHMENTS,
    SHOW_KEY,
};

static const struct ctl_option show_options[] = {
    {"entries", NULL, "the entries that it keeps, too"},
    {"attachments", NULL, "the data beside its state, too"},
    {"key", "KEY", "of those only the ones of this key; may be repeated"},
};

static enum ctl_exit show_run(struct ctl *ctl, const struct ctl_args *args)
{
    GetRecoveryPointRequest request = CONTEXTD__V1__GET_RECOVERY_POINT_REQUEST__INIT;
    struct ctl_point_parts parts = {
        .entries = ctl_args_value(args, SHOW_ENTRIES) != NULL,
        .attachments = ctl_args_value(args, SHOW_ATTACHMENTS) != NULL,
    };
    GetRecoveryPointResponse *response;
    struct ctl_list keys = {0};
    struct cxc_error error;

    for (size_t i = 0; i < args->setting_count; i++) {
        if (args->settings[i].option == SHOW_KEY) {
            ctl_list_add(&ctl->pool, &keys, (char *)args->settings[i].value);
        }
    }
    if (keys.count > 0 && !parts.entries && !parts.attachments) {
        return ctl_complain(ctl, CTL_USAGE, "--key needs --entries or --attachments");
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    if (args->operand_count > 1) {
        enum ctl_exit exit = ctl_check_given(ctl, "POINT", args->operands[1]);

        if (exit != CTL_OK) {
            return exit;
        }
        request.recovery_point_id = args->operands[1];
    }
    request.with_entries = parts.entries;
    request.with_attachments = parts.attachments;
    request.keys = (char **)keys.items;
    request.n_keys = keys.count;
    if (cxc_get_recovery_point(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot show %s of %s",
                        request.recovery_point_id[0] != '\0' ? request.recovery_point_id
                                                             : "the newest point",
                        request.context_id);
    }
    if (response->recovery_point == NULL) {
        cxc_response_free(response);
        return ctl_complain(ctl, CTL_FAILED, "the server answered without the point");
    }
    if (ctl->json) {
        ctl_json_print(ctl_point_whole_json(response, &parts), stdout);
    } else {
        ctl_point_print(ctl, response, &parts);
    }
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_point_show = {
    .name = "point show",
    .operands = "CONTEXT [POINT]",
    .operand_min = 1,
    .operand_max = 2,
    .summary = "show a recovery point",
    .description = "Shows a recovery point, without POINT the newest.\n",
    .examples = "  ctxctl point show trip-42\n"
                "  ctxctl point show trip-42 before-booking --entries\n"
                "  ctxctl point show trip-42 --attachments --key plan -o json\n",
    .options = show_options,
    .option_count = sizeof show_options / sizeof show_options[0],
    .run = show_run,
};

/* ---- point update. ---------------------------------------------------------- */

enum {
    UPDATE_SET_LABEL,
    UPDATE_UNSET_LABEL,
    UPDATE_ATTACH,
    UPDATE_ATTACH_NEW,
    UPDATE_DETACH,
    UPDATE_TTL,
    UPDATE_NO_EXPIRY,
    UPDATE_PIN,
    UPDATE_UNPIN,
    UPDATE_ALLOW_MISSING,
    UPDATE_SESSION,
    UPDATE_FENCE,
};

static const struct ctl_option update_options[] = {
    {"set-label", "KEY=VALUE", "set a label"},
    {"unset-label", "KEY", "remove a label"},
    {"attach", "KEY=VALUE", "set data beside the state; or KEY=@FILE"},
    {"attach-new", "KEY=VALUE", "the same where there is none of that key"},
    {"detach", "KEY", "remove data beside the state"},
    {"ttl", "TIME", "drop the point by itself after this, from now on"},
    {"no-expiry", NULL, "do not drop it by itself"},
    {"pin", NULL, "no policy and no prune drops it"},
    {"unpin", NULL, "they may again"},
    {"allow-missing", NULL, "keep attachments for a point that is still to be made"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

/* What the options add up to. */
struct point_update {
    UpdateRecoveryPointRequest *request;
    struct ctl_list set_labels;
    struct ctl_list unset_labels;
    struct ctl_list put;
    struct ctl_list add;
    struct ctl_list remove;
};

static enum ctl_exit update_label(struct ctl *ctl, struct point_update *update, const char *text)
{
    Contextd__V1__UpdateRecoveryPointRequest__SetMetadataEntry *label = ctl_message_new(
        &ctl->pool, &contextd__v1__update_recovery_point_request__set_metadata_entry__descriptor);
    enum ctl_exit exit = ctl_option_pair(ctl, "set-label", text, &label->key, &label->value);

    if (exit == CTL_OK) {
        ctl_list_add(&ctl->pool, &update->set_labels, label);
    }
    return exit;
}

static enum ctl_exit update_set(struct ctl *ctl, const struct ctl_setting *setting,
                                struct point_update *update)
{
    const char *name = update_options[setting->option].name;
    char *text = (char *)setting->value;

    switch (setting->option) {
    case UPDATE_SET_LABEL:
        return update_label(ctl, update, text);
    case UPDATE_UNSET_LABEL:
        ctl_list_add(&ctl->pool, &update->unset_labels, text);
        return CTL_OK;
    case UPDATE_ATTACH:
        return attachment_make(ctl, name, text, &update->put);
    case UPDATE_ATTACH_NEW:
        return attachment_make(ctl, name, text, &update->add);
    case UPDATE_DETACH:
        ctl_list_add(&ctl->pool, &update->remove, text);
        return CTL_OK;
    case UPDATE_TTL:
        return create_ttl(ctl, text, &update->request->ttl);
    default: /* What needs no value, and who writes. */
        return CTL_OK;
    }
}

/* The options without a value. */
static enum ctl_exit update_flags(const struct ctl *ctl, const struct ctl_args *args,
                                  UpdateRecoveryPointRequest *request)
{
    bool pin = ctl_args_value(args, UPDATE_PIN) != NULL;
    bool unpin = ctl_args_value(args, UPDATE_UNPIN) != NULL;

    request->clear_expiry = ctl_args_value(args, UPDATE_NO_EXPIRY) != NULL;
    request->allow_missing = ctl_args_value(args, UPDATE_ALLOW_MISSING) != NULL;
    if (pin && unpin) {
        return ctl_complain(ctl, CTL_USAGE, "--pin or --unpin: not both");
    }
    if (request->clear_expiry && request->ttl != NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--ttl or --no-expiry: not both");
    }
    if (pin || unpin) {
        request->pin = pin ? CONTEXTD__V1__UPDATE_RECOVERY_POINT_REQUEST__PIN__PIN_ON
                           : CONTEXTD__V1__UPDATE_RECOVERY_POINT_REQUEST__PIN__PIN_OFF;
    }
    return CTL_OK;
}

static enum ctl_exit update_fill(struct ctl *ctl, const struct ctl_args *args,
                                 UpdateRecoveryPointRequest *request)
{
    struct point_update update = {.request = request};
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        exit = update_set(ctl, &args->settings[i], &update);
    }
    if (exit == CTL_OK) {
        exit = update_flags(ctl, args, request);
    }
    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, ctl_args_value(args, UPDATE_SESSION),
                                ctl_args_value(args, UPDATE_FENCE), &request->write);
    }
    request->set_metadata = (void *)update.set_labels.items;
    request->n_set_metadata = update.set_labels.count;
    request->delete_metadata = (char **)update.unset_labels.items;
    request->n_delete_metadata = update.unset_labels.count;
    request->put_attachments = (Entry **)update.put.items;
    request->n_put_attachments = update.put.count;
    request->add_attachments = (Entry **)update.add.items;
    request->n_add_attachments = update.add.count;
    request->delete_attachments = (char **)update.remove.items;
    request->n_delete_attachments = update.remove.count;
    return exit;
}

static bool changes_nothing(const UpdateRecoveryPointRequest *request)
{
    return request->n_set_metadata + request->n_delete_metadata + request->n_put_attachments +
                   request->n_add_attachments + request->n_delete_attachments ==
               0 &&
           request->ttl == NULL && !request->clear_expiry &&
           request->pin == CONTEXTD__V1__UPDATE_RECOVERY_POINT_REQUEST__PIN__PIN_UNSPECIFIED;
}

static enum ctl_exit update_run(struct ctl *ctl, const struct ctl_args *args)
{
    UpdateRecoveryPointRequest request = CONTEXTD__V1__UPDATE_RECOVERY_POINT_REQUEST__INIT;
    UpdateRecoveryPointResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = update_fill(ctl, args, &request);

    if (exit == CTL_OK && changes_nothing(&request)) {
        exit = ctl_complain(ctl, CTL_USAGE,
                            "there is nothing to change: see ctxctl point update --help");
    }
    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    request.recovery_point_id = args->operands[1];
    if (cxc_update_recovery_point(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot update point %s of %s", request.recovery_point_id,
                        request.context_id);
    }
    if (ctl->json) {
        print_json(response->recovery_point, 0, response->write);
    } else if (response->recovery_point == NULL) {
        printf("%s has no point %s yet: the attachments are kept for it\n", request.context_id,
               request.recovery_point_id);
    } else {
        printf("point %s of %s is updated\n", request.recovery_point_id, request.context_id);
    }
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_point_update = {
    .name = "point update",
    .operands = "CONTEXT POINT",
    .operand_min = 2,
    .operand_max = 2,
    .summary = "change what lies beside the state of a point",
    .description =
        "Changes the labels, the attachments, the expiry or the pin of a recovery point, as one\n"
        "change. Its state never changes. An attachment that begins with @ itself is written\n"
        "KEY=@@VALUE; KEY=@- reads stdin.\n",
    .examples =
        "  ctxctl point update trip-42 before-booking --pin --set-label stage=final\n"
        "  ctxctl point update trip-42 p1 --ttl 7d --detach draft\n"
        "  ctxctl point update trip-42 p2 --attach-new writes=@writes.bin --allow-missing\n",
    .options = update_options,
    .option_count = sizeof update_options / sizeof update_options[0],
    .run = update_run,
};

/* ---- point delete. ---------------------------------------------------------- */

enum { DELETE_SESSION, DELETE_FENCE };

static const struct ctl_option delete_options[] = {
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

static enum ctl_exit delete_run(struct ctl *ctl, const struct ctl_args *args)
{
    DeleteRecoveryPointRequest request = CONTEXTD__V1__DELETE_RECOVERY_POINT_REQUEST__INIT;
    enum ctl_exit exit = ctl_option_write(ctl, ctl_args_value(args, DELETE_SESSION),
                                          ctl_args_value(args, DELETE_FENCE), &request.write);

    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    for (size_t i = 1; i < args->operand_count && exit == CTL_OK; i++) {
        DeleteRecoveryPointResponse *response;
        struct cxc_error error;

        request.recovery_point_id = args->operands[i];
        if (cxc_delete_recovery_point(ctl->client, &request, &response, &error) != CXC_OK) {
            return ctl_fail(ctl, &error, "cannot delete point %s of %s", args->operands[i],
                            request.context_id);
        }
        if (ctl->json) {
            ctl_json_print(json_pack("{s:s, s:s}", "context_id", request.context_id, "id",
                                     request.recovery_point_id),
                           stdout);
        } else {
            printf("point %s of %s is deleted\n", args->operands[i], request.context_id);
        }
        cxc_response_free(response);
    }
    return exit;
}

const struct ctl_command ctl_point_delete = {
    .name = "point delete",
    .operands = "CONTEXT POINT...",
    .operand_min = 2,
    .operand_max = SIZE_MAX,
    .summary = "delete recovery points",
    .description =
        "Deletes recovery points, pinned or not, one after the other, and stops at the first\n"
        "that cannot be. The children of a point take its parent.\n",
    .examples = "  ctxctl point delete trip-42 before-booking\n",
    .options = delete_options,
    .option_count = sizeof delete_options / sizeof delete_options[0],
    .run = delete_run,
};
