#include "server/certificate_keeper.h"

#include <string.h>

#include "server/config/config.h"
#include "server/notices.h"

/* Points to what is in force now. */
static void refresh(struct cx_certificate_keeper *keeper)
{
    keeper->certificates = (struct cx_rpc_certificates){
        .certificate = keeper->watch.in_force.certificate,
        .key = keeper->watch.in_force.key,
        .client_ca = keeper->watch.in_force.client_ca,
    };
}

bool cx_certificate_keeper_open(struct cx_certificate_keeper *keeper,
                                const struct cx_config *config,
                                char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    const struct cx_certificate_files files = {
        .certificate = config->tls_cert,
        .key = config->tls_key,
        .client_ca = config->tls_client_ca,
    };

    memset(keeper, 0, sizeof *keeper);
    keeper->config = config;
    if (config->tls_cert[0] == '\0') {
        return true;
    }
    if (!cx_certificate_watch_init(&keeper->watch, &files, ret_problem)) {
        return false;
    }
    refresh(keeper);
    return true;
}

void cx_certificate_keeper_close(struct cx_certificate_keeper *keeper)
{
    cx_certificate_watch_done(&keeper->watch);
}

const struct cx_rpc_certificates *
cx_certificate_keeper_get(const struct cx_certificate_keeper *keeper)
{
    return keeper->certificates.certificate != NULL ? &keeper->certificates : NULL;
}

int cx_certificate_keeper_look_ms(const struct cx_certificate_keeper *keeper)
{
    return cx_certificate_keeper_get(keeper) != NULL ? CX_CERTIFICATE_LOOK_MS : -1;
}

/* Tells the ages that are others than those that were told. */
static void tell_ages(struct cx_certificate_keeper *keeper, int64_t now_s)
{
    for (size_t i = 0; i < keeper->watch.in_force.life_count; i++) {
        struct cx_certificate_life *life = &keeper->watch.in_force.lives[i];
        enum cx_certificate_age age = cx_certificate_age(life, now_s);

        if (age != life->told) {
            life->told = age;
            cx_notice_certificate_age(keeper->config, life, age);
        }
    }
}

void cx_certificate_keeper_warn(struct cx_certificate_keeper *keeper, int64_t now_s)
{
    if (keeper->watch.in_force.key_exposed) {
        cx_notice_exposed_key(keeper->config);
    }
    if (keeper->watch.in_force.life_count > 0 && keeper->watch.in_force.names[0] == '\0') {
        cx_notice_nameless(keeper->config);
    }
    tell_ages(keeper, now_s);
}

void cx_certificate_keeper_tell(struct cx_certificate_keeper *keeper, int64_t now_s)
{
    if (cx_certificate_keeper_get(keeper) == NULL) {
        return;
    }
    cx_notice_certificates(keeper->config, &keeper->watch.in_force, keeper->serving);
    keeper->serving = true;
    keeper->pending = false;
    cx_certificate_keeper_warn(keeper, now_s);
}

bool cx_certificate_keeper_look(struct cx_certificate_keeper *keeper, int64_t now_s)
{
    char problem[CX_CERTIFICATES_PROBLEM_MAX];
    enum cx_certificate_news news = CX_CERTIFICATES_SAME;

    if (cx_certificate_keeper_get(keeper) == NULL) {
        return false;
    }
    news = cx_certificate_watch_look(&keeper->watch, problem);
    if (news == CX_CERTIFICATES_CHANGED) {
        refresh(keeper);
        keeper->pending = true;
    } else if (news == CX_CERTIFICATES_BROKEN) {
        cx_notice_certificates_broken(problem);
    }
    if (!keeper->pending) {
        tell_ages(keeper, now_s);
    }
    return keeper->pending;
}

void cx_certificate_keeper_refused(struct cx_certificate_keeper *keeper, uint64_t count,
                                   const char *reason, int64_t now_s)
{
    int64_t since_s = now_s - keeper->refused_told_s;

    /* A clock that was put back must not silence it. */
    if (count == keeper->refused || (since_s >= 0 && since_s < CX_REFUSED_TOLD_S)) {
        return;
    }
    cx_notice_handshakes_failed(count - keeper->refused, reason);
    keeper->refused = count;
    keeper->refused_told_s = now_s;
}
