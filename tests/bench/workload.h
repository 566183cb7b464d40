/* What the load generator asks of a server, one kind after the other. Part of the
 * benchmark: see run.py.
 *
 * A workload keeps so many requests in flight on one connection (or so many
 * connections, for a server whose protocol needs that), counts what was answered, and
 * notes how long each request took. Contexts, and keys in them, go by number; a request
 * picks them at random, or in order where it fills a server.
 *
 * Threads: one. */

#ifndef CX_TESTS_BENCH_WORKLOAD_H
#define CX_TESTS_BENCH_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct workload_options {
  const char *address;  /* host:port */
  unsigned in_flight;   /* Requests; of a stream: messages that are not answered. */
  unsigned per_request; /* Updates in one request. */
  unsigned streams;     /* Streams that share `in_flight`. */
  unsigned contexts;    /* How many there are to choose from. */
  unsigned keys;        /* Entries of each. */
  size_t value_size;
  double warm_up; /* Seconds before anything counts. */
  double seconds; /* How long to go on then; 0: until `requests` are done. */
  uint64_t requests;
  uint64_t first; /* Of what goes in order: where to begin. */
  double rate;    /* Updates in a second, beside subscriptions. 0: none. */
  unsigned offset; /* Of the contexts that are picked at random: the first one's number. */
  bool each;      /* Subscriptions are to one context each, in order. */
  bool oldest;    /* They begin with the oldest event. */
  uint64_t seed;
};

struct workload_result {
  double begin; /* What is answered from here on counts, */
  double end;   /* up to here, and nothing is begun any more. */

  uint64_t total;      /* Operations that were answered: updates, gets. */
  uint64_t operations; /* Those of them that count. */
  uint64_t failures;
  char failure[512]; /* The first one. */
  uint64_t bytes;    /* Received, of all answers. */

  uint32_t *latencies; /* In microseconds, of each request that counts: the first ones. */
  size_t latency_count;

  /* Of `verify`: what the server holds. */
  uint64_t entries;
  uint64_t versions; /* Of all contexts, added up. */

  uint64_t sequence; /* The highest of the activities that were read. */
  double caught_up_s; /* Until all subscriptions had caught up. */
};

/* Begins: sets `begin` and `end`. */
void workload_begin(struct workload_result *result, const struct workload_options *options);

/* Whether another request may be begun, after so many. */
bool workload_goes_on(const struct workload_result *result, const struct workload_options *options,
                      uint64_t begun);

/* Counts operations that were answered at `now`. */
void workload_count(struct workload_result *result, uint64_t operations, double now);

/* Notes one request that was answered at `now`. */
void workload_note(struct workload_result *result, double start, double now);

/* Counts a failure, and keeps the text of the first one. */
void workload_fail(struct workload_result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Seconds since some start. */
double workload_now(void);

/* The next of a row of random numbers. */
uint64_t workload_random(uint64_t *seed);

/* The kinds. Each returns false when nothing could be done at all. */
bool workload_unary(const struct workload_options *options, const char *kind,
                    struct workload_result *result);
bool workload_stream(const struct workload_options *options, struct workload_result *result);
bool workload_redis(const struct workload_options *options, bool fill,
                    struct workload_result *result);

/* Starts `in_flight` sessions over one connection, says `started` on a line, and renews each
 * every WORKLOAD_RENEW_S seconds, spread evenly, until its standard input ends. */
enum { WORKLOAD_RENEW_S = 10 };
bool workload_sessions(const struct workload_options *options, struct workload_result *result);

/* Opens `in_flight` subscriptions and reads until all have caught up. Then it writes and reads
 * for a while, if there is a rate: what is noted is how long after the answer to a write its
 * event arrives, 0 if before. Else it says `subscribed` on a line and reads until its standard
 * input ends. Operations are events. The process ends with its subscriptions open. */
enum { WORKLOAD_MOMENTS_MAX = 1 << 20 };
bool workload_subscribe(const struct workload_options *options, struct workload_result *result);

/* Opens `in_flight` connections, makes one call on each, says `connected` on a line, and
 * holds them until its standard input ends. */
bool workload_connections(const struct workload_options *options, struct workload_result *result);

#endif /* CX_TESTS_BENCH_WORKLOAD_H */
