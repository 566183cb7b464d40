#include "server/tls/certificate_watch.h"

#include <stdio.h>
#include <string.h>

bool cx_certificate_watch_init(struct cx_certificate_watch *watch,
                               const struct cx_certificate_files *files,
                               char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    memset(watch, 0, sizeof *watch);
    watch->files = *files;
    return cx_certificates_load(files, &watch->in_force, ret_problem);
}

void cx_certificate_watch_done(struct cx_certificate_watch *watch)
{
    cx_certificates_done(&watch->in_force);
    cx_certificates_done(&watch->seen);
}

/* Forgets what the last look saw and keeps `found` or `problem`. */
static void remember(struct cx_certificate_watch *watch, const struct cx_certificates *found,
                     const char *problem)
{
    cx_certificates_done(&watch->seen);
    watch->seen = *found;
    snprintf(watch->seen_problem, sizeof watch->seen_problem, "%s", problem);
    watch->judged = false;
}

/* Decides about what two looks have seen. */
static enum cx_certificate_news judge(struct cx_certificate_watch *watch,
                                      char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    watch->judged = true;
    if (watch->seen_problem[0] != '\0') {
        memcpy(ret_problem, watch->seen_problem, sizeof watch->seen_problem);
        return CX_CERTIFICATES_BROKEN;
    }
    if (!cx_certificates_check(&watch->seen, &watch->files, ret_problem)) {
        return CX_CERTIFICATES_BROKEN;
    }
    cx_certificates_done(&watch->in_force);
    watch->in_force = watch->seen;
    memset(&watch->seen, 0, sizeof watch->seen);
    return CX_CERTIFICATES_CHANGED;
}

enum cx_certificate_news cx_certificate_watch_look(struct cx_certificate_watch *watch,
                                                   char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    struct cx_certificates found = {0};
    char problem[CX_CERTIFICATES_PROBLEM_MAX] = "";

    if (cx_certificates_read(&watch->files, &found, problem) &&
        cx_certificates_equal(&found, &watch->in_force)) {
        cx_certificates_done(&found);
        remember(watch, &found, "");
        watch->judged = true;
        return CX_CERTIFICATES_SAME;
    }
    if (!cx_certificates_equal(&found, &watch->seen) || strcmp(problem, watch->seen_problem) != 0) {
        remember(watch, &found, problem);
        return CX_CERTIFICATES_SAME;
    }
    cx_certificates_done(&found);
    return watch->judged ? CX_CERTIFICATES_SAME : judge(watch, ret_problem);
}
