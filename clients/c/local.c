#include "clients/c/local.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

enum { LOOPBACK_FIRST = 127, MAPPED_SIZE = 12 };

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Host and port, where the address says how to look the host up. */
static const char *authority(const char *address)
{
    static const char *const schemes[] = {"dns:", "ipv4:", "ipv6:"};

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (begins_with(address, schemes[i])) {
            const char *slash = strrchr(address, '/'); /* Behind the name server, if any. */

            return slash != NULL ? slash + 1 : address + strlen(schemes[i]);
        }
    }
    return address;
}

/* Copies the host of HOST, HOST:PORT, [HOST]:PORT or a bare IPv6 address. False: it is too long
 * for one that is local. */
static bool host_copy(const char *from, char host[INET6_ADDRSTRLEN])
{
    const char *colon = strchr(from, ':');
    size_t size = strlen(from);

    if (from[0] == '[') {
        from++;
        size = strcspn(from, "]");
    } else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        size = (size_t)(colon - from);
    }
    if (size >= INET6_ADDRSTRLEN) {
        return false;
    }
    memcpy(host, from, size);
    host[size] = '\0';
    return true;
}

static bool is_loopback(const char *host)
{
    static const unsigned char mapped[MAPPED_SIZE] = {[10] = 0xff, [11] = 0xff};
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == LOOPBACK_FIRST;
    }
    if (inet_pton(AF_INET6, host, &v6) != 1) {
        return false;
    }
    return IN6_IS_ADDR_LOOPBACK(&v6) || (memcmp(v6.s6_addr, mapped, sizeof mapped) == 0 &&
                                         v6.s6_addr[MAPPED_SIZE] == LOOPBACK_FIRST);
}

bool cxc_address_is_local(const char *address)
{
    char host[INET6_ADDRSTRLEN];

    if (begins_with(address, "unix:") || begins_with(address, "unix-abstract:")) {
        return true;
    }
    if (strchr(address, ',') != NULL) {
        return false; /* Several, and not all need be of this machine. */
    }
    return host_copy(authority(address), host) &&
           (strcmp(host, "localhost") == 0 || is_loopback(host));
}
