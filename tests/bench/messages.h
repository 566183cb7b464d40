/* The requests of the workloads, ready packed.
 *
 * What varies in a request has a fixed size: the name of a context, a key, a value. So a
 * request is packed once, and before each send these are replaced in place. Packing anew
 * would cost the load generator more than the server needs to answer.
 *
 * A value begins with the name and the key that it belongs to, and goes on with one byte
 * repeated, so that whoever reads it back can tell whether it is where it belongs. The data of
 * an activity have the size of a value, and no content of their own.
 *
 * Threads: one. */

#ifndef CX_TESTS_BENCH_MESSAGES_H
#define CX_TESTS_BENCH_MESSAGES_H

#include "clients/c/contextd_async.h"
#include "tests/bench/workload.h"

enum {
  MESSAGE_NAME_SIZE = 20,                                        /* context-000000000042 */
  MESSAGE_KEY_SIZE = 7,                                          /* key-007 */
  MESSAGE_VALUE_SIZE_MIN = MESSAGE_NAME_SIZE + MESSAGE_KEY_SIZE, /* Then the repeated byte. */
  MESSAGE_UPDATES_MAX = 1000,
};

struct message;

/* The kinds. The options say how many updates one has, and how large a value is. */
struct message *message_new_update(const struct workload_options *options);
struct message *message_new_batch(const struct workload_options *options);
struct message *message_new_stream(const struct workload_options *options);
struct message *message_new_get(const struct workload_options *options);
struct message *message_new_create(const struct workload_options *options);
struct message *message_new_record(const struct workload_options *options);
struct message *message_new_record_batch(const struct workload_options *options);
struct message *message_new_newest(const struct workload_options *options);
struct message *message_new_middle(const struct workload_options *options);
struct message *message_new_etcd_put(const struct workload_options *options);
struct message *message_new_redis(const struct workload_options *options);
void message_free(struct message *message);

/* The message with other names, keys and values: at random, or those of the `number`-th
 * message when all contexts and keys are gone through in order. Valid until the next. */
struct cxc_bytes message_random(struct message *message, const struct workload_options *options,
                                uint64_t *seed);
struct cxc_bytes message_numbered(struct message *message, const struct workload_options *options,
                                  uint64_t number);

/* How many results a BatchUpdateContextsResponse or a StreamUpdatesResponse holds, which
 * look the same. *ret_failed is how many of them are failures. Reads only as much as
 * that takes. */
uint64_t message_results(struct cxc_bytes response, uint64_t *ret_failed);

/* Whether a context that was read back is the `number`-th one, with all its keys and
 * each value where it belongs. */
bool message_is_context(const Contextd__V1__Context *context,
                        const struct workload_options *options, uint64_t number);

#endif /* CX_TESTS_BENCH_MESSAGES_H */
