#include "clients/c/reach.h"

#include <stdio.h>
#include <string.h>

static const char REJECTED[] = "CERTIFICATE_REJECTED";
static const char WRONG[] = "WRONG_SERVER";
static const char NO_REASON[] = ""; /* A repeat may mend it. */

/* Which clients a row is about. */
enum side { ANY, PLAIN, TLS };

/* What a part of gRPC's text means; the first row that fits. */
static const struct {
    enum side side;
    const char *part;
    const char *reason;
    const char *meaning;
} meanings[] = {
    {TLS, "certificate verify failed", REJECTED,
     "the server's certificate is not accepted: no authority that this client trusts has signed "
     "it, or it is out of date"},
    {TLS, "is not in peer certificate", REJECTED, "the server's certificate is for another name"},
    {TLS, "wrong version number", REJECTED, "what listens there does not speak TLS"},
    {TLS, "SSL_ERROR_SSL", REJECTED, "what listens there refused the TLS of this client"},
    {TLS, "missing selected ALPN", WRONG, "what listens there takes TLS, but is no gRPC server"},
    {TLS, "empty address list", REJECTED,
     "the certificates or the key of this client cannot be used: they are no PEM, or do not belong "
     "together"},
    {TLS, "last error: UNAVAILABLE", NO_REASON,
     "the connection was closed at once: what listens there wants a certificate of the client, or "
     "another one, or has too many connections, or is no contextd"},
    {PLAIN, "Failed parsing HTTP/2", WRONG,
     "what listens there is no gRPC server, or takes TLS only"},
    {PLAIN, "last error: UNAVAILABLE", NO_REASON,
     "the connection was closed at once: what listens there takes TLS only, or has too many "
     "connections, or is no contextd"},
    {ANY, "Connection refused", NO_REASON, "nobody listens there"},
    {ANY, "DNS resolution failed", NO_REASON, "the host has no address that can be found out"},
};

/* What gRPC puts in front of the reason for which there is no token. */
static const char NO_TOKEN[] = "Getting metadata from plugin failed with error: ";

/* What gRPC puts in front of what went wrong last. */
static const char LAST[] = "last error: ";

/* Puts a sentence in front of the message, and gRPC's own in parentheses behind it. */
static void message_set(struct cxc_error *error, const char *meaning)
{
    char before[CXC_MESSAGE_SIZE];
    const char *last = strstr(error->message, LAST);

    snprintf(before, sizeof before, "%s", last != NULL ? last + strlen(LAST) : error->message);
    snprintf(error->message, sizeof error->message, "%s (%.600s)", meaning, before);
}

static void explain_unreachable(struct cxc_error *error, bool tls)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        bool concerned = meanings[i].side == ANY || (meanings[i].side == TLS) == tls;

        if (concerned && strstr(error->message, meanings[i].part) != NULL) {
            snprintf(error->reason, sizeof error->reason, "%s", meanings[i].reason);
            message_set(error, meanings[i].meaning);
            return;
        }
    }
}

void cxc_error_explain(struct cxc_error *error, bool tls)
{
    if (error->reason[0] != '\0') {
        return;
    }
    if (strncmp(error->message, NO_TOKEN, strlen(NO_TOKEN)) == 0) {
        error->code = CXC_UNAUTHENTICATED;
        memmove(error->message, error->message + strlen(NO_TOKEN),
                strlen(error->message) - strlen(NO_TOKEN) + 1);
    } else if (error->code == CXC_UNAVAILABLE) {
        explain_unreachable(error, tls);
    } else if (error->code == CXC_UNIMPLEMENTED) {
        snprintf(error->reason, sizeof error->reason, "%s", WRONG);
        message_set(error, "what answers there is no contextd");
    }
}
