/* The server from its start to its stop.
 *
 *   data directory -> engine -> services -> port -> port file -> serving
 *
 * and back in the opposite order. Threads: the main thread. */

#ifndef CX_SERVER_RUN_H
#define CX_SERVER_RUN_H

struct cx_config;

/* What the process ends with. docs/operations.md tells people. */
enum cx_exit {
    CX_EXIT_DONE = 0,          /* Stopped in order, or did what was asked. */
    CX_EXIT_CANNOT_START = 1,  /* The line before says why. */
    CX_EXIT_CONFIGURATION = 2, /* Every problem was listed. */
    CX_EXIT_DAMAGED = 3,       /* Stored data is damaged: somebody must decide. */
    CX_EXIT_DISK_FAILED = 4,   /* While serving. What was answered before is safe. */
};

/* Serves until a signal or a failed disk ends it, and stops in order. `config` changes
 * when SIGHUP asks to read `argv` and `environment` again. */
enum cx_exit cx_run(struct cx_config *config, const char *const *argv,
                    const char *const *environment);

#endif /* CX_SERVER_RUN_H */
