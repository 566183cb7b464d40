/* What recovery costs, measured on the engine without the network. Part of the benchmark:
 * see run.py.
 *
 * A bench owns an engine on a disk that is never synced, and takes the steps of its threads
 * itself, outside of what is measured: so times are those of one thread's processor, and
 * memory is counted to the byte. Whatever fails ends the process with 1 and a line on standard
 * error.
 *
 * Threads: one. */

#ifndef CX_TESTS_BENCH_RECOVERY_H
#define CX_TESTS_BENCH_RECOVERY_H

#include <stdio.h>

#include "core/engine/engine.h"
#include "core/engine/recovery.h"

struct bench {
    struct cx_engine *engine;
    struct cx_disk *disk;
    uint64_t log_bytes; /* That were written, up to the last bench_settle(). */
    uint64_t seed;
    const char *comma; /* In front of the next figure. */

    /* How much there is of it. */
    unsigned entries; /* Of a large context. */
    unsigned value_size; /* Bytes. */
    unsigned rounds; /* Of what is repeated. */
    unsigned points;
};

/* What an update has besides its entry. */
struct bench_also {
    bool point;    /* Made by a call of its own. */
    bool activity; /* In the same call. */
};

/* ---- Measuring. ------------------------------------------------------------- */

/* Microseconds that this thread ran. */
double bench_now_us(void);

/* Takes the steps of the engine's threads, and counts what they log. */
void bench_settle(struct bench *bench);

/* Tells a figure, as a member of the one object that is printed. */
void bench_tell(struct bench *bench, const char *name, double value);

/* The middle one; sorts them. */
double bench_median(double *values, size_t count);

/* Ends the process unless it went well. */
void bench_expect(enum cx_status status, const struct cx_error *error);
void bench_check(bool right, const char *what);

/* ---- Doing. ----------------------------------------------------------------- */

struct cx_context_name bench_name(const char *id);

/* A key by number, in a buffer of the caller. */
enum { BENCH_KEY_ROOM = 16 };
struct cx_bytes bench_key(char key[BENCH_KEY_ROOM], unsigned number);

/* Fills memory with letters; the same for the same seed. */
void bench_letters(uint64_t *seed, uint8_t *memory, size_t size);

/* Creates a context of so many entries, of bench->value_size each. */
void bench_fill(struct bench *bench, const char *id, unsigned entries);

/* Sets one entry, creating the context where there is none. */
void bench_put(struct bench *bench, const char *id, struct cx_bytes key, struct cx_bytes value,
               const struct bench_also *also);

/* Makes a point of the head. `label` may be NULL. *ret_id, of CX_POINT_ID_ROOM, too. */
void bench_point(struct bench *bench, const char *id, const struct cx_label *label, char *ret_id);

void bench_delete_point(struct bench *bench, const char *id, const char *point_id);
void bench_delete(struct bench *bench, const char *id);

/* ---- The parts. ------------------------------------------------------------- */

void bench_fork(struct bench *bench);         /* Of a large context and a small one. */
void bench_diff(struct bench *bench);         /* 10 changes in a large context. */
void bench_change(struct bench *bench);       /* A point after each change. */
void bench_conversation(struct bench *bench); /* One value that is put back whole. */
void bench_pages(struct bench *bench);        /* Of many points of one context. */
void bench_churn(struct bench *bench);        /* Points that come and go. */
void bench_update(struct bench *bench);       /* Updates with and without it all. */

#endif /* CX_TESTS_BENCH_RECOVERY_H */
