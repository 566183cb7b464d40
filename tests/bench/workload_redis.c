/* Redis' protocol: HSET of one field, on `in_flight` connections with `per_request`
 * commands in a pipeline each. */

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/messages.h"
#include "tests/bench/workload.h"

enum { EVENTS_MAX = 256, ANSWER_SIZE_MAX = 4096 };

struct redis {
    const struct workload_options *options;
    struct workload_result *result;
    struct message *message;
    bool fill;
    uint64_t seed;
    uint64_t begun; /* Pipelines. */
    unsigned busy;  /* Connections that wait for answers. */
    int epoll;
};

struct connection {
    int fd;
    unsigned awaited; /* Answers that are still to come. */
    double start;
};

static int connect_to(const char *address)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char host[256];
    const char *colon = strrchr(address, ':');
    int on = 1;
    int fd;

    assert(colon != NULL);
    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return fd;
}

static bool send_all(int fd, struct cxc_bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR) {
            return false;
        }
        bytes.data += sent > 0 ? sent : 0;
        bytes.size -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

/* Sends the next pipeline, unless there is none. */
static bool connection_send(struct redis *redis, struct connection *connection)
{
    struct cxc_bytes commands;

    if (!workload_goes_on(redis->result, redis->options, redis->begun)) {
        return true;
    }
    commands = redis->fill ? message_numbered(redis->message, redis->options, redis->begun)
                           : message_random(redis->message, redis->options, &redis->seed);
    redis->begun++;
    redis->busy++;
    connection->start = workload_now();
    connection->awaited = redis->options->per_request;
    return send_all(connection->fd, commands);
}

/* Reads what has come. False: the connection is of no use any more. Answers to HSET are
 * lines, and those that begin with a minus are failures. */
static bool connection_receive(struct redis *redis, struct connection *connection)
{
    char memory[ANSWER_SIZE_MAX];
    ssize_t size = recv(connection->fd, memory, sizeof memory, 0);
    unsigned lines = 0;

    for (ssize_t i = 0; i < size; i++) {
        if (memory[i] == '-') {
            workload_fail(redis->result, "%.*s", (int)(size - i), memory + i);
        }
        lines += memory[i] == '\n';
    }
    if (size <= 0 || lines > connection->awaited) {
        return false;
    }
    connection->awaited -= lines;
    redis->result->bytes += (uint64_t)size;
    workload_count(redis->result, lines, workload_now());
    if (connection->awaited > 0) {
        return true;
    }
    workload_note(redis->result, connection->start, workload_now());
    redis->busy--;
    return connection_send(redis, connection);
}

static bool connection_open(struct redis *redis, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    connection->fd = connect_to(redis->options->address);
    return connection->fd >= 0 &&
           epoll_ctl(redis->epoll, EPOLL_CTL_ADD, connection->fd, &event) == 0;
}

static bool drive(struct redis *redis, struct connection *connections)
{
    for (unsigned i = 0; i < redis->options->in_flight; i++) {
        if (!connection_open(redis, &connections[i])) {
            return false;
        }
    }
    workload_begin(redis->result, redis->options);
    for (unsigned i = 0; i < redis->options->in_flight; i++) {
        if (!connection_send(redis, &connections[i])) {
            return false;
        }
    }
    while (redis->busy > 0) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(redis->epoll, events, EVENTS_MAX, -1);

        for (int i = 0; i < count; i++) {
            if (!connection_receive(redis, events[i].data.ptr)) {
                return false;
            }
        }
    }
    return true;
}

bool workload_redis(const struct workload_options *options, bool fill,
                    struct workload_result *result)
{
    struct connection *connections = calloc(options->in_flight, sizeof *connections);
    struct redis redis = {
        .options = options,
        .result = result,
        .message = message_new_redis(options),
        .fill = fill,
        .seed = options->seed,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
    };
    bool done;

    assert(connections != NULL && redis.epoll >= 0);
    for (unsigned i = 0; i < options->in_flight; i++) {
        connections[i].fd = -1;
    }
    done = drive(&redis, connections);
    for (unsigned i = 0; i < options->in_flight; i++) {
        close(connections[i].fd);
    }
    close(redis.epoll);
    message_free(redis.message);
    free(connections);
    return done;
}
