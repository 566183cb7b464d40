/* resources, resources acquire, resources release: what sessions hold of a context. */

#include <stdio.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/rows.h"
#include "clients/ctxctl/show_session.h"

/* ---- resources. ------------------------------------------------------------ */

enum { LIST_LIMIT };

static const struct ctl_option list_options[] = {
    CTL_OPTIONS_LIMIT,
};

static void list_add(struct ctl_rows *rows, const Resource *resource)
{
    struct ctl_pool *pool = &rows->ctl->pool;

    if (rows->ctl->json) {
        ctl_rows_add_item(rows, ctl_resource_json(resource));
        return;
    }
    ctl_rows_add_cells(rows, (const char *[]){ctl_text_line(pool, resource->name),
                                              ctl_text_line(pool, resource->type),
                                              ctl_text_line(pool, resource->session_id),
                                              ctl_text_time(pool, resource->time, false),
                                              ctl_labels_text(pool, &resource->base)});
}

static enum cxc_code list_page(void *arg, const struct ctl_page *page, struct ctl_rows *rows,
                               struct cxc_error *ret_error)
{
    ListResourcesRequest *request = arg;
    ListResourcesResponse *response;
    enum cxc_code code;

    request->page_size = page->size;
    request->page_token = page->token;
    code = cxc_list_resources(rows->ctl->client, request, &response, ret_error);
    if (code != CXC_OK) {
        return code;
    }
    for (size_t i = 0; i < response->n_resources; i++) {
        list_add(rows, response->resources[i]);
    }
    ctl_rows_next(rows, response->next_page_token);
    cxc_response_free(response);
    return CXC_OK;
}

static enum ctl_exit list_run(struct ctl *ctl, const struct ctl_args *args)
{
    ListResourcesRequest request = CONTEXTD__V1__LIST_RESOURCES_REQUEST__INIT;
    struct ctl_rows rows;
    struct cxc_error error;
    uint64_t limit;
    enum ctl_exit exit = ctl_option_limit(ctl, args, LIST_LIMIT, &limit);

    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    ctl_rows_init(&rows, ctl, "NAME,TYPE,SESSION,SINCE,LABELS");
    if (ctl_rows_read(&rows, limit, list_page, &request, &error) == CXC_OK) {
        ctl_rows_print(&rows, "resources");
    } else {
        exit = ctl_fail(ctl, &error, "cannot list the resources of %s", request.context_id);
    }
    ctl_rows_done(&rows);
    return exit;
}

const struct ctl_command ctl_resources = {
    .name = "resources",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "list the resources that are held",
    .description =
        "Lists the resources of a context that are held, by name, each with the session\n"
        "that holds it. A context that is called acquire or release goes behind `--`.\n",
    .examples = "  ctxctl resources trip-42\n"
                "  ctxctl resources trip-42 -o json | jq -r '.resources[].name'\n",
    .options = list_options,
    .option_count = sizeof list_options / sizeof list_options[0],
    .run = list_run,
};

/* ---- resources acquire. ---------------------------------------------------- */

enum {
    ACQUIRE_SESSION,
    ACQUIRE_FENCE,
    ACQUIRE_TYPE,
    ACQUIRE_LABEL,
};

static const struct ctl_option acquire_options[] = {
    {"session", "ID", "the session that takes it; needed"},
    CTL_OPTION_FENCE,
    {"type", "TYPE", "what kind of resource it is, such as lock or browser"},
    {"label", "KEY=VALUE", "a label; may be repeated"},
};

static enum ctl_exit acquire_fill(struct ctl *ctl, const struct ctl_args *args,
                                  AcquireResourceRequest *request)
{
    const char *type = ctl_args_value(args, ACQUIRE_TYPE);
    enum ctl_exit exit = ctl_option_session(ctl, args, ACQUIRE_SESSION, &request->session_id);

    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, NULL, ctl_args_value(args, ACQUIRE_FENCE), &request->write);
    }
    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        if (args->settings[i].option == ACQUIRE_LABEL) {
            exit = ctl_option_label(ctl, &request->base, args->settings[i].value);
        }
    }
    request->namespace_ = (char *)ctl->namespace_;
    request->context_id = args->operands[0];
    request->name = args->operands[1];
    request->type = (char *)(type != NULL ? type : "");
    return exit;
}

static enum ctl_exit acquire_run(struct ctl *ctl, const struct ctl_args *args)
{
    AcquireResourceRequest request = CONTEXTD__V1__ACQUIRE_RESOURCE_REQUEST__INIT;
    AcquireResourceResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = acquire_fill(ctl, args, &request);

    if (exit != CTL_OK) {
        return exit;
    }
    if (cxc_acquire_resource(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot acquire %s of %s", request.name, request.context_id);
    }
    if (response->resource == NULL) {
        exit = ctl_complain(ctl, CTL_FAILED, "the server answered without the resource");
    } else if (ctl->json) {
        ctl_json_print(ctl_resource_json(response->resource), stdout);
    } else {
        printf("%s of %s is held\n", request.name, request.context_id);
    }
    cxc_response_free(response);
    return exit;
}

const struct ctl_command ctl_resources_acquire = {
    .name = "resources acquire",
    .operands = "ID NAME",
    .operand_min = 2,
    .operand_max = 2,
    .summary = "take a resource of a context",
    .description =
        "Takes a named resource of a context for a session, until it is released, the session\n"
        "ends or is lost, or the context is deleted. Does not wait: exit code 1 tells that\n"
        "another session holds it. Taking what the session holds is no error.\n",
    .examples = "  ctxctl resources acquire trip-42 browser --session \"$S\" --type tool\n"
                "  while ctxctl resources acquire trip-42 db --session \"$S\"; [ $? -eq 1 ]; do "
                "sleep 1; done\n",
    .options = acquire_options,
    .option_count = sizeof acquire_options / sizeof acquire_options[0],
    .run = acquire_run,
};

/* ---- resources release. ---------------------------------------------------- */

enum { RELEASE_SESSION, RELEASE_FENCE };

static const struct ctl_option release_options[] = {
    {"session", "ID", "the session that holds it; needed"},
    CTL_OPTION_FENCE,
};

static enum ctl_exit release_run(struct ctl *ctl, const struct ctl_args *args)
{
    ReleaseResourceRequest request = CONTEXTD__V1__RELEASE_RESOURCE_REQUEST__INIT;
    ReleaseResourceResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = ctl_option_session(ctl, args, RELEASE_SESSION, &request.session_id);

    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, NULL, ctl_args_value(args, RELEASE_FENCE), &request.write);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    request.name = args->operands[1];
    if (cxc_release_resource(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot release %s of %s", request.name, request.context_id);
    }
    if (ctl->json) {
        ctl_json_print(json_pack("{s:s, s:s}", "id", request.context_id, "released", request.name),
                       stdout);
    } else {
        printf("%s of %s is released\n", request.name, request.context_id);
    }
    cxc_response_free(response);
    return CTL_OK;
}

const struct ctl_command ctl_resources_release = {
    .name = "resources release",
    .operands = "ID NAME",
    .operand_min = 2,
    .operand_max = 2,
    .summary = "give back a resource",
    .description = "Gives back a resource that the session holds.\n",
    .examples = "  ctxctl resources release trip-42 browser --session \"$S\"\n",
    .options = release_options,
    .option_count = sizeof release_options / sizeof release_options[0],
    .run = release_run,
};
