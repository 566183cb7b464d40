/* create, list, delete: whole contexts. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show.h"

/* ---- create. --------------------------------------------------------------- */

enum {
    CREATE_TYPE,
    CREATE_PARENT,
    CREATE_CREATE_PARENT,
    CREATE_LABEL,
    CREATE_TTL,
    CREATE_SLIDING,
    CREATE_PUT,
};

static const struct ctl_option create_options[] = {
    {"type", "TYPE", "what kind of context it is, such as chat"},
    {"parent", "ID", "the context it belongs to"},
    {"create-parent", NULL, "create the parent when it is missing"},
    {"label", "KEY=VALUE", "a label; may be repeated"},
    {"ttl", "TIME", "delete it by itself after this, such as 10m or 7d"},
    {"sliding", NULL, "count the time from the last change"},
    {"put", "KEY=VALUE", "a first entry; may be repeated"},
};

/* Fills in what the options say. */
static enum ctl_exit create_fill(struct ctl *ctl, const struct ctl_args *args, NewContext *context,
                                 struct ctl_list *mutations)
{
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        const char *text = args->settings[i].value;
        char *key;
        char *value;

        switch (args->settings[i].option) {
        case CREATE_TYPE:
            context->type = (char *)text;
            break;
        case CREATE_PARENT:
            context->parent_id = (char *)text;
            break;
        case CREATE_CREATE_PARENT:
            context->create_parent = true;
            break;
        case CREATE_LABEL:
            exit = ctl_option_pair(ctl, "label", text, &key, &value);
            if (exit == CTL_OK) {
                ctl_new_context_label(&ctl->pool, context, key, value);
            }
            break;
        case CREATE_PUT:
            exit = ctl_option_pair(ctl, "put", text, &key, &value);
            if (exit == CTL_OK) {
                ctl_list_add(&ctl->pool, mutations,
                             ctl_mutation_put(&ctl->pool, key, ctl_bytes_of(value), ""));
            }
            break;
        default: /* The expiry, which is made of two options. */
            break;
        }
    }
    return exit;
}

static enum ctl_exit create_expiry(struct ctl *ctl, const struct ctl_args *args,
                                   NewContext *context)
{
    const char *ttl = ctl_args_value(args, CREATE_TTL);
    bool sliding = ctl_args_value(args, CREATE_SLIDING) != NULL;
    int64_t ttl_ms = 0;
    enum ctl_exit exit;

    if (ttl == NULL) {
        return sliding ? ctl_complain(ctl, CTL_USAGE, "--sliding needs --ttl") : CTL_OK;
    }
    exit = ctl_option_ttl(ctl, ttl, &ttl_ms);
    if (exit == CTL_OK) {
        context->expiry = ctl_expiry(&ctl->pool, ttl_ms, sliding);
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
    exit = create_fill(ctl, args, request.properties, &mutations);
    if (exit == CTL_OK) {
        exit = create_expiry(ctl, args, request.properties);
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
    LIST_ALL,
};

enum {
    LIST_LIMIT_DEFAULT = 100,
    LIST_PAGE_SIZE_MAX = 1000,
};

static const struct ctl_option list_options[] = {
    {"prefix", "TEXT", "only ids that begin with this"},
    {"type", "TYPE", "only contexts of this type"},
    {"parent", "ID", "only contexts right below this one"},
    {"label", "KEY=VALUE", "only contexts with this label; may be repeated"},
    {"deleted", NULL, "those that were deleted and are still kept"},
    {"limit", "NUMBER", "at most so many (default: 100)"},
    {"all", NULL, "all of them"},
};

static enum ctl_exit list_label(struct ctl *ctl, struct ctl_list *labels, const char *text)
{
    ListLabel *label = ctl_pool_alloc(&ctl->pool, sizeof *label);
    enum ctl_exit exit;

    contextd__v1__list_contexts_request__metadata_entry__init(label);
    exit = ctl_option_pair(ctl, "label", text, &label->key, &label->value);
    ctl_list_add(&ctl->pool, labels, label);
    return exit;
}

static enum ctl_exit list_fill(struct ctl *ctl, const struct ctl_args *args,
                               ListContextsRequest *request, uint64_t *ret_limit)
{
    enum ctl_exit exit = CTL_OK;
    struct ctl_list labels = {0};
    uint64_t limit = LIST_LIMIT_DEFAULT;

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
            exit = list_label(ctl, &labels, value);
            break;
        case LIST_DELETED:
            request->deleted = true;
            break;
        case LIST_LIMIT:
            exit = ctl_option_number(ctl, "limit", value, &limit);
            break;
        case LIST_ALL:
            limit = UINT64_MAX;
            break;
        }
    }
    request->metadata = (ListLabel **)labels.items;
    request->n_metadata = labels.count;
    *ret_limit = limit;
    return exit;
}

