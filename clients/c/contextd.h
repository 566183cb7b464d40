/* The C client of contextd: blocking calls. Calls with callbacks, many in flight
 * at once, are in contextd_async.h.
 *
 * Requests and responses are the messages that protobuf-c generates from
 * proto/contextd/v1; the comments there say what each field means. A request is
 * the caller's and is only read. A response is the caller's and is released with
 * cxc_response_free().
 *
 *     struct cxc_client *client = cxc_client_new(&(struct cxc_options){0});
 *     Contextd__V1__CreateContextRequest request = CONTEXTD__V1__CREATE_CONTEXT_REQUEST__INIT;
 *     Contextd__V1__CreateContextResponse *response;
 *     struct cxc_error error;
 *
 *     request.context_id = "trip-42";
 *     if (cxc_create_context(client, &request, &response, &error) != CXC_OK) {
 *         fprintf(stderr, "%s: %s\n", cxc_code_name(error.code), error.message);
 *     } else {
 *         printf("version %" PRIu64 "\n", response->context->version);
 *         cxc_response_free(response);
 *     }
 *     cxc_client_free(client);
 *
 * What always holds:
 *
 *  (1) A blocking call ends within the client's `timeout_ms`, its repeats
 *      included.
 *  (2) Each write carries a request id, made here unless the caller gave one, so
 *      that a repeat changes nothing twice. The caller's request is not changed.
 *  (3) A call that ended as `UNAVAILABLE` or `OVERLOADED` is repeated, after the
 *      time that the server asked for or a growing, jittered one, until it ends
 *      otherwise or its time is up. It then fails with the last of those errors. Where no
 *      repeat would mend it, an error has one of the client's own reasons and comes at once:
 *      `CERTIFICATE_REJECTED` (one side does not accept the other's certificate, or only one
 *      speaks TLS) and `WRONG_SERVER` (what answers is no contextd).
 *  (4) What is returned through `ret_x` is set only on success; `ret_error` only
 *      on failure, and it may be NULL.
 *
 * Units: times in milliseconds, sizes in bytes. Texts are UTF-8 and end with NUL.
 * Threads: a client may be used by any number of threads at once; everything else
 * belongs to one thread at a time. The library starts no thread of its own. */

#ifndef CONTEXTD_H
#define CONTEXTD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contextd/v1/context_manager.pb-c.h"
#include "contextd/v1/recovery.pb-c.h"
#include "contextd/v1/tracker.pb-c.h"

/* A result that nobody looks at does not compile. */
#define CXC_MUST_CHECK __attribute__((warn_unused_result))

/* ---- Errors. --------------------------------------------------------------- */

/* The codes of gRPC. */
enum cxc_code {
    CXC_OK = 0,
    CXC_CANCELLED = 1,
    CXC_UNKNOWN = 2,
    CXC_INVALID_ARGUMENT = 3,
    CXC_DEADLINE_EXCEEDED = 4,
    CXC_NOT_FOUND = 5,
    CXC_ALREADY_EXISTS = 6,
    CXC_PERMISSION_DENIED = 7,
    CXC_RESOURCE_EXHAUSTED = 8,
    CXC_FAILED_PRECONDITION = 9,
    CXC_ABORTED = 10,
    CXC_OUT_OF_RANGE = 11,
    CXC_UNIMPLEMENTED = 12,
    CXC_INTERNAL = 13,
    CXC_UNAVAILABLE = 14,
    CXC_DATA_LOSS = 15,
    CXC_UNAUTHENTICATED = 16,
};

enum {
    CXC_REASON_SIZE = 64,
    CXC_MESSAGE_SIZE = 1024,
    CXC_VALUES_MAX = 8,
    CXC_VALUE_KEY_SIZE = 64,
    CXC_VALUE_SIZE = 1024,
};

/* Why a call failed. A plain value: copy it freely, there is nothing to release.
 * What does not fit is cut at a whole character. */
