/* export: contexts out, as JSON lines.
 *
 * Contexts come in the order of their ids, those below others after them, so that an
 * import finds each parent. Small ones are fetched many in a call, large ones as
 * streams. Each is one state; together they are not one moment. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/export_line.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/fetch.h"
#include "clients/ctxctl/progress.h"
#include "clients/ctxctl/request.h"

enum {
    EXPORT_FILE,
    EXPORT_PREFIX,
    EXPORT_TYPE,
    EXPORT_PARENT,
    EXPORT_LABEL,
};

enum {
    PAGE_SIZE = 500,
    GROUP_CONTEXTS = 100,
    GROUP_BYTES = 1024 * 1024,
};

static const struct ctl_option options[] = {
    {"file", "PATH", "write to this file, which appears when all is written (default: stdout)"},
    {"prefix", "TEXT", "only ids that begin with this"},
    {"type", "TYPE", "only contexts of this type"},
    {"parent", "ID", "only contexts right below this one"},
    {"label", "KEY=VALUE", "only contexts with this label; may be repeated"},
};

/* A context that is to be written. */
struct ref {
    char *id;
    char *parent_id;
    uint64_t size;
    bool written;
};

struct export
{
    struct ctl *ctl;
    FILE *file;
    uint64_t count;
    struct ctl_pool group_pool;
    struct ref *group[GROUP_CONTEXTS]; /* To be fetched in one call. */
    size_t group_count;
    uint64_t group_bytes;
    struct ctl_list deferred; /* Refs of contexts that have a parent. */
    struct ctl_progress progress;
};

/* ---- Writing. -------------------------------------------------------------- */

static void write_context(struct export *export, const Context *context)
{
    ctl_export_line(context, export->file);
    export->count++;
    ctl_progress_update(&export->progress, 0, export->count);
}

/* Fetches and writes one context by itself. One that was deleted meanwhile is left out,
 * unless it was asked for by name. */
static enum ctl_exit write_one(struct export *export, const char *id, bool named)
{
    const struct ctl_query query = {.id = id, .prefix = ""};
    struct ctl_pool pool = {0};
    struct cxc_error error;
    Context *context;
    enum ctl_exit exit = CTL_OK;

    if (ctl_fetch(export->ctl, &pool, &query, &context, &error) == CXC_OK) {
        write_context(export, context);
    } else if (named || strcmp(error.reason, "CONTEXT_NOT_FOUND") != 0) {
        exit = ctl_fail(export->ctl, &error, "cannot export %s", id);
    }
    ctl_pool_done(&pool);
    return exit;
}

static enum ctl_exit write_group_results(struct export *export,
                                         const BatchGetContextsResponse *response)
{
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < export->group_count && exit == CTL_OK; i++) {
        const BatchGetResult *result = i < response->n_results ? response->results[i] : NULL;
        bool there = result != NULL &&
                     result->outcome_case ==
                         CONTEXTD__V1__BATCH_GET_CONTEXTS_RESPONSE__RESULT__OUTCOME_RESPONSE;

        if (there && result->response->context != NULL) {
            write_context(export, result->response->context);
        } else {
            exit = write_one(export, export->group[i]->id, false);
        }
    }
    return exit;
}

/* Fetches and writes the contexts of the group. */
static enum ctl_exit group_flush(struct export *export)
{
    BatchGetContextsRequest request = CONTEXTD__V1__BATCH_GET_CONTEXTS_REQUEST__INIT;
    GetContextRequest gets[GROUP_CONTEXTS];
    GetContextRequest *pointers[GROUP_CONTEXTS];
    BatchGetContextsResponse *response;
    struct cxc_error error;
    enum ctl_exit exit;

    if (export->group_count == 0) {
        return CTL_OK;
    }
    for (size_t i = 0; i < export->group_count; i++) {
        contextd__v1__get_context_request__init(&gets[i]);
        gets[i].state = ctl_state(&export->group_pool, export->ctl, export->group[i]->id, 0);
        gets[i].view = VIEW_FULL;
        pointers[i] = &gets[i];
    }
    request.requests = pointers;
    request.n_requests = export->group_count;
    if (cxc_batch_get_contexts(export->ctl->client, &request, &response, &error) == CXC_OK) {
        exit = write_group_results(export, response);
        cxc_response_free(response);
    } else {
        exit = ctl_fail(export->ctl, &error, "cannot export %s", export->group[0]->id);
    }
    export->group_count = 0;
    export->group_bytes = 0;
    ctl_pool_done(&export->group_pool);
    return exit;
}

