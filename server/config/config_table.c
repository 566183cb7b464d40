#include <assert.h>
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "core/base/limits.h"
#include "server/config/setting.h"

#define MINUTE_US (60ULL * CX_SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)

static const char *const durability_names[] = {"synced", "unsynced", NULL};
static const char *const log_format_names[] = {"text", "json", NULL};
static const char *const log_level_names[] = {"debug", "info", "warning", "error", NULL};

/* ---- The table. -------------------------------------------------------------- */

#define AT(member) offsetof(struct cx_config, member)

const struct cx_setting cx_setting_table[] = {
    {"Serving", "listen", CX_SETTING_ADDRESS, "127.0.0.1:7420", 0, 0, NULL, AT(listen), false,
     "Where to serve. Port 0 takes any free one. An address that other machines can reach needs "
     "TLS or --insecure."},
    {"Serving", "port_file", CX_SETTING_PATH, "", 0, PATH_MAX - 8, NULL, AT(port_file), false,
     "A file to write the port into once the server is ready; removed when it stops."},
    {"Serving", "connections_max", CX_SETTING_COUNT, "20000", 1, 1000000, NULL, AT(connections_max),
     false, "Connections at the same time. More are closed at once."},
    {"Serving", "message_size_max", CX_SETTING_SIZE, "4MiB", 64 * CX_KIB, 256 * CX_MIB, NULL,
     AT(message_size_max), false,
     "The largest request or response; at least three times value_size_max and 64KiB."},
    {"Serving", "in_flight_bytes_max", CX_SETTING_SIZE, "256MiB", CX_MIB, 1024 * CX_GIB, NULL,
     AT(in_flight_bytes_max), false,
     "Requests that are being worked on, all together. Above it the answer is OVERLOADED."},
    {"Serving", "stream_stall_max", CX_SETTING_DURATION, "60s", 10 * CX_SECOND_US / 1000, DAY_US,
     NULL, AT(stream_stall_max_us), false,
     "How long a stream may wait for its reader before it ends with STREAM_STALLED."},
    {"Serving", "subscriptions_max", CX_SETTING_COUNT, "20000", 1, 1000000, NULL,
     AT(subscriptions_max), false, "Subscriptions at the same time. More get LIMIT_REACHED."},
    {"Serving", "subscription_stall_max", CX_SETTING_DURATION, "0", 0, 365 * DAY_US, NULL,
     AT(subscription_stall_max_us), false,
     "How long a subscription may wait for its reader before it ends with STREAM_STALLED. 0: for "
     "ever; it costs a few kilobytes."},
    {"Serving", "shutdown_grace", CX_SETTING_DURATION, "10s", 0, HOUR_US, NULL,
     AT(shutdown_grace_us), true,
     "How long calls may go on after a signal to stop before they are cancelled."},
    {"Serving", "pollers", CX_SETTING_THREADS, "0", 0, 256, NULL, AT(pollers), false,
     "Threads that serve calls. 0: one for every two cores."},

    {"Encrypting", "tls_cert", CX_SETTING_PATH, "", 0, PATH_MAX - 1, NULL, AT(tls_cert), false,
     "A PEM file with the server's certificate, and those that signed it behind it: the port takes "
     "TLS and nothing else. What is in the file is looked at every second."},
    {"Encrypting", "tls_key", CX_SETTING_PATH, "", 0, PATH_MAX - 1, NULL, AT(tls_key), false,
     "A PEM file with the key of that certificate, without a passphrase; looked at likewise."},
    {"Encrypting", "tls_client_ca", CX_SETTING_PATH, "", 0, PATH_MAX - 1, NULL, AT(tls_client_ca),
     false,
     "A PEM file with the authorities that sign the certificates of clients: one without is "
     "refused. Looked at likewise."},

    {"Storing", "data_dir", CX_SETTING_PATH, "./data", 1, PATH_MAX - 64, NULL, AT(data_dir), false,
     "The directory that holds everything; created when missing. One server at a time uses it."},
    {"Storing", "durability", CX_SETTING_CHOICE, "synced", 0, 1, durability_names, AT(durability),
     false,
     "synced: what is answered is on stable storage. unsynced: nothing is ever synced; a crash of "
     "the machine loses what was answered. For caches and tests."},

    {"Keeping", "value_size_max", CX_SETTING_SIZE, "1MiB", CX_KIB, 64 * CX_MIB, NULL,
     AT(value_size_max), false, "The largest value of an entry."},
    {"Keeping", "version_retention", CX_SETTING_COUNT, "16", 1, 10000, NULL, AT(version_retention),
     false, "States of a context that can still be read, the newest included."},
    {"Keeping", "undelete_window", CX_SETTING_DURATION, "24h", 0, 3650 * DAY_US, NULL,
     AT(undelete_window_us), false, "How long a deleted context is kept whole."},
    {"Keeping", "tombstone_window", CX_SETTING_DURATION, "30d", 0, 3650 * DAY_US, NULL,
     AT(tombstone_window_us), false,
     "How long the version and the request ids of a deleted context are kept."},
    {"Keeping", "request_id_window", CX_SETTING_DURATION, "10m", CX_SECOND_US / 1000, 30 * DAY_US,
     NULL, AT(request_id_window_us), false,
     "How long a write that is repeated with the same request id is recognised."},
    {"Keeping", "request_ids_max", CX_SETTING_COUNT, "8000000", 1, 1000000000, NULL,
     AT(request_ids_max), false,
     "Request ids that are remembered. Each of the 64 shards keeps its part, and drops the "
     "oldest early beyond it."},
    {"Keeping", "history_count_max", CX_SETTING_COUNT, "1000000", 1, 100000000, NULL,
     AT(history_count_max), false,
     "Activities in the history of a context. Beyond it the oldest are dropped."},
    {"Keeping", "history_bytes_max", CX_SETTING_SIZE, "256MiB", CX_MIB, 1024 * CX_GIB, NULL,
     AT(history_bytes_max), false,
     "The same for the data and metadata of the activities; the newest is always kept."},
    {"Keeping", "recovery_points_max", CX_SETTING_COUNT, "1000", 1, 1000000, NULL,
     AT(recovery_points_max), false,
     "Recovery points of a context that has no retention policy of its own: the newest so many are "
     "kept, and those that are pinned."},
    {"Keeping", "feed_retention_bytes", CX_SETTING_SIZE, "1GiB", CX_MIB, 1024 * CX_GIB, NULL,
     AT(feed_retention_bytes), false,
     "How much of the log subscriptions can go back in: about so many bytes, while they are "
     "younger than feed_retention_age. A cursor below that gets CURSOR_COMPACTED."},
    {"Keeping", "feed_retention_age", CX_SETTING_DURATION, "24h", CX_SECOND_US, 3650 * DAY_US, NULL,
     AT(feed_retention_age_us), false, "The same by age."},
    {"Keeping", "memory_limit", CX_SETTING_MEMORY, "75%", 16 * CX_MIB, 1024 * 1024 * CX_GIB, NULL,
     AT(memory_limit), false,
     "Memory for what is stored, as a size or a share of the machine's (or the container's). "
     "Writes beyond it are refused with LIMIT_REACHED."},

    {"Logging", "log_format", CX_SETTING_CHOICE, "text", 0, 1, log_format_names, AT(log_format),
     true, "How lines on standard error look: for people, or for machines."},
    {"Logging", "log_level", CX_SETTING_CHOICE, "info", 0, 3, log_level_names, AT(log_level), true,
     "The least important lines that are written."},
};