struct cxc_error {
    enum cxc_code code;
    char reason[CXC_REASON_SIZE];   /* Such as "VERSION_CONFLICT"; "" when contextd gave none. */
    char message[CXC_MESSAGE_SIZE]; /* For people. */
    int64_t retry_delay_ms;         /* When the server wants the repeat. 0: not said. */
    size_t value_count;
    struct {
        char key[CXC_VALUE_KEY_SIZE];
        char value[CXC_VALUE_SIZE];
    } values[CXC_VALUES_MAX]; /* What the reason comes with, such as `current_version`. */
};

/* The name of a code, such as "NOT_FOUND". Valid for ever. */
const char *cxc_code_name(enum cxc_code code);

/* The value of `key`, or NULL when the error has none. Borrowed from the error.
 *
 *     if (strcmp(error.reason, "VERSION_CONFLICT") == 0)
 *         version = strtoull(cxc_error_value(&error, "current_version"), NULL, 10); */
const char *cxc_error_value(const struct cxc_error *error, const char *key);

/* The failure of one part of a batch or stream, as an error. */
void cxc_error_from_failure(const Contextd__V1__Failure *failure, struct cxc_error *ret_error);

/* Whether (3) would repeat a call that ended like this. */
bool cxc_error_is_transient(const struct cxc_error *error);

/* ---- Clients. -------------------------------------------------------------- */

struct cxc_client;

/* What TLS takes: PEM, as C strings. All of it may be NULL. */
struct cxc_tls {
    const char *ca;          /* Who signs the server's certificate. NULL: whom the system trusts. */
    const char *certificate; /* The client's own, and those that signed it, with its key: where */
    const char *key;         /* the server asks for one. Both or neither. */
    const char *server_name; /* What the server's certificate is for. NULL: the address's host. */
};

enum { CXC_TOKEN_SIZE = 8192 };

/* Writes a bearer token, a C string. Returns false when there is none, with the reason in its
 * place: the call then fails as UNAUTHENTICATED. Called before each attempt, by any thread. */
typedef bool (*cxc_token_fn)(void *arg, char text[CXC_TOKEN_SIZE]);

struct cxc_options {
    const char *address;       /* "host:port" or "unix:/path". NULL: "127.0.0.1:7420". */
    int64_t timeout_ms;        /* For each blocking call. 0: 10,000. */
    bool no_repeats;           /* Fail at the first `UNAVAILABLE` or `OVERLOADED` instead of (3). */
    const struct cxc_tls *tls; /* NULL: without TLS, in plain text. */
    cxc_token_fn token;        /* NULL: none. Without TLS it goes to this machine only. */
    void *token_arg;           /* For `token`; stays the caller's, longer than the client. */
};

/* Whether a client can be made of the options: CXC_INVALID_ARGUMENT, with the words, where
 * its token would go to another machine in plain text. Calls nobody. */
CXC_MUST_CHECK enum cxc_code cxc_options_check(const struct cxc_options *options,
                                               struct cxc_error *ret_error);

/* Makes a client with a connection of its own, which is opened at the first call.
 * Borrows the options until it returns. NULL when out of memory. Where cxc_options_check()
 * fails, so does each call, at once and with the same words. */
struct cxc_client *cxc_client_new(const struct cxc_options *options);

/* Closes the connection. No call and no stream, reader or subscription of the client may
 * be left. Does nothing on NULL. */
void cxc_client_free(struct cxc_client *client);

/* Releases a response of any type. Does nothing on NULL. */
void cxc_response_free(void *response);

/* ---- Calls of ContextManager. ---------------------------------------------- *
 *
 * Each blocks until the answer is there, returns CXC_OK and the response, or the
 * code of the error. Besides what the .proto says:
 *
 *   UNAVAILABLE        the server could not be reached until the time was up
 *   DEADLINE_EXCEEDED  it did not answer in time; a write may have been made, and
 *                      is not made again by a call with the same request id
 *   INTERNAL           the answer is not a message of the expected type
 *   RESOURCE_EXHAUSTED out of memory, reason "" */

