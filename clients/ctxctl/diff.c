/* diff, sync: what differs between states of contexts. */

#include <inttypes.h>
#include <stdio.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/fetch.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show.h"
#include "clients/ctxctl/show_diff.h"
#include "clients/ctxctl/state.h"

/* ---- diff. ------------------------------------------------------------------- */

enum {
    DIFF_PREFIX,
    DIFF_KEYS_ONLY,
    DIFF_EXIT_CODE,
    DIFF_BEFORE,
    DIFF_AFTER = DIFF_BEFORE + 3,
};

static const struct ctl_option diff_options[] = {
    {"prefix", "TEXT", "only entries whose keys begin with this"},
    {"keys-only", NULL, "only the keys, not the values"},
    {"exit-code", NULL, "end with 1 when there are differences, with 0 when there are none"},
    CTL_OPTIONS_STATE("before", "the first STATE"),
    CTL_OPTIONS_STATE("after", "the second STATE"),
};

static enum ctl_exit diff_fill(struct ctl *ctl, const struct ctl_args *args,
                               DiffStatesRequest *request)
{
    const struct ctl_state_options before = {diff_options, DIFF_BEFORE};
    const struct ctl_state_options after = {diff_options, DIFF_AFTER};
    const char *prefix = ctl_args_value(args, DIFF_PREFIX);
    enum ctl_exit exit =
        ctl_operand_state(ctl, args, &before, args->operands[0], NULL, &request->before);

    if (exit == CTL_OK) {
        const char *same_id = request->before->context_id;

        exit =
            ctl_operand_state(ctl, args, &after, args->operand_count > 1 ? args->operands[1] : NULL,
                              same_id, &request->after);
    }
    if (exit == CTL_OK && args->operand_count == 1 &&
        request->before->at_case == CONTEXTD__V1__STATE_REF__AT__NOT_SET &&
        request->after->at_case == CONTEXTD__V1__STATE_REF__AT__NOT_SET) {
        exit = ctl_complain(ctl, CTL_USAGE,
                            "'%s' is the newest state already: say which other, such as %s@7",
                            args->operands[0], args->operands[0]);
    }
    request->key_prefix = (char *)(prefix != NULL ? prefix : "");
    request->without_values = ctl_args_value(args, DIFF_KEYS_ONLY) != NULL;
    return exit;
}

static void diff_print_json(const DiffStatesRequest *request, const struct ctl_list *parts)
{
    bool with_values = !request->without_values;
    json_t *entries = json_array();
    json_t *metadata = json_array();

    for (size_t i = 0; i < parts->count; i++) {
        const DiffStatesResponse *part = parts->items[i];

        for (size_t n = 0; n < part->n_entries; n++) {
            json_array_append_new(entries,
                                  ctl_entry_diff_json(part->entries[n], with_values, with_values));
        }
        for (size_t n = 0; n < part->n_metadata; n++) {
            json_array_append_new(metadata, ctl_label_diff_json(part->metadata[n]));
        }
    }
    ctl_json_print(json_pack("{s:o, s:o, s:o, s:o}", "before", ctl_state_json(request->before),
                             "after", ctl_state_json(request->after), "entries", entries,
                             "metadata", metadata),
                   stdout);
}

static void diff_print(struct ctl *ctl, const DiffStatesRequest *request,
                       const struct ctl_list *parts)
{
    printf("%s--- %s\n+++ %s%s\n", ctl_color_on(ctl, stdout, CTL_BOLD),
           ctl_state_text(&ctl->pool, request->before), ctl_state_text(&ctl->pool, request->after),
           ctl_color_off(ctl, stdout));
    for (size_t i = 0; i < parts->count; i++) {
        const DiffStatesResponse *part = parts->items[i];

        for (size_t n = 0; n < part->n_entries; n++) {
            ctl_entry_diff_print(ctl, part->entries[n], !request->without_values);
        }
    }
    for (size_t i = 0; i < parts->count; i++) {
        const DiffStatesResponse *part = parts->items[i];

        for (size_t n = 0; n < part->n_metadata; n++) {
            ctl_label_diff_print(ctl, part->metadata[n]);
        }
    }
}

static enum ctl_exit diff_run(struct ctl *ctl, const struct ctl_args *args)
{
    DiffStatesRequest request = CONTEXTD__V1__DIFF_STATES_REQUEST__INIT;
    struct ctl_list parts = {0};
    struct cxc_error error;
    bool differ = false;
    enum ctl_exit exit = diff_fill(ctl, args, &request);

    if (exit != CTL_OK) {
        return exit;
    }
    if (ctl_fetch_answers(ctl, "/contextd.v1.Recovery/DiffStates", &request.base,
                          &contextd__v1__diff_states_response__descriptor, &parts,
                          &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot compare %s and %s",
                        ctl_state_text(&ctl->pool, request.before),
                        ctl_state_text(&ctl->pool, request.after));
    }
    for (size_t i = 0; i < parts.count && !differ; i++) {
        const DiffStatesResponse *part = parts.items[i];

        differ = part->n_entries > 0 || part->n_metadata > 0;
    }
    if (ctl->json) {
        diff_print_json(&request, &parts);
    } else if (differ) {
        diff_print(ctl, &request, &parts);
    }
    return differ && ctl_args_value(args, DIFF_EXIT_CODE) != NULL ? CTL_REFUSED : CTL_OK;
}

