#include "server/system.h"

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "server/logging.h"

int cx_signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

int cx_signals_next(int fd)
{
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof info) != (ssize_t)sizeof info) {
        /* Interrupted: by a debugger, say. */
    }
    return (int)info.ssi_signo;
}

void cx_signals_let_kill(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void cx_files_raise_limit(uint64_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
        return;
    }
    /* Root may go beyond what is the limit of limits. */
    struct rlimit higher = {wanted, limit.rlim_max < wanted ? wanted : limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &higher) == 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    struct cx_logging_line line;
    cx_logging_begin(&line, CX_LOGGING_WARNING,
                     "the system allows fewer open files than connections_max needs");
    cx_logging_number(&line, "allowed", (int64_t)limit.rlim_cur);
    cx_logging_number(&line, "needed", (int64_t)wanted);
    cx_logging_end(&line);
}