CXC_MUST_CHECK enum cxc_code cxc_create_context(struct cxc_client *client,
                                                const Contextd__V1__CreateContextRequest *request,
                                                Contextd__V1__CreateContextResponse **ret_response,
                                                struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_get_context(struct cxc_client *client,
                                             const Contextd__V1__GetContextRequest *request,
                                             Contextd__V1__GetContextResponse **ret_response,
                                             struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_list_contexts(struct cxc_client *client,
                                               const Contextd__V1__ListContextsRequest *request,
                                               Contextd__V1__ListContextsResponse **ret_response,
                                               struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_update_context(struct cxc_client *client,
                                                const Contextd__V1__UpdateContextRequest *request,
                                                Contextd__V1__UpdateContextResponse **ret_response,
                                                struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_delete_context(struct cxc_client *client,
                                                const Contextd__V1__DeleteContextRequest *request,
                                                Contextd__V1__DeleteContextResponse **ret_response,
                                                struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_batch_get_contexts(
    struct cxc_client *client, const Contextd__V1__BatchGetContextsRequest *request,
    Contextd__V1__BatchGetContextsResponse **ret_response, struct cxc_error *ret_error);

/* Each part carries a request id of its own, or the whole one where `atomic`.
 * Parts that fail as OVERLOADED are not repeated here: see cxc_error_from_failure(). */
CXC_MUST_CHECK enum cxc_code cxc_batch_update_contexts(
    struct cxc_client *client, const Contextd__V1__BatchUpdateContextsRequest *request,
    Contextd__V1__BatchUpdateContextsResponse **ret_response, struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code
cxc_list_namespaces(struct cxc_client *client, const Contextd__V1__ListNamespacesRequest *request,
                    Contextd__V1__ListNamespacesResponse **ret_response,
                    struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_get_server_info(struct cxc_client *client,
                                                 const Contextd__V1__GetServerInfoRequest *request,
                                                 Contextd__V1__GetServerInfoResponse **ret_response,
                                                 struct cxc_error *ret_error);

/* ---- Calls of Tracker. ----------------------------------------------------- *
 *
 * As above. A session is alive as long as the caller renews it: the client does not
 * by itself. A lost renewal is repeated like any call, within the client's
 * `timeout_ms`, which should be well below the session's `ttl`.
 *
 *     Contextd__V1__ActivateContextRequest request = CONTEXTD__V1__ACTIVATE_CONTEXT_REQUEST__INIT;
 *     Contextd__V1__ActivateContextResponse *response;
 *
 *     request.session_id = session->id;
 *     request.context_id = "trip-42";
 *     request.exclusive = true;
 *     if (cxc_activate_context(client, &request, &response, &error) == CXC_OK) {
 *         write.fence = response->activation->fence;  // Of the writes from now on.
 *         cxc_response_free(response);
 *     } else if (strcmp(error.reason, "CONTEXT_BUSY") == 0) {
 *         printf("%s has it\n", cxc_error_value(&error, "session_id"));
 *     } */

CXC_MUST_CHECK enum cxc_code cxc_start_session(struct cxc_client *client,
                                               const Contextd__V1__StartSessionRequest *request,
                                               Contextd__V1__StartSessionResponse **ret_response,
                                               struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_renew_session(struct cxc_client *client,
                                               const Contextd__V1__RenewSessionRequest *request,
                                               Contextd__V1__RenewSessionResponse **ret_response,
                                               struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_end_session(struct cxc_client *client,
                                             const Contextd__V1__EndSessionRequest *request,
                                             Contextd__V1__EndSessionResponse **ret_response,
                                             struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_get_session(struct cxc_client *client,
                                             const Contextd__V1__GetSessionRequest *request,
                                             Contextd__V1__GetSessionResponse **ret_response,
                                             struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_list_sessions(struct cxc_client *client,
                                               const Contextd__V1__ListSessionsRequest *request,
                                               Contextd__V1__ListSessionsResponse **ret_response,
                                               struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code
cxc_activate_context(struct cxc_client *client, const Contextd__V1__ActivateContextRequest *request,
                     Contextd__V1__ActivateContextResponse **ret_response,
                     struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_switch_context(struct cxc_client *client,
                                                const Contextd__V1__SwitchContextRequest *request,
                                                Contextd__V1__SwitchContextResponse **ret_response,
                                                struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_deactivate_context(
    struct cxc_client *client, const Contextd__V1__DeactivateContextRequest *request,
    Contextd__V1__DeactivateContextResponse **ret_response, struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_get_context_status(
    struct cxc_client *client, const Contextd__V1__GetContextStatusRequest *request,
    Contextd__V1__GetContextStatusResponse **ret_response, struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_record_activities(
    struct cxc_client *client, const Contextd__V1__RecordActivitiesRequest *request,
    Contextd__V1__RecordActivitiesResponse **ret_response, struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code
cxc_list_activities(struct cxc_client *client, const Contextd__V1__ListActivitiesRequest *request,
                    Contextd__V1__ListActivitiesResponse **ret_response,
                    struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code
cxc_optimize_history(struct cxc_client *client, const Contextd__V1__OptimizeHistoryRequest *request,
                     Contextd__V1__OptimizeHistoryResponse **ret_response,
                     struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code
cxc_truncate_history(struct cxc_client *client, const Contextd__V1__TruncateHistoryRequest *request,
                     Contextd__V1__TruncateHistoryResponse **ret_response,
                     struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_list_files(struct cxc_client *client,
                                            const Contextd__V1__ListFilesRequest *request,
                                            Contextd__V1__ListFilesResponse **ret_response,
                                            struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code
cxc_summarize_usage(struct cxc_client *client, const Contextd__V1__SummarizeUsageRequest *request,
                    Contextd__V1__SummarizeUsageResponse **ret_response,
                    struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code
cxc_acquire_resource(struct cxc_client *client, const Contextd__V1__AcquireResourceRequest *request,
                     Contextd__V1__AcquireResourceResponse **ret_response,
                     struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code
cxc_release_resource(struct cxc_client *client, const Contextd__V1__ReleaseResourceRequest *request,
                     Contextd__V1__ReleaseResourceResponse **ret_response,
                     struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_list_resources(struct cxc_client *client,
                                                const Contextd__V1__ListResourcesRequest *request,
                                                Contextd__V1__ListResourcesResponse **ret_response,
                                                struct cxc_error *ret_error);

/* ---- Calls of Recovery. ---------------------------------------------------- *
 *
 * As above. `DiffStates` and `SyncContext`, which stream, go by cxc_answers_new() below.
 *
 *     Contextd__V1__RestoreContextRequest request = CONTEXTD__V1__RESTORE_CONTEXT_REQUEST__INIT;
 *     Contextd__V1__RestoreContextResponse *response;
 *
 *     request.context_id = "trip-42";
 *     request.target_case = CONTEXTD__V1__RESTORE_CONTEXT_REQUEST__TARGET_RECOVERY_POINT_ID;
 *     request.recovery_point_id = "before-booking";
 *     request.safety_point = true;
 *     if (cxc_restore_context(client, &request, &response, &error) == CXC_OK) {
 *         if (response->context != NULL) { // Else it is gone again.
 *             printf("version %" PRIu64 "\n", response->context->version);
 *         }
 *         cxc_response_free(response);
 *     } */

CXC_MUST_CHECK enum cxc_code cxc_create_recovery_point(
    struct cxc_client *client, const Contextd__V1__CreateRecoveryPointRequest *request,
    Contextd__V1__CreateRecoveryPointResponse **ret_response, struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_get_recovery_point(
    struct cxc_client *client, const Contextd__V1__GetRecoveryPointRequest *request,
    Contextd__V1__GetRecoveryPointResponse **ret_response, struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_list_recovery_points(
    struct cxc_client *client, const Contextd__V1__ListRecoveryPointsRequest *request,
    Contextd__V1__ListRecoveryPointsResponse **ret_response, struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_update_recovery_point(
    struct cxc_client *client, const Contextd__V1__UpdateRecoveryPointRequest *request,
    Contextd__V1__UpdateRecoveryPointResponse **ret_response, struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_delete_recovery_point(
    struct cxc_client *client, const Contextd__V1__DeleteRecoveryPointRequest *request,
    Contextd__V1__DeleteRecoveryPointResponse **ret_response, struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_prune_recovery_points(
    struct cxc_client *client, const Contextd__V1__PruneRecoveryPointsRequest *request,
    Contextd__V1__PruneRecoveryPointsResponse **ret_response, struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code
cxc_restore_context(struct cxc_client *client, const Contextd__V1__RestoreContextRequest *request,
                    Contextd__V1__RestoreContextResponse **ret_response,
                    struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_fork_context(struct cxc_client *client,
                                              const Contextd__V1__ForkContextRequest *request,
                                              Contextd__V1__ForkContextResponse **ret_response,
                                              struct cxc_error *ret_error);

CXC_MUST_CHECK enum cxc_code cxc_merge_context(struct cxc_client *client,
                                               const Contextd__V1__MergeContextRequest *request,
                                               Contextd__V1__MergeContextResponse **ret_response,
                                               struct cxc_error *ret_error);

/* Each operation that writes carries a request id of its own. Those that fail as OVERLOADED are
 * not repeated here: see cxc_error_from_failure(). */
CXC_MUST_CHECK enum cxc_code cxc_batch_recovery_points(
    struct cxc_client *client, const Contextd__V1__BatchRecoveryPointsRequest *request,
    Contextd__V1__BatchRecoveryPointsResponse **ret_response, struct cxc_error *ret_error);

/* ---- Any unary call. ------------------------------------------------------- */

/* Calls the method at `path`, as the calls above do: a field `write` of the
 * request gets its request id. `path` must stay valid as long as the client;
 * `response_type` is the generated descriptor of what it answers.
 *
 *     cxc_call(client, "/contextd.v1.Recovery/ForkContext", &request.base,
 *              &contextd__v1__fork_context_response__descriptor,
 *              (ProtobufCMessage **)&response, &error); */
CXC_MUST_CHECK enum cxc_code cxc_call(struct cxc_client *client, const char *path,
                                      const ProtobufCMessage *request,
                                      const ProtobufCMessageDescriptor *response_type,
                                      ProtobufCMessage **ret_response, struct cxc_error *ret_error);

/* ---- Any call with a stream of answers. ------------------------------------ */

struct cxc_answers;

/* Makes the call at `path`, whose answers are of one generated type. It has no deadline:
 * it lives as long as the server sends and the caller reads. Nothing is repeated. `path`
 * must stay valid as long as the client; the request is borrowed until this returns. NULL
 * when out of memory.
 *
 *     answers = cxc_answers_new(client, "/contextd.v1.Recovery/DiffStates", &request.base,
 *                               &contextd__v1__diff_states_response__descriptor);
 *     while ((code = cxc_answers_next(answers, (ProtobufCMessage **)&part, &error)) == CXC_OK &&
 *            part != NULL) {
 *         ... part->entries[0] to part->entries[part->n_entries - 1] ...
 *         cxc_response_free(part);
 *     }
 *     cxc_answers_free(answers); */
struct cxc_answers *cxc_answers_new(struct cxc_client *client, const char *path,
                                    const ProtobufCMessage *request,
                                    const ProtobufCMessageDescriptor *answer_type);

/* Blocks until the next answer is there. *ret_answer is the caller's, or NULL after the
 * last one. After an error or the last answer, nothing more may be asked. */
CXC_MUST_CHECK enum cxc_code cxc_answers_next(struct cxc_answers *answers,
                                              ProtobufCMessage **ret_answer,
                                              struct cxc_error *ret_error);

/* Ends the call, also in the middle. Does nothing on NULL. */
void cxc_answers_free(struct cxc_answers *answers);

/* ---- Reading the entries of a large context. ------------------------------- */

struct cxc_reader;

/* Starts `ReadEntries`. The reader has no deadline: it lives as long as the server
 * sends and the caller reads. Nothing is repeated; to go on after a failure, start
 * again with `after_key`. NULL when out of memory.
 *
 *     struct cxc_reader *reader = cxc_reader_new(client, &request);
 *     while ((code = cxc_reader_next(reader, &part, &error)) == CXC_OK && part != NULL) {
 *         ... part->entries[0] to part->entries[part->n_entries - 1] ...
 *         cxc_response_free(part);
 *     }
 *     cxc_reader_free(reader); */
struct cxc_reader *cxc_reader_new(struct cxc_client *client,
                                  const Contextd__V1__ReadEntriesRequest *request);

/* Blocks until the next part is there. *ret_part is the caller's, or NULL after the
 * last one. After an error or the last part, nothing more may be asked. */
CXC_MUST_CHECK enum cxc_code cxc_reader_next(struct cxc_reader *reader,
                                             Contextd__V1__ReadEntriesResponse **ret_part,
                                             struct cxc_error *ret_error);

/* Ends the call, also in the middle. Does nothing on NULL. */
void cxc_reader_free(struct cxc_reader *reader);

/* ---- Subscriptions: what happens to contexts and sessions. ----------------- *
 *
 * A message is events, the note that all that was retained has been told, or the progress
 * of a quiet time: docs/events.md says what each holds.
 *
 *     Contextd__V1__SubscribeRequest request = CONTEXTD__V1__SUBSCRIBE_REQUEST__INIT;
 *     Contextd__V1__SubscribeResponse *message;
 *
 *     request.start_case = CONTEXTD__V1__SUBSCRIBE_REQUEST__START_FROM_OLDEST;
 *     request.from_oldest = true;
 *     subscription = cxc_subscription_new(client, &request, NULL, NULL);
 *     while ((code = cxc_subscription_next(subscription, -1, &message, &error)) == CXC_OK) {
 *         if (message->kind_case == CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_EVENTS) {
 *             ... message->events->events[0] to [message->events->n_events - 1] ...
 *         }
 *         cxc_response_free(message);
 *     }
 *     cxc_subscription_free(subscription);
 *
 * It goes on by itself: a stream that broke (`UNAVAILABLE`, `OVERLOADED`,
 * `STREAM_STALLED`, or because the server cancelled or ended it) is opened again behind the message
 * that was handed out last, so that none is missed and none comes twice. Only
 * `caught_up` comes again. A connection that has died without a word is noticed within a
 * minute. Before the first message that is tried within the client's
 * `timeout_ms`, as (3) has it; later for ever. A client with `no_repeats` does not. Every other
 * error is returned: after `CURSOR_COMPACTED` events are gone, and a new subscription
 * must begin otherwise. */

struct cxc_subscription;

/* For those who want to know. They run within cxc_subscription_next(); either may be NULL. */
struct cxc_subscription_events {
    /* A stream that had answered broke. It is opened again behind `cursor`, or as it began
     * where that is "". Once, however many attempts it takes. */
    void (*lost)(void *arg, const char *cursor, const struct cxc_error *error);

    /* The server answers again: the first message is returned next. */
    void (*resumed)(void *arg);
};

/* Makes a subscription; its stream is opened by cxc_subscription_next(). Borrows the
 * request until it returns; `events`, which may be NULL, must live as long as the
 * subscription. NULL when out of memory. */
struct cxc_subscription *cxc_subscription_new(struct cxc_client *client,
                                              const Contextd__V1__SubscribeRequest *request,
                                              const struct cxc_subscription_events *events,
                                              void *arg);

/* Waits up to `timeout_ms` (negative: for ever; 0: not at all) for the next message.
 * *ret_message is the caller's, or NULL when the time was up. After an error nothing more
 * may be asked. Besides what the .proto says: INTERNAL for what is no message, and
 * RESOURCE_EXHAUSTED when out of memory, reason "". */
CXC_MUST_CHECK enum cxc_code cxc_subscription_next(struct cxc_subscription *subscription,
                                                   int64_t timeout_ms,
                                                   Contextd__V1__SubscribeResponse **ret_message,
                                                   struct cxc_error *ret_error);

/* Where a new subscription would go on: behind the message that was handed out last, or
 * where this one was told to begin. "" while there is no such position. Borrowed until the
 * next call. */
const char *cxc_subscription_cursor(const struct cxc_subscription *subscription);

/* Ends the stream, also in the middle. Does nothing on NULL. */
void cxc_subscription_free(struct cxc_subscription *subscription);

/* ---- Request ids. ---------------------------------------------------------- */

enum { CXC_REQUEST_ID_SIZE = 37 };

/* Makes a new request id: a random UUID (version 4) as text with its NUL. */
void cxc_request_id(char ret_id[CXC_REQUEST_ID_SIZE]);

#endif /* CONTEXTD_H */
