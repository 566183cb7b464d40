/* ReadEntries: one state, message by message, as fast as the client reads.
 *
 * The snapshot is taken once, and released when the stream ends, however it ends. Each
 * message is made when the one before it has gone out: of as many entries as fill
 * CX_STREAM_MESSAGE_SIZE, and at least one. */

#include <string.h>

#include "core/base/arena.h"
#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/convert_request.h"
#include "server/services/entry_block.h"

struct read_state {
    struct cx_answer answer;
    struct cx_read_query query;
    struct cx_snapshot snapshot;
    struct cx_entry_walk walk;
    uint64_t left;         /* Entries that the client still wants. */
    uint64_t message_size; /* What a message is filled up to. */
    bool ended;            /* The walk has met its bound. */
    struct cx_bytes last;  /* The last key that was sent, in the snapshot. Empty: none was. */
    struct cx_arena arena; /* Of one message. */
};

static void read_state_done(struct read_state *state)
{
    cx_snapshot_done(&state->snapshot);
    cx_arena_done(&state->arena);
}

static void release(struct cx_call *call)
{
    read_state_done(cx_call_state(call));
}

static void end(struct cx_call *call)
{
    release(call);
    cx_call_finish(call);
}

/* ---- Walking. --------------------------------------------------------------- */

/* The first key behind all those with this prefix; empty: there is none. UTF-8 has no
 * byte 0xff, so that adding one to the last always makes one. */
static struct cx_bytes prefix_end(struct cx_bytes prefix, uint8_t *memory)
{
    if (prefix.size == 0) {
        return prefix;
    }
    memcpy(memory, prefix.data, prefix.size);
    memory[prefix.size - 1]++;
    return (struct cx_bytes){memory, prefix.size};
}

static void begin_walk(struct read_state *state)
{
    const struct cx_read_query *query = &state->query;
    uint8_t memory[CX_ENTRY_KEY_SIZE_MAX];
    struct cx_bytes from = query->key_prefix;

    if (query->reverse) {
        from = prefix_end(query->key_prefix, memory);
        if (from.size == 0 ||
            (query->before_key.size > 0 && cx_bytes_compare(query->before_key, from) < 0)) {
            from = query->before_key;
        }
        cx_snapshot_walk_back(&state->snapshot, from, &state->walk);
    } else {
        if (cx_bytes_compare(query->after_key, from) > 0) {
            from = query->after_key;
        }
        cx_snapshot_walk(&state->snapshot, from, &state->walk);
    }
}

/* Whether a key that the walk comes to lies behind the last one that was asked for. */
static bool is_behind(const struct cx_read_query *query, struct cx_bytes key)
{
    if (!cx_bytes_has_prefix(key, query->key_prefix)) {
        return true;
    }
    if (query->reverse) {
        return query->after_key.size > 0 && cx_bytes_compare(key, query->after_key) <= 0;
    }
    return query->before_key.size > 0 && cx_bytes_compare(key, query->before_key) >= 0;
}

/* The next entry that was asked for. False at the end. */
static bool next_entry(const struct read_state *state, struct cx_entry_walk *walk,
                       struct cx_entry_view *ret_entry)
{
    do {
        if (!cx_entry_walk_next(walk, ret_entry)) {
            return false;
        }
    } while (!state->query.reverse && cx_bytes_equal(ret_entry->key, state->query.after_key));
    return !is_behind(&state->query, ret_entry->key);
}

/* ---- Messages. -------------------------------------------------------------- */

/* Measures what goes into the next message. Sets `ended` when nothing comes after. */
static void measure(struct read_state *state, struct cx_entry_measure *ret_measure)
{
    struct cx_entry_walk walk = state->walk;
    struct cx_entry_measure measure = {0};
    struct cx_entry_view entry;

    for (;;) {
        struct cx_entry_measure more = measure;

        if (measure.count == state->left || !next_entry(state, &walk, &entry)) {
            state->ended = true;
            break;
        }
        cx_entry_measure_add(&more, &entry, !state->query.keys_only);
        if (measure.count > 0 && more.packed_size > state->message_size) {
            break;
        }
        measure = more;
        if (measure.count == CX_OFFLOAD_ITEMS) { /* A slice, so that other calls get on. */
            break;
        }
    }
    *ret_measure = measure;
}

static void send_next(struct cx_call *call)
{
    struct read_state *state = cx_call_state(call);
    const struct cx_allocator allocator = cx_allocator_of_arena(&state->arena);
    ReadEntriesResponse response = CONTEXTD__V1__READ_ENTRIES_RESPONSE__INIT;
    struct cx_entry_measure size;
    struct cx_entry_block block;
    struct cx_entry_view entry;

    cx_call_set_progress(call, "after_key", state->last);
    measure(state, &size);
    if (size.count == 0 && state->last.size > 0) { /* The last message was the last. */
        end(call);
        return;
    }
    if (!cx_entry_block_init(&block, &allocator, &size, !state->query.keys_only)) {
        read_state_done(state);
        cx_answer_out_of_memory(call);
        return;
    }
    while (block.count < size.count && next_entry(state, &state->walk, &entry)) {
        cx_entry_block_add(&block, &entry);
        state->last = entry.key;
    }
    state->left -= size.count;
    response.version = state->snapshot.version;
    response.entries = block.messages;
    response.n_entries = block.count;
    cx_call_send(call, &response.base);
    cx_arena_reset(&state->arena);
}

void cx_context_read_sent(struct cx_call *call)
{
    struct read_state *state = cx_call_state(call);

    if (state->ended) {
        end(call);
        return;
    }
    send_next(call);
}

void cx_context_read_left(struct cx_call *call)
{
    end(call);
}

/* ---- The request. ----------------------------------------------------------- */

static void begin(struct cx_call *call)
{
    enum { VERSION_SIZE_MAX = 16 };
    struct read_state *state = cx_call_state(call);
    uint64_t size_max = cx_call_message_size_max(call) - VERSION_SIZE_MAX;

    state->message_size = size_max < CX_STREAM_MESSAGE_SIZE ? size_max : CX_STREAM_MESSAGE_SIZE;
    begin_walk(state);
    cx_call_set_stall_limit(call, cx_answer_app(call)->stream_stall_max_us);
    send_next(call);
}

void cx_context_read(struct cx_call *call, const ProtobufCMessage *message)
{
    struct read_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    uint64_t wait_for;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct read_state){.answer = {.reply = begin, .release = release}};
    if (cx_convert_read(&conversion, (const ReadEntriesRequest *)message, &state->query) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    if (cx_engine_get(cx_answer_app(call)->engine, &state->query.name, &state->query.at,
                      &state->snapshot, &wait_for, &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    state->left = state->query.limit;
    cx_call_set_state(call, state);
    cx_answer_when_durable(call, wait_for);
}
