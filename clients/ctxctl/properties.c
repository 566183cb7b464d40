#include "clients/ctxctl/properties.h"

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/policy.h"
#include "clients/ctxctl/request.h"

static enum ctl_exit set_one(struct ctl *ctl, size_t property, const char *text,
                             NewContext *context)
{
    switch (property) {
    case CTL_PROPERTY_TYPE:
        context->type = (char *)text;
        return CTL_OK;
    case CTL_PROPERTY_PARENT:
        context->parent_id = (char *)text;
        return CTL_OK;
    case CTL_PROPERTY_CREATE_PARENT:
        context->create_parent = true;
        return CTL_OK;
    case CTL_PROPERTY_LABEL:
        return ctl_option_label(ctl, &context->base, text);
    case CTL_PROPERTY_POLICY:
        return ctl_option_policy(ctl, "set-policy", text, &context->recovery_policy);
    default: /* The expiry, which is made of two options. */
        return CTL_OK;
    }
}

static enum ctl_exit set_expiry(struct ctl *ctl, const char *ttl, bool sliding, NewContext *context)
{
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

enum ctl_exit ctl_option_properties(struct ctl *ctl, const struct ctl_args *args, size_t first,
                                    NewContext *context)
{
    enum ctl_exit exit = CTL_OK;

    for (size_t i = 0; i < args->setting_count && exit == CTL_OK; i++) {
        size_t option = args->settings[i].option;

        if (option >= first && option < first + CTL_PROPERTY_COUNT) {
            exit = set_one(ctl, option - first, args->settings[i].value, context);
        }
    }
    if (exit != CTL_OK) {
        return exit;
    }
    return set_expiry(ctl, ctl_args_value(args, first + CTL_PROPERTY_TTL),
                      ctl_args_value(args, first + CTL_PROPERTY_SLIDING) != NULL, context);
}
