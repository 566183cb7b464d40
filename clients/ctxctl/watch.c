/* watch: what happens to contexts and sessions, as it happens.
 *
 * The client's subscription goes on by itself when the server was away. What is told at
 * the end is the position behind what was printed, so that another watch goes on there
 * without a gap. */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show_event.h"

enum {
    WATCH_PREFIX,
    WATCH_TYPE,
    WATCH_LABEL,
    WATCH_KEY_PREFIX,
    WATCH_EVENT,
    WATCH_FROM,
    WATCH_SNAPSHOT,
    WATCH_NO_VALUES,
    WATCH_PROGRESS,
    WATCH_COUNT,
    WATCH_UNTIL_CAUGHT_UP,
};

/* How long a signal or a reader that has left may go unnoticed. */
enum { TICK_MS = 100 };

static const struct ctl_option options[] = {
    {"prefix", "TEXT", "only contexts whose ids begin with this"},
    {"type", "TYPE", "only contexts of this type"},
    {"label", "KEY=VALUE", "only contexts with this label, before or after; may be repeated"},
    {"key-prefix", "TEXT", "only changes of entries whose keys begin with this, and of none"},
    {"event", "TYPE", "only events of this type, such as updated; may be repeated"},
    {"from", "CURSOR", "begin behind this position; or `oldest`, or `now` (default: now)"},
    {"snapshot", NULL, "begin with the contexts as they are"},
    {"no-values", NULL, "leave out the values of entries and the data of activities"},
    {"progress", NULL, "show positions that are reached without an event, too"},
    {"count", "NUMBER", "end after so many events"},
    {"until-caught-up", NULL, "end when all that was retained is shown"},
};

struct watch {
    struct ctl *ctl;
    struct cxc_subscription *subscription;
    bool with_values;
    bool progress;
    bool until_caught_up;
    uint64_t left;        /* Events, until the end. */
    struct ctl_pool pool; /* Of `cursor`. */
    const char *cursor;   /* Behind what was printed; "" while it is not known. */
    bool done;            /* What was asked for has been shown. */
    bool reader_left;     /* Nobody reads stdout any more. */
};

/* ---- Signals. -------------------------------------------------------------- */

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
    (void)number;
    stopped = 1;
}

struct signals {
    struct sigaction interrupt;
    struct sigaction terminate;
    struct sigaction pipe;
};

/* SIGINT and SIGTERM end the watch; a reader that leaves is found out by writing. */
static void signals_take(struct signals *ret_before)
{
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    stopped = 0;
    sigaction(SIGINT, &stop, &ret_before->interrupt);
    sigaction(SIGTERM, &stop, &ret_before->terminate);
    sigaction(SIGPIPE, &ignore, &ret_before->pipe);
}

static void signals_give_back(const struct signals *before)
{
    sigaction(SIGINT, &before->interrupt, NULL);
    sigaction(SIGTERM, &before->terminate, NULL);
    sigaction(SIGPIPE, &before->pipe, NULL);
}

/* ---- Notices, on stderr. --------------------------------------------------- */

/* Tells scripts how the watch goes. */
static void notice_json(const char *what, const char *cursor, const char *reason)
{
    json_t *object = json_pack("{s:s}", "watch", what);

    ctl_json_set_text(object, "cursor", cursor);
    ctl_json_set_text(object, "reason", reason);
    ctl_json_print_line(object, stderr);
}

static void on_lost(void *arg, const char *cursor, const struct cxc_error *error)
{
    const char *reason = error->reason[0] != '\0' ? error->reason : cxc_code_name(error->code);
    struct watch *watch = arg;
    struct ctl_pool pool = {0};

    if (watch->ctl->json) {
        notice_json("lost", cursor, reason);
    } else {
        fprintf(stderr, "watch: connection lost, %s%s (%s)\n",
                cursor[0] != '\0' ? "resuming behind " : "beginning again",
                ctl_text_line(&pool, cursor), ctl_text_line(&pool, reason));
    }
    ctl_pool_done(&pool);
}

static void on_resumed(void *arg)
{
    const struct watch *watch = arg;

    if (watch->ctl->json) {
        notice_json("resumed", "", "");
    } else {
        fputs("watch: resumed\n", stderr);
    }
}

/* Tells how another watch goes on where this one ends. */
static void tell_end(const struct watch *watch)
{
    struct ctl_pool pool = {0};

    if (watch->ctl->json) {
        notice_json("ended", watch->cursor, "");
    } else {
        fprintf(stderr, "watch: to go on: --from %s\n", ctl_text_line(&pool, watch->cursor));
    }
    ctl_pool_done(&pool);
}

static const struct cxc_subscription_events subscription_events = {
    .lost = on_lost,
    .resumed = on_resumed,
};

/* ---- What is asked for. ---------------------------------------------------- */

