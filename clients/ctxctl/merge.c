/* merge: brings what changed in one context into another. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show.h"
#include "clients/ctxctl/state.h"

typedef Contextd__V1__MergeContextRequest__OnConflict OnConflict;
typedef Contextd__V1__MergeContextRequest__OnConflictByKeyEntry ConflictRule;

#define OURS CONTEXTD__V1__MERGE_CONTEXT_REQUEST__ON_CONFLICT__ON_CONFLICT_TARGET
#define THEIRS CONTEXTD__V1__MERGE_CONTEXT_REQUEST__ON_CONFLICT__ON_CONFLICT_SOURCE

enum {
    MERGE_AT,
    MERGE_ANCESTOR = MERGE_AT + 3,
    MERGE_OURS,
    MERGE_THEIRS,
    MERGE_KEY,
    MERGE_DRY_RUN,
    MERGE_SAFETY_POINT,
    MERGE_IF_VERSION,
    MERGE_SESSION,
    MERGE_FENCE,
};

static const struct ctl_option options[] = {
    CTL_OPTIONS_STATE("at", "SOURCE"),
    {"ancestor", "STATE", "what both came from (default: found from forks and merges)"},
    {"ours", NULL, "of what both changed, keep what TARGET has"},
    {"theirs", NULL, "of what both changed, take what SOURCE has"},
    {"key", "KEY=ours|theirs", "the same for one entry; may be repeated"},
    {"dry-run", NULL, "say what would change, and change nothing"},
    {"safety-point", NULL, "keep the state of TARGET before as a recovery point"},
    {"if-version", "NUMBER", "only if TARGET is at this version"},
    CTL_OPTION_SESSION,
    CTL_OPTION_FENCE,
};

/* ---- What is asked for. ------------------------------------------------------ */

/* A rule for one entry. Keys may hold a `=`: the last one counts. */
static enum ctl_exit rule_make(struct ctl *ctl, const char *text, struct ctl_list *rules)
{
    ConflictRule *rule = ctl_message_new(
        &ctl->pool, &contextd__v1__merge_context_request__on_conflict_by_key_entry__descriptor);
    const char *equals = strrchr(text, '=');
    bool ours = equals != NULL && strcmp(equals, "=ours") == 0;

    if (equals == NULL || equals == text || (!ours && strcmp(equals, "=theirs") != 0)) {
        return ctl_complain(ctl, CTL_USAGE, "--key takes KEY=ours or KEY=theirs, not '%s'", text);
    }
    rule->key = ctl_pool_text(&ctl->pool, text, (size_t)(equals - text));
    rule->value = ours ? OURS : THEIRS;
    ctl_list_add(&ctl->pool, rules, rule);
    return CTL_OK;
}

static enum ctl_exit rules_fill(struct ctl *ctl, const struct ctl_args *args,
                                MergeContextRequest *request)
{
    bool ours = ctl_args_value(args, MERGE_OURS) != NULL;
    bool theirs = ctl_args_value(args, MERGE_THEIRS) != NULL;
    struct ctl_list rules = {0};
    enum ctl_exit exit = CTL_OK;

    if (ours && theirs) {
        return ctl_complain(ctl, CTL_USAGE, "--ours or --theirs: not both");
    }
    if (ours || theirs) {
        request->on_conflict = ours ? OURS : THEIRS;
    }
    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        if (args->settings[i].option == MERGE_KEY) {
            exit = rule_make(ctl, args->settings[i].value, &rules);
        }
    }
    request->on_conflict_by_key = (ConflictRule **)rules.items;
    request->n_on_conflict_by_key = rules.count;
    return exit;
}