/* Writes a context, sooner or later. The ref must live until the next flush. */
static enum ctl_exit write_ref(struct export *export, struct ref *ref)
{
    enum ctl_exit exit = CTL_OK;

    if (ref->size > GROUP_BYTES) {
        exit = group_flush(export);
        return exit == CTL_OK ? write_one(export, ref->id, false) : exit;
    }
    if (export->group_count == GROUP_CONTEXTS || export->group_bytes + ref->size > GROUP_BYTES) {
        exit = group_flush(export);
    }
    export->group[export->group_count++] = ref;
    export->group_bytes += ref->size;
    return exit;
}

/* ---- Choosing. ------------------------------------------------------------- */

static struct ref *ref_new(struct ctl_pool *pool, const Context *context)
{
    struct ref *ref = ctl_pool_alloc(pool, sizeof *ref);

    ref->id = ctl_pool_text(pool, context->id, strlen(context->id));
    ref->parent_id = ctl_pool_text(pool, context->parent_id, strlen(context->parent_id));
    ref->size = context->size_bytes;
    return ref;
}

/* Writes the roots of a page; those that have a parent wait. */
static enum ctl_exit write_page(struct export *export, const ListContextsResponse *page)
{
    struct ctl_pool *kept = &export->ctl->pool;
    struct ctl_pool pool = {0};
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < page->n_contexts && exit == CTL_OK; i++) {
        const Context *context = page->contexts[i];

        if (context->parent_id[0] != '\0') {
            ctl_list_add(kept, &export->deferred, ref_new(kept, context));
        } else {
            exit = write_ref(export, ref_new(&pool, context));
        }
    }
    if (exit == CTL_OK) {
        exit = group_flush(export);
    }
    ctl_pool_done(&pool);
    return exit;
}

static enum ctl_exit write_pages(struct export *export, ListContextsRequest *request)
{
    char token[4096 + 1] = ""; /* The longest that the API allows. */
    enum ctl_exit exit = CTL_OK;

    request->page_size = PAGE_SIZE;
    request->page_token = token;
    do {
        ListContextsResponse *page;
        struct cxc_error error;

        if (cxc_list_contexts(export->ctl->client, request, &page, &error) != CXC_OK) {
            return ctl_fail(export->ctl, &error, "cannot list contexts");
        }
        exit = write_page(export, page);
        snprintf(token, sizeof token, "%s", page->next_page_token);
        cxc_response_free(page);
    } while (exit == CTL_OK && token[0] != '\0');
    return exit;
}

/* Whether the parent is among those that wait. They are in the order of their ids. */
static bool parent_waits(const struct export *export, const struct ref *ref)
{
    size_t low = 0;
    size_t high = export->deferred.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct ref *other = export->deferred.items[middle];
        int order = strcmp(ref->parent_id, other->id);

        if (order == 0) {
            return !other->written;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

/* Writes those that waited: in each round the ones whose parents are written. */
static enum ctl_exit write_deferred(struct export *export)
{
    size_t left = export->deferred.count;
    enum ctl_exit exit = CTL_OK;

    while (left > 0 && exit == CTL_OK) {
        struct ctl_list ready = {0};

        for (size_t i = 0; i < export->deferred.count; i++) {
            struct ref *ref = export->deferred.items[i];

            if (!ref->written && !parent_waits(export, ref)) {
                ctl_list_add(&export->ctl->pool, &ready, ref);
            }
        }
        if (ready.count == 0) {
            return ctl_complain(export->ctl, CTL_FAILED, "the parents of contexts go in a circle");
        }
        for (size_t i = 0; i < ready.count && exit == CTL_OK; i++) {
            struct ref *ref = ready.items[i];

            ref->written = true;
            exit = write_ref(export, ref);
        }
        left -= ready.count;
    }
    return exit == CTL_OK ? group_flush(export) : exit;
}

/* Exports what the conditions select. */
static enum ctl_exit export_list(struct export *export, const struct ctl_args *args)
{
    ListContextsRequest request = CONTEXTD__V1__LIST_CONTEXTS_REQUEST__INIT;
    enum ctl_exit exit = CTL_OK;

    request.namespace_ = (char *)export->ctl->namespace_;
    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        char *value = (char *)args->settings[i].value;

        switch (args->settings[i].option) {
        case EXPORT_PREFIX:
            request.id_prefix = value;
            break;
        case EXPORT_TYPE:
            request.type = value;
            break;
        case EXPORT_PARENT:
            request.parent_id = value;
            break;
        case EXPORT_LABEL:
            exit = ctl_option_label(export->ctl, &request.base, value);
            break;
        default:
            break;
        }
    }
    if (exit == CTL_OK) {
        exit = write_pages(export, &request);
    }
    return exit == CTL_OK ? write_deferred(export) : exit;
}

static enum ctl_exit export_named(struct export *export, const struct ctl_args *args)
{
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->operand_count && exit == CTL_OK; i++) {
        exit = write_one(export, args->operands[i], true);
    }
    return exit;
}

