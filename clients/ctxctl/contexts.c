/* create, list, delete: whole contexts. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/properties.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/rows.h"
#include "clients/ctxctl/show.h"

/* ---- create. --------------------------------------------------------------- */

enum {
    CREATE_PROPERTIES,
    CREATE_PUT = CTL_PROPERTY_COUNT,
    CREATE_SESSION,
};

static const struct ctl_option create_options[] = {
    CTL_OPTIONS_PROPERTIES,
    {"put", "KEY=VALUE", "a first entry; may be repeated"},
    CTL_OPTION_SESSION,
};

/* The first entries. */
static enum ctl_exit create_puts(struct ctl *ctl, const struct ctl_args *args,
                                 struct ctl_list *mutations)
{
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        char *key;
        char *value;

        if (args->settings[i].option != CREATE_PUT) {
            continue;
        }
        exit = ctl_option_pair(ctl, "put", args->settings[i].value, &key, &value);
        if (exit == CTL_OK) {
            ctl_list_add(&ctl->pool, mutations,
                         ctl_mutation_put(&ctl->pool, key, ctl_bytes_of(value), ""));
        }
    }
    return exit;
}

static enum ctl_exit create_run(struct ctl *ctl, const struct ctl_args *args)
{
    CreateContextRequest request = CONTEXTD__V1__CREATE_CONTEXT_REQUEST__INIT;
    CreateContextResponse *response;
    struct ctl_list mutations = {0};
    struct cxc_error error;
    enum ctl_exit exit;

    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operand_count > 0 ? args->operands[0] : "";
    request.properties = ctl_new_context(&ctl->pool);
    exit = ctl_option_properties(ctl, args, CREATE_PROPERTIES, request.properties);
    if (exit == CTL_OK) {
        exit = create_puts(ctl, args, &mutations);
    }
    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, ctl_args_value(args, CREATE_SESSION), NULL, &request.write);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    request.mutations = (Mutation **)mutations.items;
    request.n_mutations = mutations.count;
    if (cxc_create_context(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot create %s",
                        request.context_id[0] != '\0' ? request.context_id : "a context");
    }
    if (response->context == NULL) {
        exit = ctl_complain(ctl, CTL_FAILED, "the server answered without the context");
    } else if (ctl->json) {
        ctl_json_print(ctl_context_json(response->context, false), stdout);
    } else {
        printf("%s is at version %" PRIu64 "\n", response->context->id, response->context->version);
    }
    cxc_response_free(response);
    return exit;
}

const struct ctl_command ctl_create = {
    .name = "create",
    .operands = "[ID]",
    .operand_max = 1,
    .summary = "create a context",
    .description = "Creates a context that does not exist yet. Without ID the server makes one up\n"
                   "and prints it.\n",
    .examples = "  ctxctl create trip-42 --type chat --label user=ada --put goal='a quiet hotel'\n"
                "  ctxctl create scratch --ttl 1h --sliding\n"
                "  ctxctl create trip-42 --set-policy keep-last=10,keep-within=7d,point-every=10m\n"
                "  id=$(ctxctl create -o json | jq -r .id)\n",
    .options = create_options,
    .option_count = sizeof create_options / sizeof create_options[0],
    .run = create_run,
};

/* ---- list. ----------------------------------------------------------------- */

enum {
    LIST_PREFIX,
    LIST_TYPE,
    LIST_PARENT,
    LIST_LABEL,
    LIST_DELETED,
    LIST_LIMIT,
};

static const struct ctl_option list_options[] = {
    {"prefix", "TEXT", "only ids that begin with this"},
    {"type", "TYPE", "only contexts of this type"},
    {"parent", "ID", "only contexts right below this one"},
    {"label", "KEY=VALUE", "only contexts with this label; may be repeated"},
    {"deleted", NULL, "those that were deleted and are still kept"},
    CTL_OPTIONS_LIMIT,
};

static enum ctl_exit list_fill(struct ctl *ctl, const struct ctl_args *args,
                               ListContextsRequest *request)
{
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        char *value = (char *)args->settings[i].value;

        switch (args->settings[i].option) {
        case LIST_PREFIX:
            request->id_prefix = value;
            break;
        case LIST_TYPE:
            request->type = value;
            break;
        case LIST_PARENT:
            request->parent_id = value;
            break;
        case LIST_LABEL:
            exit = ctl_option_label(ctl, &request->base, value);
            break;
        case LIST_DELETED:
            request->deleted = true;
            break;
        default: /* The limit, which is of two options. */
            break;
        }
    }
    return exit;
}

static void list_add(struct ctl_rows *rows, const Context *context)
{
    struct ctl_pool *pool = &rows->ctl->pool;
    const Google__Protobuf__Timestamp *time =
        context->delete_time != NULL ? context->delete_time : context->update_time;

    if (rows->ctl->json) {
        ctl_rows_add_item(rows, ctl_context_json(context, false));
        return;
    }
    ctl_rows_add_cells(
        rows,
        (const char *[]){ctl_text_line(pool, context->id), ctl_text_line(pool, context->type),
                         ctl_pool_format(pool, "%" PRIu64, context->version),
                         ctl_pool_format(pool, "%" PRIu64, context->entry_count),
                         ctl_text_size(pool, context->size_bytes), ctl_text_time(pool, time, false),
                         ctl_labels_text(pool, &context->base)});
}

static enum cxc_code list_page(void *arg, const struct ctl_page *page, struct ctl_rows *rows,
                               struct cxc_error *ret_error)
{
    ListContextsRequest *request = arg;
    ListContextsResponse *response;
    enum cxc_code code;

