/* Values as people write them, and back. */

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "server/config/setting.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* From the smallest to the largest. */
static const struct unit size_units[] = {
    {"B", 1}, {"KiB", CX_KIB}, {"MiB", CX_MIB}, {"GiB", CX_GIB}, {NULL, 0},
};
static const struct unit duration_units[] = {
    {"ms", 1000},
    {"s", CX_SECOND_US},
    {"m", 60ULL * CX_SECOND_US},
    {"h", 3600ULL * CX_SECOND_US},
    {"d", 86400ULL * CX_SECOND_US},
    {NULL, 0},
};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(enum cx_setting_type type)
{
    switch (type) {
    case CX_SETTING_SIZE:
    case CX_SETTING_MEMORY:
        return size_units;
    case CX_SETTING_DURATION:
        return duration_units;
    default:
        return no_units;
    }
}

static const char *shape_of(enum cx_setting_type type)
{
    switch (type) {
    case CX_SETTING_SIZE:
        return "a size, such as 64KiB, 4MiB, 1GiB";
    case CX_SETTING_MEMORY:
        return "a size or a share, such as 512MiB, 8GiB, 75%";
    case CX_SETTING_DURATION:
        return "a time, such as 500ms, 10s, 5m, 24h, 30d";
    default:
        return "a whole number";
    }
}

/* ---- Numbers. ------------------------------------------------------------------ */

/* Reads "<digits><unit>"; blanks may stand between. A zero needs no unit, nor do bytes. */
static bool number_parse(const char *text, const struct unit *units, uint64_t *ret_value)
{
    char *end;

    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno != 0) {
        return false;
    }
    while (*end == ' ') {
        end++;
    }
    if (*end == '\0' && (number == 0 || units[0].factor == 1)) {
        *ret_value = number;
        return true;
    }
    for (; units->name != NULL; units++) {
        if (strcmp(end, units->name) == 0 && number <= UINT64_MAX / units->factor) {
            *ret_value = number * units->factor;
            return true;
        }
    }
    return false;
}

/* The limit of a control group in bytes, or UINT64_MAX. */
static uint64_t group_memory(const char *path)
{
    FILE *file = fopen(path, "re");
    char line[64] = "";
    uint64_t value;

    if (file == NULL) {
        return UINT64_MAX;
    }
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    return read && number_parse(line, no_units, &value) ? value : UINT64_MAX;
}

/* What this machine, or the container that this process runs in, has. */
static uint64_t machine_memory(void)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGE_SIZE);
    uint64_t v2 = group_memory("/sys/fs/cgroup/memory.max");
    uint64_t v1 = group_memory("/sys/fs/cgroup/memory/memory.limit_in_bytes");

    memory = v2 < memory ? v2 : memory;
    return v1 < memory ? v1 : memory;
}

/* "75%", rounded down to whole MiB. */
static bool share_parse(const char *text, uint64_t *ret_value)
{
    static const struct unit percent[] = {{"%", 1}, {NULL, 0}};
    uint64_t share;

    if (strchr(text, '%') == NULL || !number_parse(text, percent, &share) || share < 1 ||
        share > 100) {
        return false;
    }
    *ret_value = machine_memory() / 100 * share / CX_MIB * CX_MIB;
    return true;
}

static uint64_t half_of_the_cores(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores >= 2 ? (uint64_t)cores / 2 : 1;
}

static bool number_set(const struct cx_setting *setting, const char *text, uint64_t *value,
                       char ret_rule[CX_SETTING_RULE_MAX])
{
    uint64_t parsed;
    bool is_share = setting->type == CX_SETTING_MEMORY && share_parse(text, &parsed);

    if (!is_share && !number_parse(text, units_of(setting->type), &parsed)) {
        snprintf(ret_rule, CX_SETTING_RULE_MAX, "'%.64s' is not %s", text, shape_of(setting->type));
        return false;
    }
    if (parsed < setting->min || parsed > setting->max) {
        char min[CX_SETTING_TEXT_MAX];
        char max[CX_SETTING_TEXT_MAX];

        cx_setting_format_number(setting, setting->min, min);
        cx_setting_format_number(setting, setting->max, max);
        snprintf(ret_rule, CX_SETTING_RULE_MAX, "'%.64s' is out of bounds: %.64s to %.64s", text,
                 min, max);
        return false;
    }
    *value = setting->type == CX_SETTING_THREADS && parsed == 0 ? half_of_the_cores() : parsed;
    return true;
}

static bool choice_set(const struct cx_setting *setting, const char *text, uint64_t *value,
                       char ret_rule[CX_SETTING_RULE_MAX])
{
    size_t size = 0;

    for (uint64_t i = 0; setting->choices[i] != NULL; i++) {
        if (strcmp(setting->choices[i], text) == 0) {
            *value = i;
            return true;
        }
    }
    size += (size_t)snprintf(ret_rule, CX_SETTING_RULE_MAX, "'%.64s' is none of", text);
    for (size_t i = 0; setting->choices[i] != NULL && size < CX_SETTING_RULE_MAX; i++) {
        size += (size_t)snprintf(ret_rule + size, CX_SETTING_RULE_MAX - size, "%s %s",
                                 i > 0 ? "," : "", setting->choices[i]);
    }
    return false;
}

/* ---- Paths and addresses. ------------------------------------------------------- */