/* ---- The file. ------------------------------------------------------------- */

/* Makes the file appear whole, and for good, under its name. */
static enum ctl_exit file_publish(struct export *export, const char *from, const char *to)
{
    bool written =
        fflush(export->file) == 0 && ferror(export->file) == 0 && fsync(fileno(export->file)) == 0;

    written = fclose(export->file) == 0 && written;
    if (!written || rename(from, to) != 0) {
        enum ctl_exit exit =
            ctl_complain(export->ctl, CTL_INPUT, "cannot write %s: %s", to, strerror(errno));

        unlink(from);
        return exit;
    }
    return CTL_OK;
}

static enum ctl_exit export_run(struct export *export, const struct ctl_args *args)
{
    enum ctl_exit exit;

    ctl_progress_begin(&export->progress, export->ctl, "contexts", 0);
    export->progress.shown =
        export->progress.shown && !(export->file == stdout && isatty(STDOUT_FILENO));
    exit = args->operand_count > 0 ? export_named(export, args) : export_list(export, args);
    ctl_progress_end(&export->progress);
    ctl_pool_done(&export->group_pool);
    return exit;
}

static enum ctl_exit export_to_file(struct export *export, const struct ctl_args *args,
                                    const char *path)
{
    const char *temporary = ctl_pool_format(&export->ctl->pool, "%s.partial", path);
    enum ctl_exit exit;

    export->file = fopen(temporary, "wb");
    if (export->file == NULL) {
        return ctl_complain(export->ctl, CTL_INPUT, "cannot create %s: %s", temporary,
                            strerror(errno));
    }
    exit = export_run(export, args);
    if (exit != CTL_OK) {
        fclose(export->file);
        unlink(temporary);
        return exit;
    }
    exit = file_publish(export, temporary, path);
    if (exit == CTL_OK && !export->ctl->json) {
        printf("%" PRIu64 " context%s exported to %s\n", export->count,
               export->count == 1 ? "" : "s", path);
    }
    return exit;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args)
{
    struct export export = {.ctl = ctl, .file = stdout};
    const char *path = ctl_args_value(args, EXPORT_FILE);

    for (size_t i = 0; i < args->setting_count && args->operand_count > 0; i++) {
        if (args->settings[i].option != EXPORT_FILE) {
            return ctl_complain(ctl, CTL_USAGE, "name contexts, or select them by --%s: not both",
                                options[args->settings[i].option].name);
        }
    }
    if (path == NULL || strcmp(path, "-") == 0) {
        return export_run(&export, args);
    }
    return export_to_file(&export, args, path);
}

const struct ctl_command ctl_export = {
    .name = "export",
    .operands = "[ID...]",
    .operand_max = SIZE_MAX,
    .summary = "write contexts as JSON lines",
    .description =
        "Writes a line for each context, in the form that `ctxctl import` reads, so that an\n"
        "import of them makes the same contexts. Versions and times begin anew there.\n"
        "Without ID: all contexts of the namespace that meet the conditions.\n",
    .examples = "  ctxctl export --file all.jsonl\n"
                "  ctxctl export trip-42 | jq .\n"
                "  ctxctl export --type chat --label user=ada | gzip > ada.jsonl.gz\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
