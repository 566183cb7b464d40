/* The properties of a context that is made, as options of the commands that make one. */

#ifndef CTL_PROPERTIES_H
#define CTL_PROPERTIES_H

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* Which of the options it is, from the first one on. */
enum ctl_property {
    CTL_PROPERTY_TYPE,
    CTL_PROPERTY_PARENT,
    CTL_PROPERTY_CREATE_PARENT,
    CTL_PROPERTY_LABEL,
    CTL_PROPERTY_TTL,
    CTL_PROPERTY_SLIDING,
    CTL_PROPERTY_POLICY,
    CTL_PROPERTY_COUNT,
};

/* Rows for the tables of options, in this order. */
#define CTL_OPTIONS_PROPERTIES                                                                     \
    {"type", "TYPE", "what kind of context it is, such as chat"},                                  \
        {"parent", "ID", "the context it belongs to"},                                             \
        {"create-parent", NULL, "create the parent when it is missing"},                           \
        {"label", "KEY=VALUE", "a label; may be repeated"},                                        \
        {"ttl", "TIME", "delete it by itself after this, such as 10m or 7d"},                      \
        {"sliding", NULL, "count the time from the last change"},                                  \
    {                                                                                              \
        "set-policy", "RULES", "its recovery points, such as keep-last=10,point-every=10m"         \
    }

/* What they say; `first` is the index of --type. */
enum ctl_exit ctl_option_properties(struct ctl *ctl, const struct ctl_args *args, size_t first,
                                    NewContext *context);

#endif /* CTL_PROPERTIES_H */