static enum ctl_exit merge_fill(struct ctl *ctl, const struct ctl_args *args,
                                MergeContextRequest *request)
{
    const struct ctl_state_options at = {options, MERGE_AT};
    const char *ancestor = ctl_args_value(args, MERGE_ANCESTOR);
    enum ctl_exit exit =
        ctl_operand_state(ctl, args, &at, args->operands[0], NULL, &request->source);

    if (exit == CTL_OK && ancestor != NULL) {
        exit = ctl_parse_state(ctl, ancestor, NULL, &request->ancestor);
    }
    if (exit == CTL_OK) {
        exit = rules_fill(ctl, args, request);
    }
    if (exit == CTL_OK) {
        exit = ctl_option_if_version(ctl, ctl_args_value(args, MERGE_IF_VERSION),
                                     &request->preconditions, &request->n_preconditions);
    }
    if (exit == CTL_OK) {
        exit = ctl_option_write(ctl, ctl_args_value(args, MERGE_SESSION),
                                ctl_args_value(args, MERGE_FENCE), &request->write);
    }
    request->namespace_ = (char *)ctl->namespace_;
    request->target_context_id = args->operands[1];
    request->dry_run = ctl_args_value(args, MERGE_DRY_RUN) != NULL;
    request->safety_point = ctl_args_value(args, MERGE_SAFETY_POINT) != NULL;
    return exit;
}

/* ---- What is told. ----------------------------------------------------------- */

static void side_print(struct ctl *ctl, const char *name, const MergeConflict *conflict,
                       const Entry *side)
{
    const char *text = "(not there)";

    if (side != NULL) {
        text = ctl_text_escape(&ctl->pool, side->value.data, side->value.len, CTL_PREVIEW_WIDTH);
        text = conflict->in_metadata
                   ? text
                   : ctl_pool_format(&ctl->pool, "%s%s(%s)", text, text[0] != '\0' ? " " : "",
                                     ctl_text_size(&ctl->pool, side->value.len));
    }
    printf("  %-10s%s\n", name, text);
}

static void conflict_print(struct ctl *ctl, const MergeConflict *conflict)
{
    printf("%sconflict%s %s%s%s%s\n", ctl_color_on(ctl, stdout, CTL_RED),
           ctl_color_off(ctl, stdout), ctl_color_on(ctl, stdout, CTL_BOLD),
           conflict->in_metadata ? "label " : "", ctl_text_line(&ctl->pool, conflict->key),
           ctl_color_off(ctl, stdout));
    side_print(ctl, "ancestor", conflict, conflict->ancestor);
    side_print(ctl, "ours", conflict, conflict->target);
    side_print(ctl, "theirs", conflict, conflict->source);
}

static void conflicts_print(struct ctl *ctl, const MergeContextResponse *response)
{
    uint64_t untold = response->conflict_count - response->n_conflicts;

    for (size_t i = 0; i < response->n_conflicts; i++) {
        conflict_print(ctl, response->conflicts[i]);
    }
    if (response->conflict_count > response->n_conflicts) {
        printf("and %" PRIu64 " more\n", untold);
    }
    fflush(stdout);
    fprintf(stderr,
            "%" PRIu64 " %s left, nothing was changed. --ours, --theirs or --key KEY=ours|theirs "
            "settle them.\n",
            response->conflict_count,
            response->conflict_count == 1 ? "conflict is" : "conflicts are");
}

static void done_print(struct ctl *ctl, const MergeContextRequest *request,
                       const MergeContextResponse *response)
{
    uint64_t count = response->changed_entry_count;

    if (request->dry_run) {
        printf("%" PRIu64 " %s of %s would change, without a conflict\n", count,
               count == 1 ? "entry" : "entries", request->target_context_id);
        return;
    }
    if (response->write != NULL && response->write->revision == 0) {
        printf("nothing to merge, %s stays at version %" PRIu64 "\n", request->target_context_id,
               response->version);
        return;
    }
    if (response->write != NULL && response->write->replayed) {
        printf("%s is at version %" PRIu64 ", merged before\n", request->target_context_id,
               response->version);
    } else {
        printf("%s is at version %" PRIu64 ", with %" PRIu64 " %s changed\n",
               request->target_context_id, response->version, count,
               count == 1 ? "entry" : "entries");
    }
    if (response->safety_point_id[0] != '\0') {
        printf("point %s keeps the state before\n",
               ctl_text_line(&ctl->pool, response->safety_point_id));
    }
}

