#include "clients/ctxctl/state.h"

#include <inttypes.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"

enum { OPTION_POINT, OPTION_VERSION, OPTION_TIME, OPTION_COUNT };

/* ---- What is written. ------------------------------------------------------- */

static void set_version(StateRef *state, uint64_t version)
{
    state->at_case = CONTEXTD__V1__STATE_REF__AT_VERSION;
    state->version = version;
}

static void set_point(StateRef *state, const char *point_id)
{
    state->at_case = CONTEXTD__V1__STATE_REF__AT_RECOVERY_POINT_ID;
    state->recovery_point_id = (char *)point_id;
}

static void set_time(StateRef *state, Timestamp *time)
{
    state->at_case = CONTEXTD__V1__STATE_REF__AT_TIME;
    state->time = time;
}

/* Takes the id off the front of `text`, without its quotes. Returns the rest. */
static const char *id_take(struct ctl_pool *pool, const char *text, char **ret_id)
{
    char *id = ctl_pool_alloc(pool, strlen(text) + 1);
    char *at = id;

    while (*text != '\0' && *text != '@' && *text != '#') {
        bool quotes = text[0] == '\\' && text[1] != '\0' && strchr("@#\\", text[1]) != NULL;

        *at++ = text[quotes ? 1 : 0];
        text += quotes ? 2 : 1;
    }
    *ret_id = id;
    return text;
}

/* What follows an `@`: a version or a time. */
static enum ctl_exit parse_at(struct ctl *ctl, const char *text, const char *at, StateRef *state)
{
    Timestamp *time;
    uint64_t version;

    if (ctl_parse_number(at, &version)) {
        set_version(state, version);
        return version > 0 ? CTL_OK
                           : ctl_complain(ctl, CTL_USAGE, "'%s': versions begin with 1", text);
    }
    if (!ctl_parse_moment(&ctl->pool, at, &time)) {
        return ctl_complain(ctl, CTL_USAGE,
                            "'%s': behind the @ is a version, or a time such as 10m or "
                            "2026-11-21T10:53:18Z. An @ of the id is written \\@",
                            text);
    }
    set_time(state, time);
    return CTL_OK;
}

enum ctl_exit ctl_parse_state(struct ctl *ctl, const char *text, const char *same_id,
                              StateRef **ret_state)
{
    char *id;
    const char *rest = id_take(&ctl->pool, text, &id);
    StateRef *state;
    enum ctl_exit exit = CTL_OK;

    if (id[0] == '\0' && (same_id == NULL || rest[0] == '\0')) {
        return ctl_complain(ctl, CTL_USAGE, "'%s' names no context", text);
    }
    state = ctl_state(&ctl->pool, ctl, id[0] != '\0' ? id : same_id, 0);
    if (rest[0] == '@') {
        exit = parse_at(ctl, text, rest + 1, state);
    } else if (rest[0] == '#' && rest[1] == '\0') {
        exit = ctl_complain(ctl, CTL_USAGE,
                            "'%s': behind the # is a recovery point. A # of the id is written \\#",
                            text);
    } else if (rest[0] == '#') {
        set_point(state, rest + 1);
    }
    *ret_state = state;
    return exit;
}

/* ---- Options. ---------------------------------------------------------------- */

static enum ctl_exit set_option(struct ctl *ctl, const char *name, size_t which, const char *text,
                                StateRef *state)
{
    Timestamp *time;
    uint64_t version;
    enum ctl_exit exit = CTL_OK;

    switch (which) {
    case OPTION_POINT:
        set_point(state, text);
        return ctl_check_given(ctl, ctl_pool_format(&ctl->pool, "--%s", name), text);
    case OPTION_VERSION:
        exit = ctl_option_number(ctl, name, text, &version);
        if (exit == CTL_OK && version > 0) {
            set_version(state, version);
        }
        return exit;
    default:
        exit = ctl_option_time(ctl, name, text, &time);
        if (exit == CTL_OK) {
            set_time(state, time);
        }
        return exit;
    }
}

enum ctl_exit ctl_option_state(struct ctl *ctl, const struct ctl_args *args,
                               const struct ctl_state_options *options, const char *id,
                               StateRef **ret_state, bool *ret_given)
{
    StateRef *state = ctl_state(&ctl->pool, ctl, id, 0);
    const char *given = NULL;
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < OPTION_COUNT && exit == CTL_OK; i++) {
        const char *name = options->table[options->first + i].name;
        const char *value = ctl_args_value(args, options->first + i);

        if (value == NULL) {
            continue;
        }
        if (given != NULL) {
            return ctl_complain(ctl, CTL_USAGE, "--%s or --%s: not both", given, name);
        }
        given = name;
        exit = set_option(ctl, name, i, value, state);
    }
    *ret_state = state;
    *ret_given = given != NULL;
    return exit;
}

enum ctl_exit ctl_operand_state(struct ctl *ctl, const struct ctl_args *args,
                                const struct ctl_state_options *options, const char *operand,
                                const char *same_id, StateRef **ret_state)
{
    const char *id = operand != NULL ? operand : same_id;
    bool given = false;
    enum ctl_exit exit = ctl_option_state(ctl, args, options, id, ret_state, &given);

    if (exit == CTL_OK && !given && operand != NULL) {
        return ctl_parse_state(ctl, operand, same_id, ret_state);
    }
    return exit;
}

/* ---- What is shown. --------------------------------------------------------- */

/* An id with its quotes. */
static char *id_quote(struct ctl_pool *pool, const char *id)
{
    char *text = ctl_pool_alloc(pool, 2 * strlen(id) + 1);
    char *at = text;

    for (; *id != '\0'; id++) {
        bool before_quoted = *id == '\\' && id[1] != '\0' && strchr("@#\\", id[1]) != NULL;

        if (*id == '@' || *id == '#' || before_quoted || (*id == '\\' && id[1] == '\0')) {
            *at++ = '\\';
        }
        *at++ = *id;
    }
    return ctl_text_line(pool, text);
}

char *ctl_state_text(struct ctl_pool *pool, const StateRef *state)
{
    const char *id = state != NULL ? id_quote(pool, state->context_id) : "";

    switch (state != NULL ? state->at_case : CONTEXTD__V1__STATE_REF__AT__NOT_SET) {
    case CONTEXTD__V1__STATE_REF__AT_VERSION:
        return ctl_pool_format(pool, "%s@%" PRIu64, id, state->version);
    case CONTEXTD__V1__STATE_REF__AT_RECOVERY_POINT_ID:
        return ctl_pool_format(pool, "%s#%s", id, ctl_text_line(pool, state->recovery_point_id));
    case CONTEXTD__V1__STATE_REF__AT_TIME:
        return ctl_pool_format(pool, "%s@%s", id, ctl_text_time(pool, state->time, true));
    default:
        return ctl_pool_text(pool, id, strlen(id));
    }
}

json_t *ctl_state_json(const StateRef *state)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "context_id", state->context_id);
    switch (state->at_case) {
    case CONTEXTD__V1__STATE_REF__AT_VERSION:
        ctl_json_set_number(object, "version", state->version);
        break;
    case CONTEXTD__V1__STATE_REF__AT_RECOVERY_POINT_ID:
        ctl_json_set_text(object, "recovery_point_id", state->recovery_point_id);
        break;
    case CONTEXTD__V1__STATE_REF__AT_TIME:
        ctl_json_set_time(object, "time", state->time);
        break;
    default:
        break;
    }
    return object;
}