static bool path_set(const struct cx_setting *setting, const char *text, char *value,
                     char ret_rule[CX_SETTING_RULE_MAX])
{
    size_t size = strlen(text);

    if (size < setting->min || size > setting->max) {
        snprintf(ret_rule, CX_SETTING_RULE_MAX, "%s",
                 size == 0 ? "must not be empty" : "is too long for a path");
        return false;
    }
    if (!cx_text_is_utf8(cx_bytes_of(text))) {
        snprintf(ret_rule, CX_SETTING_RULE_MAX, "must be UTF-8");
        return false;
    }
    memcpy(value, text, size + 1);
    return true;
}

static bool port_is_valid(const char *text)
{
    uint64_t port;

    return strlen(text) <= 5 && number_parse(text, no_units, &port) && port <= 65535;
}

/* What is wrong with an address, or NULL. */
static const char *address_check(const char *text)
{
    const char *colon = strrchr(text, ':');
    bool brackets = text[0] == '[';

    if (strlen(text) >= CX_CONFIG_ADDRESS_MAX) {
        return "is too long";
    }
    if (colon == NULL || colon == text || !port_is_valid(colon + 1)) {
        return "is not HOST:PORT, such as 127.0.0.1:7420 or [::1]:7420";
    }
    if (brackets ? colon[-1] != ']' : memchr(text, ':', (size_t)(colon - text)) != NULL) {
        return "needs brackets around the IPv6 address, such as [::1]:7420";
    }
    if (strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_:[]") !=
        strlen(text)) {
        return "holds a character that no address has";
    }
    return NULL;
}

static bool address_set(const char *text, char value[CX_CONFIG_ADDRESS_MAX],
                        char ret_rule[CX_SETTING_RULE_MAX])
{
    const char *rule = address_check(text);

    if (rule != NULL) {
        snprintf(ret_rule, CX_SETTING_RULE_MAX, "'%.64s' %s", text, rule);
        return false;
    }
    memcpy(value, text, strlen(text) + 1);
    return true;
}

/* An IPv6 address in brackets, in whatever form: ::1, or 127.x.x.x as IPv6 writes it. */
static bool is_loopback_6(const char *address)
{
    const char *end = strchr(address, ']');
    char host[INET6_ADDRSTRLEN];
    struct in6_addr found;

    snprintf(host, sizeof host, "%.*s", end != NULL ? (int)(end - address - 1) : 0, address + 1);
    return inet_pton(AF_INET6, host, &found) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&found) ||
            (IN6_IS_ADDR_V4MAPPED(&found) && found.s6_addr[12] == 127));
}

bool cx_address_is_loopback(const char *address)
{
    size_t host_size = strspn(address, "0123456789.");

    if (address[0] == '[') {
        return is_loopback_6(address);
    }
    if (strncmp(address, "127.", 4) == 0) {
        return address[host_size] == ':'; /* And not the name 127.example.com. */
    }
    return strncasecmp(address, "localhost:", 10) == 0;
}

/* ---- Any. ------------------------------------------------------------------------ */

bool cx_setting_parse(const struct cx_setting *setting, const char *text, struct cx_config *config,
                      char ret_rule[CX_SETTING_RULE_MAX])
{
    void *value = (char *)config + setting->offset;

    switch (setting->type) {
    case CX_SETTING_CHOICE:
        return choice_set(setting, text, value, ret_rule);
    case CX_SETTING_PATH:
        return path_set(setting, text, value, ret_rule);
    case CX_SETTING_ADDRESS:
        return address_set(text, value, ret_rule);
    default:
        return number_set(setting, text, value, ret_rule);
    }
}

void cx_setting_format_number(const struct cx_setting *setting, uint64_t value,
                              char ret_text[CX_SETTING_TEXT_MAX])
{
    const struct unit *units = units_of(setting->type);
    const struct unit *best = &units[0];

    for (const struct unit *unit = units; unit->name != NULL; unit++) {
        if (value != 0 && value % unit->factor == 0) {
            best = unit;
        }
    }
    /* Settings in microseconds are set in whole milliseconds. */
    assert(value % best->factor == 0);
    snprintf(ret_text, CX_SETTING_TEXT_MAX, "%" PRIu64 "%s", value / best->factor,
             value == 0 ? "" : best->name);
}

/* People know a default as the table writes it: 24h, not 1d. */
static bool is_default(const struct cx_setting *setting, uint64_t value)
{
    uint64_t number;

    return number_parse(setting->default_text, units_of(setting->type), &number) && number == value;
}

void cx_setting_format(const struct cx_setting *setting, const struct cx_config *config,
                       char ret_text[CX_SETTING_TEXT_MAX])
{
    const void *value = (const char *)config + setting->offset;

    switch (setting->type) {
    case CX_SETTING_PATH:
    case CX_SETTING_ADDRESS:
        snprintf(ret_text, CX_SETTING_TEXT_MAX, "%s", (const char *)value);
        return;
    case CX_SETTING_CHOICE:
        snprintf(ret_text, CX_SETTING_TEXT_MAX, "%s", setting->choices[*(const uint64_t *)value]);
        return;
    default:
        if (is_default(setting, *(const uint64_t *)value)) {
            snprintf(ret_text, CX_SETTING_TEXT_MAX, "%s", setting->default_text);
            return;
        }
        cx_setting_format_number(setting, *(const uint64_t *)value, ret_text);
    }
}
