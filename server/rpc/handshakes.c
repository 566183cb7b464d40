#include "server/rpc/handshakes.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* How such a line begins; tests/unit/rpc/credentials_test.cc fails where it does no more. The
 * rest is "SSL_ERROR_SSL: error:0A000086:SSL routines::certificate verify failed." */
static const char prefix[] = "Handshake failed with fatal error ";

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t failed;                     /* Guarded by `mutex`. */
static char last_reason[CX_RPC_REASON_MAX]; /* Likewise. */

void cx_handshakes_note(const char *line)
{
    const char *reason;
    size_t size;

    if (strncmp(line, prefix, sizeof prefix - 1) != 0) {
        return;
    }
    reason = strrchr(line, ':');
    reason = reason != NULL ? reason + 1 : line + sizeof prefix - 1;
    reason += strspn(reason, " ");
    size = strlen(reason);
    size -= size > 0 && reason[size - 1] == '.';
    pthread_mutex_lock(&mutex);
    failed++;
    snprintf(last_reason, sizeof last_reason, "%.*s", (int)size, reason);
    pthread_mutex_unlock(&mutex);
}

uint64_t cx_handshakes_failed(char ret_reason[CX_RPC_REASON_MAX])
{
    uint64_t count;

    pthread_mutex_lock(&mutex);
    count = failed;
    memcpy(ret_reason, last_reason, sizeof last_reason);
    pthread_mutex_unlock(&mutex);
    return count;
}