const struct ctl_command ctl_diff = {
    .name = "diff",
    .operands = "STATE [STATE]",
    .operand_min = 1,
    .operand_max = 2,
    .summary = "show what differs between two states",
    .description =
        "Shows what differs from the first state to the second, without which it is the newest\n"
        "of the same context: the entries line by line, then the labels. A STATE is CONTEXT,\n"
        "CONTEXT@VERSION, CONTEXT@TIME (how long ago, or 2026-11-21T10:53:18Z) or CONTEXT#POINT;\n"
        "the second may leave out the CONTEXT. An @ or # of an id is written \\@ or \\#, a \\\n"
        "before them \\\\ (in quotes, because of the shell). With one of the options --before-...\n"
        "or --after-... its STATE is the id of a context, as it is.\n",
    .examples = "  ctxctl diff trip-42@3\n"
                "  ctxctl diff trip-42@3 @7 --prefix plan/\n"
                "  ctxctl diff trip-42#before-booking trip-43 --keys-only\n"
                "  ctxctl diff 'ada\\@example.com@1h'\n"
                "  ctxctl diff \"$ID\" --before-version 3 --after-version 0 --exit-code\n",
    .options = diff_options,
    .option_count = sizeof diff_options / sizeof diff_options[0],
    .run = diff_run,
};

/* ---- sync. ------------------------------------------------------------------- */

enum { SYNC_HAVE };

static const struct ctl_option sync_options[] = {
    {"have", "NUMBER", "the version that is there already; 0: nothing"},
};

/* What all messages of an answer say together. */
struct sync {
    uint64_t from_version;
    uint64_t to_version;
    bool full;
    const Context *context; /* NULL: it was not told. */
};

static struct sync sync_sum(const struct ctl_list *parts)
{
    struct sync sync = {0};

    for (size_t i = 0; i < parts->count; i++) {
        const SyncContextResponse *part = parts->items[i];

        sync.from_version = part->from_version > 0 ? part->from_version : sync.from_version;
        sync.to_version = part->to_version > 0 ? part->to_version : sync.to_version;
        sync.full = sync.full || part->full;
        sync.context = part->context != NULL ? part->context : sync.context;
    }
    return sync;
}

static void sync_print_json(const SyncContextRequest *request, const struct sync *sync,
                            const struct ctl_list *parts)
{
    json_t *object = json_pack("{s:s}", "id", request->context_id);
    json_t *entries = json_array();

    for (size_t i = 0; i < parts->count; i++) {
        const SyncContextResponse *part = parts->items[i];

        for (size_t n = 0; n < part->n_entries; n++) {
            json_array_append_new(entries, ctl_entry_diff_json(part->entries[n], false, true));
        }
    }
    ctl_json_set_number(object, "from_version", sync->from_version);
    ctl_json_set_number(object, "to_version", sync->to_version);
    json_object_set_new(object, "full", json_boolean(sync->full));
    json_object_set_new(object, "entries", entries);
    if (sync->context != NULL) {
        json_object_set_new(object, "context", ctl_context_json(sync->context, false));
    }
    ctl_json_print(object, stdout);
}

static void sync_print(struct ctl *ctl, const SyncContextRequest *request, const struct sync *sync,
                       const struct ctl_list *parts)
{
    printf("%s%s%s is at version %" PRIu64, ctl_color_on(ctl, stdout, CTL_BOLD),
           request->context_id, ctl_color_off(ctl, stdout), sync->to_version);
    if (sync->full && request->have_version > 0) {
        printf("; version %" PRIu64 " is not retained: this is all of it", request->have_version);
    } else if (sync->to_version == request->have_version) {
        printf("; nothing has changed");
    }
    putchar('\n');
    if (sync->context != NULL && sync->to_version != request->have_version) {
        ctl_property_print(ctl, "labels", ctl_labels_text(&ctl->pool, &sync->context->base));
    }
    for (size_t i = 0; i < parts->count; i++) {
        const SyncContextResponse *part = parts->items[i];

        for (size_t n = 0; n < part->n_entries; n++) {
            ctl_entry_news_print(part->entries[n]);
        }
    }
}

static enum ctl_exit sync_run(struct ctl *ctl, const struct ctl_args *args)
{
    SyncContextRequest request = CONTEXTD__V1__SYNC_CONTEXT_REQUEST__INIT;
    const char *have = ctl_args_value(args, SYNC_HAVE);
    struct ctl_list parts = {0};
    struct cxc_error error;
    struct sync sync;
    enum ctl_exit exit;

    if (have == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--have is missing: the version that is there already");
    }
    exit = ctl_option_number(ctl, "have", have, &request.have_version);
    if (exit != CTL_OK) {
        return exit;
    }
    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = args->operands[0];
    if (ctl_fetch_answers(ctl, "/contextd.v1.Recovery/SyncContext", &request.base,
                          &contextd__v1__sync_context_response__descriptor, &parts,
                          &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot tell what changed in %s", request.context_id);
    }
    sync = sync_sum(&parts);
    if (ctl->json) {
        sync_print_json(&request, &sync, &parts);
    } else {
        sync_print(ctl, &request, &sync, &parts);
    }
    return CTL_OK;
}

const struct ctl_command ctl_sync = {
    .name = "sync",
    .operands = "CONTEXT",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "show what a copy of an older version lacks",
    .description =
        "Shows what changed in a context since the version that is there already: what a client\n"
        "needs to have the newest one, and not what it has. Where that version is not retained,\n"
        "that is all of it, to begin from nothing: \"full\" in JSON.\n",
    .examples = "  ctxctl sync trip-42 --have 7\n"
                "  ctxctl sync trip-42 --have 0 -o json | jq .to_version\n",
    .options = sync_options,
    .option_count = sizeof sync_options / sizeof sync_options[0],
    .run = sync_run,
};