static json_t *side_json(const MergeConflict *conflict, const Entry *side)
{
    return conflict->in_metadata ? ctl_json_bytes(side->value.data, side->value.len)
                                 : ctl_entry_json(side, true);
}

static json_t *conflict_json(const MergeConflict *conflict)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "key", conflict->key);
    json_object_set_new(object, "in_metadata", json_boolean(conflict->in_metadata));
    if (conflict->ancestor != NULL) {
        json_object_set_new(object, "ancestor", side_json(conflict, conflict->ancestor));
    }
    if (conflict->target != NULL) {
        json_object_set_new(object, "target", side_json(conflict, conflict->target));
    }
    if (conflict->source != NULL) {
        json_object_set_new(object, "source", side_json(conflict, conflict->source));
    }
    return object;
}

static void print_json(const MergeContextRequest *request, const MergeContextResponse *response)
{
    json_t *object = json_pack("{s:s, s:b, s:b}", "id", request->target_context_id, "applied",
                               response->applied, "dry_run", request->dry_run);
    json_t *conflicts = json_array();

    for (size_t i = 0; i < response->n_conflicts; i++) {
        json_array_append_new(conflicts, conflict_json(response->conflicts[i]));
    }
    ctl_json_set_number(object, "version", response->version);
    ctl_json_set_number(object, "changed_entry_count", response->changed_entry_count);
    json_object_set_new(object, "conflicts", conflicts);
    ctl_json_set_number(object, "conflict_count", response->conflict_count);
    ctl_json_set_text(object, "safety_point_id", response->safety_point_id);
    json_object_set_new(object, "replayed",
                        json_boolean(response->write != NULL && response->write->replayed));
    ctl_json_print(object, stdout);
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args)
{
    MergeContextRequest request = CONTEXTD__V1__MERGE_CONTEXT_REQUEST__INIT;
    MergeContextResponse *response;
    struct cxc_error error;
    enum ctl_exit exit = merge_fill(ctl, args, &request);

    if (exit != CTL_OK) {
        return exit;
    }
    if (cxc_merge_context(ctl->client, &request, &response, &error) != CXC_OK) {
        return ctl_fail(ctl, &error, "cannot merge %s into %s",
                        ctl_state_text(&ctl->pool, request.source), request.target_context_id);
    }
    if (ctl->json) {
        print_json(&request, response);
    } else if (response->conflict_count > 0) {
        conflicts_print(ctl, response);
    } else {
        done_print(ctl, &request, response);
    }
    exit = response->conflict_count > 0 ? CTL_REFUSED : CTL_OK;
    cxc_response_free(response);
    return exit;
}

const struct ctl_command ctl_merge = {
    .name = "merge",
    .operands = "SOURCE TARGET",
    .operand_min = 2,
    .operand_max = 2,
    .summary = "bring what changed in one context into another",
    .description =
        "Brings into TARGET what changed in SOURCE since the state that both came from. What\n"
        "both changed, each in its own way, is a conflict: unless --ours, --theirs or --key\n"
        "settle them all, they are shown, nothing is changed, and it ends with 1. SOURCE and\n"
        "the ancestor are CONTEXT, CONTEXT@VERSION, CONTEXT@TIME or CONTEXT#POINT, as `ctxctl\n"
        "diff --help` says; with one of the options --at-... SOURCE is an id as it is, as TARGET\n"
        "always is. Labels are merged like entries; --key is for entries.\n",
    .examples = "  ctxctl merge plan-b trip-42 --dry-run\n"
                "  ctxctl merge plan-b trip-42 --key goal=theirs --ours --safety-point\n"
                "  ctxctl merge plan-b@7 trip-42 --ancestor trip-42#before-booking\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
