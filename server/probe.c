#include "server/probe.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Splits "[::1]:7420" into "::1" and "7420", which is what getaddrinfo() takes. */
static void split(const char *listen, char *host, size_t size, const char **ret_port)
{
    const char *colon = strrchr(listen, ':');
    bool brackets = listen[0] == '[';

    assert(colon != NULL); /* The configuration has checked it. */
    snprintf(host, size, "%.*s", (int)(colon - listen) - (brackets ? 2 : 0), listen + brackets);
    *ret_port = colon + 1;
}

/* Binds like the server will: connections of an earlier one that linger do not matter,
 * somebody who listens does. Does not listen, or clients that wait for the server would
 * come here. Returns 0 or an errno. */
static int try_address(const struct addrinfo *address)
{
    int one = 1;
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    int error = 0;

    if (fd < 0) {
        return errno;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) != 0) {
        error = errno;
    }
    close(fd);
    return error;
}

bool cx_probe_address(const char *listen, char ret_problem[CX_PROBE_TEXT_MAX])
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    const char *port;
    char host[CX_PROBE_TEXT_MAX];
    int error;

    split(listen, host, sizeof host, &port);
    error = getaddrinfo(host, port, &hints, &found);
    if (error != 0) {
        snprintf(ret_problem, CX_PROBE_TEXT_MAX, "cannot listen on %.300s: %s", listen,
                 gai_strerror(error));
        return false;
    }
    error = EADDRNOTAVAIL;
    for (const struct addrinfo *each = found; each != NULL && error != 0; each = each->ai_next) {
        error = try_address(each);
    }
    freeaddrinfo(found);
    if (error != 0) {
        snprintf(ret_problem, CX_PROBE_TEXT_MAX, "cannot listen on %.300s: %s", listen,
                 error == EADDRINUSE ? "the port is in use, perhaps by another server"
                                     : strerror(error));
    }
    return error == 0;
}