static void list_add_row(struct ctl_table *table, const Context *context)
{
    struct ctl_pool *pool = table->pool;
    const Google__Protobuf__Timestamp *time =
        context->delete_time != NULL ? context->delete_time : context->update_time;

    ctl_table_add(
        table, (const char *[]){ctl_text_escape(pool, context->id, strlen(context->id), 0),
                                ctl_text_escape(pool, context->type, strlen(context->type), 0),
                                ctl_pool_format(pool, "%" PRIu64, context->version),
                                ctl_pool_format(pool, "%" PRIu64, context->entry_count),
                                ctl_text_size(pool, context->size_bytes),
                                ctl_text_time(pool, time, false), ctl_labels_text(pool, context)});
}

/* What a list shows, as far as it has been read. */
struct listing {
    struct ctl_table table;
    json_t *contexts;
    uint64_t count;
    bool more;
};

/* Reads pages until there are enough. */
static enum cxc_code list_read(struct ctl *ctl, ListContextsRequest *request, uint64_t limit,
                               struct listing *listing, struct cxc_error *ret_error)
{
    do {
        uint64_t left = limit - listing->count;
        ListContextsResponse *page;
        enum cxc_code code;

        request->page_size = (int32_t)(left < LIST_PAGE_SIZE_MAX ? left : LIST_PAGE_SIZE_MAX);
        code = cxc_list_contexts(ctl->client, request, &page, ret_error);
        if (code != CXC_OK) {
            return code;
        }
        for (size_t i = 0; i < page->n_contexts; i++) {
            if (ctl->json) {
                json_array_append_new(listing->contexts,
                                      ctl_context_json(page->contexts[i], false));
            } else {
                list_add_row(&listing->table, page->contexts[i]);
            }
        }
        listing->count += page->n_contexts;
        listing->more = page->next_page_token[0] != '\0';
        request->page_token =
            ctl_pool_text(&ctl->pool, page->next_page_token, strlen(page->next_page_token));
        cxc_response_free(page);
    } while (listing->more && listing->count < limit);
    return CXC_OK;
}

static enum ctl_exit list_run(struct ctl *ctl, const struct ctl_args *args)
{
    ListContextsRequest request = CONTEXTD__V1__LIST_CONTEXTS_REQUEST__INIT;
    struct listing listing = {.contexts = json_array()};
    struct cxc_error error;
    uint64_t limit;
    enum ctl_exit exit = list_fill(ctl, args, &request, &limit);

    request.namespace_ = (char *)ctl->namespace_;
    ctl_table_init(&listing.table, &ctl->pool,
                   request.deleted ? "ID,TYPE,VERSION>,ENTRIES>,SIZE>,DELETED,LABELS"
                                   : "ID,TYPE,VERSION>,ENTRIES>,SIZE>,UPDATED,LABELS");
    if (exit == CTL_OK && limit == 0) {
        exit = ctl_complain(ctl, CTL_USAGE, "--limit takes a number above 0");
    }
    if (exit == CTL_OK && list_read(ctl, &request, limit, &listing, &error) != CXC_OK) {
        exit = ctl_fail(ctl, &error, "cannot list contexts");
    }
    if (exit != CTL_OK) {
        json_decref(listing.contexts);
        return exit;
    }
    if (ctl->json) {
        ctl_json_print(json_pack("{s:o, s:b}", "contexts", listing.contexts, "more", listing.more),
                       stdout);
        return CTL_OK;
    }
    json_decref(listing.contexts);
    ctl_table_print(ctl, &listing.table, stdout);
    if (listing.more) {
        fprintf(stderr, "There are more: --all shows them, --limit so many.\n");
    }
    return CTL_OK;
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
};

static const struct ctl_option delete_options[] = {
    {"recursive", NULL, "the contexts below it too"},
    {"purge", NULL, "for good: nothing of it can be brought back"},
    {"allow-missing", NULL, "no error when there is none"},
    {"if-version", "NUMBER", "only if it is at this version"},
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
    Precondition *precondition;
    enum ctl_exit exit = CTL_OK;

    request.recursive = ctl_args_value(args, DELETE_RECURSIVE) != NULL;
    request.purge = ctl_args_value(args, DELETE_PURGE) != NULL;
    request.allow_missing = ctl_args_value(args, DELETE_ALLOW_MISSING) != NULL;
    if (if_version != NULL) {
        uint64_t version;

        exit = ctl_option_number(ctl, "if-version", if_version, &version);
        if (exit == CTL_OK && args->operand_count > 1) {
            exit = ctl_complain(ctl, CTL_USAGE, "--if-version is for one context at a time");
        }
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