    request->page_size = page->size;
    request->page_token = page->token;
    code = cxc_list_contexts(rows->ctl->client, request, &response, ret_error);
    if (code != CXC_OK) {
        return code;
    }
    for (size_t i = 0; i < response->n_contexts; i++) {
        list_add(rows, response->contexts[i]);
    }
    ctl_rows_next(rows, response->next_page_token);
    cxc_response_free(response);
    return CXC_OK;
}

static enum ctl_exit list_run(struct ctl *ctl, const struct ctl_args *args)
{
    ListContextsRequest request = CONTEXTD__V1__LIST_CONTEXTS_REQUEST__INIT;
    struct ctl_rows rows;
    struct cxc_error error;
    uint64_t limit;
    enum ctl_exit exit = list_fill(ctl, args, &request);

    if (exit == CTL_OK) {
        exit = ctl_option_limit(ctl, args, LIST_LIMIT, &limit);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    ctl_rows_init(&rows, ctl,
                  request.deleted ? "ID,TYPE,VERSION>,ENTRIES>,SIZE>,DELETED,LABELS"
                                  : "ID,TYPE,VERSION>,ENTRIES>,SIZE>,UPDATED,LABELS");
    if (ctl_rows_read(&rows, limit, list_page, &request, &error) == CXC_OK) {
        ctl_rows_print(&rows, "contexts");
    } else {
        exit = ctl_fail(ctl, &error, "cannot list contexts");
    }
    ctl_rows_done(&rows);
    return exit;
}

const struct ctl_command ctl_list = {
    .name = "list",
    .operands = "",
    .summary = "list contexts",
    .description = "Lists contexts in the order of their ids. All conditions must hold.\n",
    .examples = "  ctxctl list --type chat --label user=ada\n"
                "  ctxctl list --prefix trip- --all\n"
                "  ctxctl list --deleted -o json | jq -r '.contexts[].id'\n",
    .options = list_options,
    .option_count = sizeof list_options / sizeof list_options[0],
    .run = list_run,
};

/* ---- delete. --------------------------------------------------------------- */

enum {
    DELETE_RECURSIVE,
    DELETE_PURGE,
    DELETE_ALLOW_MISSING,
    DELETE_IF_VERSION,
    DELETE_SESSION,
    DELETE_FENCE,
};

static const struct ctl_option delete_options[] = {
    {"recursive", NULL, "the contexts below it too"},
    {"purge", NULL, "for good: nothing of it can be brought back"},
    {"allow-missing", NULL, "no error when there is none"},
    {"if-version", "NUMBER", "only if it is at this version"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

static enum ctl_exit delete_one(struct ctl *ctl, const char *id, DeleteContextRequest *request)
{
    DeleteContextResponse *response;
    struct cxc_error error;

    request->namespace_ = (char *)ctl->namespace_;
    request->context_id = (char *)id;
    if (cxc_delete_context(ctl->client, request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot delete %s", id);
    }
    if (ctl->json) {
        ctl_json_print(
            json_pack("{s:s, s:I}", "id", id, "deleted_count", (json_int_t)response->deleted_count),
            stdout);
    } else if (response->deleted_count == 0) {
        printf("%s did not exist\n", id);
    } else if (response->deleted_count == 1) {
        printf("%s is deleted\n", id);
    } else {
        printf("%s is deleted, %" PRIu64 " contexts in all\n", id, response->deleted_count);
    }
    cxc_response_free(response);
    return CTL_OK;
}

static enum ctl_exit delete_run(struct ctl *ctl, const struct ctl_args *args)
{
    DeleteContextRequest request = CONTEXTD__V1__DELETE_CONTEXT_REQUEST__INIT;
    const char *if_version = ctl_args_value(args, DELETE_IF_VERSION);
    const char *fence = ctl_args_value(args, DELETE_FENCE);
    Precondition *precondition;
    enum ctl_exit exit =
        ctl_option_write(ctl, ctl_args_value(args, DELETE_SESSION), fence, &request.write);

    if (exit == CTL_OK && (if_version != NULL || fence != NULL) && args->operand_count > 1) {
        exit = ctl_complain(ctl, CTL_USAGE, "--%s is for one context at a time",
                            if_version != NULL ? "if-version" : "fence");
    }
    if (exit != CTL_OK) {
        return exit;
    }

    request.recursive = ctl_args_value(args, DELETE_RECURSIVE) != NULL;
    request.purge = ctl_args_value(args, DELETE_PURGE) != NULL;
    request.allow_missing = ctl_args_value(args, DELETE_ALLOW_MISSING) != NULL;
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
    for (size_t i = 0; i < args->operand_count && exit == CTL_OK; i++) {
        exit = delete_one(ctl, args->operands[i], &request);
    }
    return exit;
}

const struct ctl_command ctl_delete = {
    .name = "delete",
    .operands = "ID...",
    .operand_min = 1,
    .operand_max = SIZE_MAX,
    .summary = "delete contexts",
    .description = "Deletes contexts, one after the other, and stops at the first that cannot be.\n"
                   "Without --purge the server keeps them for its undelete_window.\n",
    .examples = "  ctxctl delete trip-42\n"
                "  ctxctl delete project-7 --recursive --allow-missing\n"
                "  ctxctl delete customer-9 --purge --recursive\n",
    .options = delete_options,
    .option_count = sizeof delete_options / sizeof delete_options[0],
    .run = delete_run,
};
