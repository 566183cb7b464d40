/* For accept4(): */
#define _GNU_SOURCE

#include "server/rpc/connections.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    PORTS_MAX = 16,
    FD_MAX = 1 << 20, /* A connection with a descriptor above is refused. */
};

/* Never freed, since a connection may close after its server is gone. Free when there
 * is neither a port nor a connection. */
struct cx_connections {
    atomic_int port; /* 0: none. */
    _Atomic uint64_t max;
    _Atomic uint64_t open;
    _Atomic uint64_t refused;
};

static struct cx_connections table[PORTS_MAX];

/* What a descriptor counts for; NULL for all that are no connection of ours. Pages
 * that hold no such descriptor cost no memory. */
static _Atomic(struct cx_connections *) owners[FD_MAX];

struct cx_connections *cx_connections_limit(int port, uint64_t max)
{
    assert(port > 0);
    for (size_t i = 0; i < PORTS_MAX; i++) {
        int none = 0;

        if (atomic_load(&table[i].open) == 0 &&
            atomic_compare_exchange_strong(&table[i].port, &none, port)) {
            atomic_store(&table[i].refused, 0);
            atomic_store(&table[i].max, max);
            return &table[i];
        }
    }
    return NULL;
}

uint64_t cx_connections_open(const struct cx_connections *connections)
{
    return atomic_load(&connections->open);
}

uint64_t cx_connections_refused(const struct cx_connections *connections)
{
    return atomic_load(&connections->refused);
}

void cx_connections_unlimit(struct cx_connections *connections)
{
    if (connections != NULL) {
        atomic_store(&connections->port, 0);
    }
}

/* The limit of the port that a socket listens on, or NULL. */
static struct cx_connections *connections_of(int listener)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } address;
    socklen_t size = sizeof address;
    int port;

    if (getsockname(listener, &address.any, &size) != 0) {
        return NULL;
    }
    switch (address.any.sa_family) {
    case AF_INET:
        port = ntohs(address.v4.sin_port);
        break;
    case AF_INET6:
        port = ntohs(address.v6.sin6_port);
        break;
    default:
        return NULL;
    }
    for (size_t i = 0; i < PORTS_MAX; i++) {
        if (atomic_load(&table[i].port) == port) {
            return &table[i];
        }
    }
    return NULL;
}

/* Counts a new connection, unless it is one too many. */
static bool connection_admit(struct cx_connections *connections, int fd)
{
    uint64_t before = atomic_fetch_add(&connections->open, 1);

    if (before >= atomic_load(&connections->max) || fd >= FD_MAX) {
        atomic_fetch_sub(&connections->open, 1);
        atomic_fetch_add(&connections->refused, 1);
        return false;
    }
    atomic_store(&owners[fd], connections);
    return true;
}

/* Straight to the kernel, since the names are ours. */
static int kernel_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    return (int)syscall(SYS_accept4, fd, address, size, flags);
}

static int kernel_close(int fd)
{
    return (int)syscall(SYS_close, fd);
}

int accept4(int listener, struct sockaddr *address, socklen_t *size, int flags)
{
    struct cx_connections *connections = connections_of(listener);
    socklen_t room = size != NULL ? *size : 0;

    for (;;) {
        int fd = kernel_accept4(listener, address, size, flags);

        if (fd < 0 || connections == NULL || connection_admit(connections, fd)) {
            return fd;
        }
        kernel_close(fd);
        if (size != NULL) {
            *size = room;
        }
    }
}

int close(int fd)
{
    /* The count goes first: as soon as the descriptor is closed, another thread may
     * accept a connection under the same number. */
    if (fd >= 0 && fd < FD_MAX && atomic_load_explicit(&owners[fd], memory_order_relaxed) != NULL) {
        struct cx_connections *connections = atomic_exchange(&owners[fd], NULL);

        if (connections != NULL) {
            atomic_fetch_sub(&connections->open, 1);
        }
    }
    return kernel_close(fd);
}
