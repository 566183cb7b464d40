#include "clients/ctxctl/policy.h"

#include <inttypes.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/show_session.h"

/* ---- What is written. ------------------------------------------------------- */

static RetentionPolicy *retention_of(struct ctl_pool *pool, RecoveryPolicy *policy)
{
    if (policy->retention == NULL) {
        policy->retention = ctl_message_new(pool, &contextd__v1__retention_policy__descriptor);
    }
    return policy->retention;
}

static enum ctl_exit rule_complain_twice(const struct ctl *ctl, const char *option,
                                         const char *rule)
{
    return ctl_complain(ctl, CTL_USAGE, "--%s: %s is said twice", option, rule);
}

static enum ctl_exit rule_set_number(const struct ctl *ctl, const char *option, const char *rule,
                                     const char *value, uint64_t *ret_number)
{
    if (*ret_number != 0) {
        return rule_complain_twice(ctl, option, rule);
    }
    if (!ctl_parse_number(value, ret_number) || *ret_number == 0) {
        return ctl_complain(ctl, CTL_USAGE, "--%s: %s takes a number above 0, not '%s'", option,
                            rule, value);
    }
    return CTL_OK;
}

static enum ctl_exit rule_set_time(struct ctl *ctl, const char *option, const char *rule,
                                   const char *value, Duration **ret_duration)
{
    int64_t ms;

    if (*ret_duration != NULL) {
        return rule_complain_twice(ctl, option, rule);
    }
    if (!ctl_parse_duration(value, &ms)) {
        return ctl_complain(ctl, CTL_USAGE, "--%s: %s takes a time such as 10m or 7d, not '%s'",
                            option, rule, value);
    }
    *ret_duration = ctl_duration(&ctl->pool, ms);
    return CTL_OK;
}

static enum ctl_exit rule_set(struct ctl *ctl, const char *option, const char *rule,
                              const char *value, RecoveryPolicy *policy)
{
    struct ctl_pool *pool = &ctl->pool;

    if (strcmp(rule, "keep-last") == 0) {
        return rule_set_number(ctl, option, rule, value, &retention_of(pool, policy)->keep_last);
    }
    if (strcmp(rule, "keep-every") == 0) {
        return rule_set_number(ctl, option, rule, value, &retention_of(pool, policy)->keep_every);
    }
    if (strcmp(rule, "keep-within") == 0) {
        return rule_set_time(ctl, option, rule, value, &retention_of(pool, policy)->keep_within);
    }
    if (strcmp(rule, "point-every-changes") == 0) {
        return rule_set_number(ctl, option, rule, value, &policy->point_every_changes);
    }
    if (strcmp(rule, "point-every") == 0) {
        return rule_set_time(ctl, option, rule, value, &policy->point_every);
    }
    return ctl_complain(ctl, CTL_USAGE,
                        "--%s: a rule is keep-last, keep-every, keep-within, point-every-changes "
                        "or point-every, not '%s'",
                        option, rule);
}

enum ctl_exit ctl_option_policy(struct ctl *ctl, const char *name, const char *value,
                                RecoveryPolicy **ret_policy)
{
    RecoveryPolicy *policy =
        ctl_message_new(&ctl->pool, &contextd__v1__recovery_policy__descriptor);
    char *text = ctl_pool_text(&ctl->pool, value, strlen(value));
    char *rest = NULL;
    size_t count = 0;
    enum ctl_exit exit = CTL_OK;

    for (char *rule = strtok_r(text, ",", &rest); rule != NULL && exit == CTL_OK;
         rule = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(rule, '=');

        if (equals == NULL) {
            return ctl_complain(ctl, CTL_USAGE, "--%s takes rules such as keep-last=10, not '%s'",
                                name, rule);
        }
        *equals = '\0';
        exit = rule_set(ctl, name, rule, equals + 1, policy);
        count++;
    }
    if (exit == CTL_OK && count == 0) {
        return ctl_complain(ctl, CTL_USAGE, "--%s has no rule, such as keep-last=10", name);
    }
    *ret_policy = policy;
    return exit;
}

/* ---- What is shown. --------------------------------------------------------- */

/* A time as it can be typed, such as `7d` or `1h30m`. */
static char *span_text(struct ctl_pool *pool, const Duration *duration)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    int64_t left = ctl_duration_us(duration) / 1000;
    char *text = "";

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (left >= units[i].ms) {
            text =
                ctl_pool_format(pool, "%s%" PRId64 "%s", text, left / units[i].ms, units[i].name);
            left %= units[i].ms;
        }
    }
    return text[0] != '\0' ? text : "0ms";
}

static char *rule_add(struct ctl_pool *pool, const char *text, const char *rule, const char *value)
{
    return ctl_pool_format(pool, "%s%s%s=%s", text, text[0] != '\0' ? "," : "", rule, value);
}

static char *rule_add_number(struct ctl_pool *pool, char *text, const char *rule, uint64_t number)
{
    return number > 0 ? rule_add(pool, text, rule, ctl_pool_format(pool, "%" PRIu64, number))
                      : text;
}

static char *rule_add_time(struct ctl_pool *pool, char *text, const char *rule,
                           const Duration *duration)
{
    return duration != NULL ? rule_add(pool, text, rule, span_text(pool, duration)) : text;
}

char *ctl_policy_text(struct ctl_pool *pool, const RecoveryPolicy *policy)
{
    char *text = "";

    if (policy == NULL) {
        return text;
    }
    if (policy->retention != NULL) {
        text = rule_add_number(pool, text, "keep-last", policy->retention->keep_last);
        text = rule_add_number(pool, text, "keep-every", policy->retention->keep_every);
        text = rule_add_time(pool, text, "keep-within", policy->retention->keep_within);
    }
    text = rule_add_number(pool, text, "point-every-changes", policy->point_every_changes);
    return rule_add_time(pool, text, "point-every", policy->point_every);
}

static void set_number(json_t *object, const char *name, uint64_t number)
{
    if (number > 0) {
        ctl_json_set_number(object, name, number);
    }
}

static void set_time(json_t *object, const char *name, const Duration *duration)
{
    if (duration != NULL) {
        ctl_json_set_number(object, name, (uint64_t)ctl_duration_us(duration));
    }
}

json_t *ctl_policy_json(const RecoveryPolicy *policy)
{
    json_t *object = json_object();

    if (policy->retention != NULL) {
        json_t *retention = json_object();

        set_number(retention, "keep_last", policy->retention->keep_last);
        set_number(retention, "keep_every", policy->retention->keep_every);
        set_time(retention, "keep_within_us", policy->retention->keep_within);
        json_object_set_new(object, "retention", retention);
    }
    set_number(object, "point_every_changes", policy->point_every_changes);
    set_time(object, "point_every_us", policy->point_every);
    return object;
}