const size_t cx_setting_count = sizeof cx_setting_table / sizeof cx_setting_table[0];

static_assert(sizeof cx_setting_table / sizeof cx_setting_table[0] <= CX_CONFIG_SETTINGS_MAX,
              "each row has an origin");

const struct cx_switch cx_switch_table[] = {
    {"--config FILE", "Read settings from this YAML file (CONTEXTD_CONFIG does the same)."},
    {"--check-config", "Check the configuration, list everything that is wrong, and end."},
    {"--print-config", "Print what is in force and where each value comes from, and end."},
    {"--insecure", "Allow an address that other machines can reach, without TLS."},
    {"--accept-data-loss", "Start although stored data is damaged: what cannot be read is lost."},
    {"-h, --help", "Print this, and end."},
    {"--version", "Print the version, and end."},
};

const size_t cx_switch_count = sizeof cx_switch_table / sizeof cx_switch_table[0];

/* ---- Names. -------------------------------------------------------------------- */

static void name_write(const char *prefix, const char *name, char underscore, bool upper,
                       char ret_text[CX_SETTING_NAME_MAX])
{
    size_t size = strlen(prefix);

    assert(size + strlen(name) < CX_SETTING_NAME_MAX);
    memcpy(ret_text, prefix, size);
    for (; *name != '\0'; name++) {
        char c = upper ? (char)toupper((unsigned char)*name) : *name;

        ret_text[size++] = c == '_' ? underscore : c;
    }
    ret_text[size] = '\0';
}

void cx_setting_flag(const struct cx_setting *setting, char ret_flag[CX_SETTING_NAME_MAX])
{
    name_write("--", setting->name, '-', false, ret_flag);
}

void cx_setting_variable(const struct cx_setting *setting, char ret_variable[CX_SETTING_NAME_MAX])
{
    name_write("CONTEXTD_", setting->name, '_', true, ret_variable);
}

const struct cx_setting *cx_setting_find(const char *name)
{
    for (size_t i = 0; i < cx_setting_count; i++) {
        if (strcmp(cx_setting_table[i].name, name) == 0) {
            return &cx_setting_table[i];
        }
    }
    return NULL;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* How many letters must be put in, left out or changed: Levenshtein's distance, row by
 * row. */
static size_t distance(const char *a, const char *b)
{
    size_t b_size = strlen(b);
    size_t row[CX_SETTING_NAME_MAX];

    assert(b_size < CX_SETTING_NAME_MAX);
    for (size_t j = 0; j <= b_size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t above = row[j];

            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_size];
}

const struct cx_setting *cx_setting_nearest(const char *name)
{
    const struct cx_setting *nearest = NULL;
    size_t least = 4; /* More are another word. */

    for (size_t i = 0; i < cx_setting_count; i++) {
        size_t d = distance(name, cx_setting_table[i].name);

        if (d < least) {
            least = d;
            nearest = &cx_setting_table[i];
        }
    }
    return nearest;
}