static enum ctl_exit event_add(struct ctl *ctl, SubscribeRequest *request, const char *name)
{
    if (!ctl_event_find(name, &request->event_types[request->n_event_types])) {
        return ctl_complain(ctl, CTL_USAGE, "--event is one of %s, not '%s'",
                            ctl_event_names(&ctl->pool), name);
    }
    request->n_event_types++;
    return CTL_OK;
}

static enum ctl_exit start_set(const struct ctl *ctl, SubscribeRequest *request, const char *from)
{
    if (from[0] == '\0') {
        return ctl_complain(ctl, CTL_USAGE, "--from is empty");
    }
    request->start_case = CONTEXTD__V1__SUBSCRIBE_REQUEST__START__NOT_SET;
    if (strcmp(from, "oldest") == 0) {
        request->start_case = CONTEXTD__V1__SUBSCRIBE_REQUEST__START_FROM_OLDEST;
        request->from_oldest = true;
    } else if (strcmp(from, "now") != 0) {
        request->start_case = CONTEXTD__V1__SUBSCRIBE_REQUEST__START_CURSOR;
        request->cursor = (char *)from;
    }
    return CTL_OK;
}

static enum ctl_exit request_set(struct ctl *ctl, const struct ctl_setting *setting,
                                 SubscribeRequest *request)
{
    char *text = (char *)setting->value;

    switch (setting->option) {
    case WATCH_PREFIX:
        request->id_prefix = text;
        return CTL_OK;
    case WATCH_TYPE:
        request->type = text;
        return CTL_OK;
    case WATCH_LABEL:
        return ctl_option_label(ctl, &request->base, text);
    case WATCH_KEY_PREFIX:
        request->key_prefix = text;
        return CTL_OK;
    case WATCH_EVENT:
        return event_add(ctl, request, text);
    case WATCH_FROM:
        return start_set(ctl, request, text);
    case WATCH_NO_VALUES:
        request->without_values = true;
        return CTL_OK;
    default: /* What concerns the watch alone. */
        return CTL_OK;
    }
}

/* Refuses what would never show anything, or is two things at once. */
static enum ctl_exit request_check(const struct ctl *ctl, const struct ctl_args *args,
                                   const SubscribeRequest *request)
{
    bool selects = request->n_context_ids > 0 || request->id_prefix[0] != '\0' ||
                   request->type[0] != '\0' || request->n_metadata > 0;

    for (size_t i = 0; i < request->n_event_types && selects; i++) {
        if (ctl_event_is_of_session(request->event_types[i])) {
            return ctl_complain(ctl, CTL_USAGE,
                                "events of sessions are shown where no contexts are selected");
        }
    }
    if (ctl_args_value(args, WATCH_SNAPSHOT) != NULL && ctl_args_value(args, WATCH_FROM) != NULL) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--snapshot or --from: not both. To go on with a snapshot, --from "
                            "alone");
    }
    return CTL_OK;
}

static enum ctl_exit request_fill(struct ctl *ctl, const struct ctl_args *args,
                                  SubscribeRequest *request)
{
    enum ctl_exit exit = CTL_OK;

    request->namespace_ = (char *)ctl->namespace_;
    request->context_ids = args->operands;
    request->n_context_ids = args->operand_count;
    request->event_types =
        ctl_pool_alloc(&ctl->pool, (args->setting_count + 1) * sizeof *request->event_types);
    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        exit = request_set(ctl, &args->settings[i], request);
    }
    if (exit == CTL_OK) {
        exit = request_check(ctl, args, request);
    }
    if (ctl_args_value(args, WATCH_SNAPSHOT) != NULL) {
        request->start_case = CONTEXTD__V1__SUBSCRIBE_REQUEST__START_WITH_SNAPSHOT;
        request->with_snapshot = true;
    }
    return exit;
}

static enum ctl_exit watch_fill(struct watch *watch, const struct ctl_args *args)
{
    const char *count = ctl_args_value(args, WATCH_COUNT);
    enum ctl_exit exit = CTL_OK;

    watch->left = UINT64_MAX;
    watch->with_values = ctl_args_value(args, WATCH_NO_VALUES) == NULL;
    watch->progress = ctl_args_value(args, WATCH_PROGRESS) != NULL;
    watch->until_caught_up = ctl_args_value(args, WATCH_UNTIL_CAUGHT_UP) != NULL;
    if (count != NULL) {
        exit = ctl_option_number(watch->ctl, "count", count, &watch->left);
    }
    if (exit == CTL_OK && watch->left == 0) {
        exit = ctl_complain(watch->ctl, CTL_USAGE, "--count is above 0");
    }
    return exit;
}

/* ---- Showing. -------------------------------------------------------------- */

static void show_event(const struct watch *watch, const Event *event)
{
    if (watch->ctl->json) {
        ctl_json_print_line(ctl_event_json(event, watch->with_values), stdout);
    } else {
        ctl_event_print(watch->ctl, event, watch->with_values);
    }
}

