/* The services of the API, and what they need.
 *
 * Threads: the app is set up before the server starts, and not changed after. */

#ifndef CX_SERVICES_SERVICES_H
#define CX_SERVICES_SERVICES_H

#include <stddef.h>
#include <stdint.h>

struct cx_engine;
struct cx_service;

/* One line of GetServerInfo: a name of the configuration and what is in force. */
struct cx_app_setting {
    const char *name;
    const char *value;
};

/* What cx_call_app() returns. All of it is borrowed. */
struct cx_app {
    struct cx_engine *engine;
    const char *version;               /* Of the server. */
    int64_t stream_stall_max_us;       /* How long a stream's reader may do nothing. */
    int64_t subscription_stall_max_us; /* The same of a subscription's. 0: for ever. */
    const struct cx_app_setting *settings;
    size_t setting_count;
};

extern const struct cx_service cx_context_manager_service;
extern const struct cx_service cx_tracker_service;
extern const struct cx_service cx_recovery_service;

#endif /* CX_SERVICES_SERVICES_H */