/* Shows a position that was reached without an event, where that is asked for. */
static void show_position(const struct watch *watch, const char *type, const char *cursor)
{
    const struct ctl *ctl = watch->ctl;

    if (!watch->progress) {
        return;
    }
    if (ctl->json) {
        ctl_json_print_line(json_pack("{s:s, s:s}", "type", type, "cursor", cursor), stdout);
    } else {
        struct ctl_pool pool = {0};

        printf("%s%s %s%s\n", ctl_color_on(ctl, stdout, CTL_DIM), type,
               ctl_text_line(&pool, cursor), ctl_color_off(ctl, stdout));
        ctl_pool_done(&pool);
    }
}

/* Shows a message, or what of it was asked for. Returns the position behind that. */
static const char *show_message(struct watch *watch, const SubscribeResponse *message)
{
    switch (message->kind_case) {
    case CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_EVENTS:
        for (size_t i = 0; i < message->events->n_events; i++) {
            const Event *event = message->events->events[i];

            show_event(watch, event);
            watch->left -= event->more ? 0 : 1; /* A part is not an event. */
            watch->done = watch->left == 0;
            if (watch->done) {
                return event->cursor;
            }
        }
        break;
    case CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_CAUGHT_UP:
        show_position(watch, "caught_up", message->caught_up->cursor);
        watch->done = watch->until_caught_up;
        break;
    case CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_PROGRESS:
        show_position(watch, "progress", message->progress->cursor);
        break;
    default: /* Of a newer server. */
        break;
    }
    return cxc_subscription_cursor(watch->subscription);
}

/* Whether the reader of stdout has left: so that a watch of a quiet server ends with it. */
static bool is_unread(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

static void cursor_keep(struct watch *watch, const char *cursor)
{
    ctl_pool_done(&watch->pool);
    watch->cursor = ctl_pool_text(&watch->pool, cursor, strlen(cursor));
}

/* Shows a message and brings it out, before the position behind it counts. What a signal
 * cut short does not. */
static enum ctl_exit take(struct watch *watch, const SubscribeResponse *message)
{
    const char *cursor = show_message(watch, message);

    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        cursor_keep(watch, cursor);
        return CTL_OK;
    }
    watch->reader_left = is_unread();
    return watch->reader_left || stopped
               ? CTL_OK
               : ctl_complain(watch->ctl, CTL_INPUT, "cannot write the output");
}

static enum ctl_exit watch_run(struct watch *watch)
{
    enum ctl_exit exit = CTL_OK;

    while (exit == CTL_OK && !watch->done && !watch->reader_left && !stopped) {
        SubscribeResponse *message;
        struct cxc_error error;

        if (cxc_subscription_next(watch->subscription, TICK_MS, &message, &error) != CXC_OK) {
            return ctl_fail(watch->ctl, &error, "cannot watch");
        }
        if (message != NULL) {
            exit = take(watch, message);
            cxc_response_free(message);
        } else {
            watch->reader_left = is_unread();
        }
    }
    if (exit == CTL_OK && !watch->reader_left && watch->cursor[0] != '\0') {
        tell_end(watch);
    }
    return exit;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args)
{
    SubscribeRequest request = CONTEXTD__V1__SUBSCRIBE_REQUEST__INIT;
    struct watch watch = {.ctl = ctl};
    struct signals before;
    enum ctl_exit exit = request_fill(ctl, args, &request);

    if (exit == CTL_OK) {
        exit = watch_fill(&watch, args);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    signals_take(&before);
    watch.subscription =
        ctl_require(cxc_subscription_new(ctl->client, &request, &subscription_events, &watch));
    cursor_keep(&watch, cxc_subscription_cursor(watch.subscription));
    exit = watch_run(&watch);
    cxc_subscription_free(watch.subscription);
    signals_give_back(&before);
    ctl_pool_done(&watch.pool);
    return exit;
}

const struct ctl_command ctl_watch = {
    .name = "watch",
    .operands = "[ID...]",
    .operand_max = SIZE_MAX,
    .summary = "show what happens, as it happens",
    .description =
        "Shows each change of the contexts that meet all conditions, and without ID, --prefix,\n"
        "--type and --label of the sessions too, one event a line, until it is interrupted. It\n"
        "outlives the server: it goes on where it was, and repeats nothing. --timeout is for\n"
        "the first contact.\n"
        "At its end it tells on stderr how to go on, with --from and the same conditions. Of\n"
        "an event that is too large for one line of the server all parts but the last end with\n"
        "`...`, or say \"more\" in JSON; --count counts it as one.\n",
    .examples = "  ctxctl watch\n"
                "  ctxctl watch trip-42 --key-prefix messages/\n"
                "  ctxctl watch --snapshot --type chat -o json | my-index\n"
                "  ctxctl watch --from oldest --until-caught-up --event deleted --event expired\n"
                "  ctxctl watch --event session_lost --count 1\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
