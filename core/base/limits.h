/* Every fixed limit, and the bounds and defaults of those that are configured.
 * Reaching one is an answer that names it: `INVALID_FIELD` for the bounds of a
 * field, `LIMIT_REACHED` for what is configured or adds up. */

#ifndef CX_BASE_LIMITS_H
#define CX_BASE_LIMITS_H

#include <assert.h>

#define CX_KIB (1024ULL)
#define CX_MIB (1024ULL * CX_KIB)
#define CX_GIB (1024ULL * CX_MIB)
#define CX_SECOND_US (1000000LL)

/* ---- Names, in bytes. ------------------------------------------------------ */
#define CX_NAMESPACE_SIZE_MAX 63u
#define CX_CONTEXT_ID_SIZE_MAX 256u
#define CX_CONTEXT_TYPE_SIZE_MAX 64u
#define CX_ENTRY_KEY_SIZE_MAX 512u
#define CX_CONTENT_TYPE_SIZE_MAX 128u
#define CX_LABEL_KEY_SIZE_MAX 63u
#define CX_LABEL_VALUE_SIZE_MAX 1024u
#define CX_REQUEST_ID_SIZE_MAX 128u
#define CX_OWNER_SIZE_MAX 256u
#define CX_ACTIVITY_TYPE_SIZE_MAX 64u
#define CX_FILE_PATH_SIZE_MAX 2048u /* So that it fits into a page token. */
#define CX_FILE_OPERATION_SIZE_MAX 64u
#define CX_FILE_SOURCE_SIZE_MAX 256u
#define CX_MODEL_NAME_SIZE_MAX 256u /* Of provider, model and mode. */
#define CX_CURRENCY_SIZE 3u
#define CX_RESOURCE_NAME_SIZE_MAX 256u
#define CX_RESOURCE_TYPE_SIZE_MAX 64u
#define CX_POINT_ID_SIZE_MAX 128u /* Of a recovery point. */
#define CX_TEXT_SIZE_MAX 4096u    /* Other strings, such as a page token. */

/* ---- Counts. --------------------------------------------------------------- */
#define CX_LABELS_MAX 64u
#define CX_CONTEXT_DEPTH_MAX 16u /* A context without a parent has depth 1. */
#define CX_MUTATIONS_MAX 10000u
#define CX_PRECONDITIONS_MAX 1000u
#define CX_KEYS_MAX 10000u /* In one read. */
#define CX_BATCH_MAX 1000u
#define CX_CHANGE_ITEMS_MAX 10000u /* Contexts that one change touches. */
#define CX_PAGE_SIZE_DEFAULT 100u
#define CX_PAGE_SIZE_MAX 1000u
#define CX_PAGE_ROWS_MAX 10000u /* Rows that one page looks at. */
#define CX_TTL_US_MAX (100LL * 365 * 86400 * CX_SECOND_US)
#define CX_ACTIVITIES_MAX 1000u      /* In one request that records. */
#define CX_ACTIVITY_TYPES_MAX 100u   /* In one query. */
#define CX_TRIM_MAX 10000u           /* Activities, or runs of them, that one change drops. */
#define CX_FILES_MAX 100000u         /* Of a context. */
#define CX_USAGE_TOTALS_MAX 1000u    /* Of a context, and of a namespace. */
#define CX_OPTIMIZE_INLINE_MAX 1000u /* Activities that are looked at under a lock. */

/* ---- Sessions. ------------------------------------------------------------- */
#define CX_SESSION_ID_SIZE 32u
#define CX_SESSION_TTL_US_DEFAULT (60 * CX_SECOND_US)
#define CX_SESSION_TTL_US_MIN (1 * CX_SECOND_US)
#define CX_SESSION_TTL_US_MAX (86400 * CX_SECOND_US)
#define CX_SESSION_CONTEXTS_DEFAULT 5u /* Active at once. */
#define CX_SESSION_CONTEXTS_MAX 1000u
#define CX_SESSION_RESOURCES_MAX 1000u /* Held at once. */
#define CX_CONTEXT_SESSIONS_MAX 20000u /* That have one context active: one change ends them. */

/* ---- Recovery. ------------------------------------------------------------- */
#define CX_ATTACHMENTS_MAX 10000u   /* Of a point. */
#define CX_PENDING_POINTS_MAX 1000u /* Of a context: to be made, with attachments already. */
#define CX_POINTS_MAX 1000000u      /* Of a context, whatever its policy. */
#define CX_PURGED_POINTS_MAX                                                                       \
    10000u                     /* Of all that one change purges, where it is several contexts. */
#define CX_LINEAGE_MAX 64u     /* Forks of forks that are remembered. */
#define CX_MERGE_BASES_MAX 64u /* Contexts that a context remembers having merged. */
#define CX_CONFLICTS_TOLD_MAX 1000u /* In one answer. */
#define CX_LEAN_MAX 64u             /* Activities added to a history that earlier states share. */
#define CX_PREPARE_ATTEMPTS_MAX 5u  /* Before HEAD_MOVED. */

/* ---- Answers. -------------------------------------------------------------- */
#define CX_OFFLOAD_ITEMS 1000u /* Entries or mutations. Calls with more run on a worker. */
#define CX_OFFLOAD_BYTES (256 * CX_KIB)
#define CX_STREAM_MESSAGE_SIZE (256 * CX_KIB) /* What a message of a stream is filled up to. */
#define CX_STREAM_UNANSWERED_MAX 4096u        /* Updates. A stream with more is not read on. */
#define CX_STREAM_UNANSWERED_BYTES_MAX CX_MIB /* The same for what their failures weigh. */

/* ---- Subscriptions. -------------------------------------------------------- */
#define CX_FILTER_IDS_MAX 1000u
#define CX_FILTER_EVENT_TYPES_MAX 64u
#define CX_PROGRESS_INTERVAL_US_DEFAULT (10 * CX_SECOND_US)
#define CX_PROGRESS_INTERVAL_US_MIN (CX_SECOND_US / 10)
#define CX_PROGRESS_INTERVAL_US_MAX (3600 * CX_SECOND_US)
#define CX_PROGRESS_STEPS 1024u                /* Moments within a quarter of an interval. */
#define CX_EVENT_SIZE_MAX CX_MIB               /* Mutations that weigh more are not told. */
#define CX_EVENT_PART_SIZE (64 * CX_KIB)       /* Of an event that comes in parts. */
#define CX_EVENT_OP_WEIGHT 16u                 /* Of a mutation, beside what it holds. */
#define CX_FEED_MESSAGE_SIZE (32 * CX_KIB)     /* What a message of events is filled up to. */
#define CX_FEED_BLOCK_BYTES (256 * CX_KIB)     /* Of the log, in one block. */
#define CX_FEED_BLOCK_EVENTS 1024u             /* In one block, unless one change makes more. */
#define CX_FEED_CACHE_BYTES_MAX (64 * CX_MIB)  /* Blocks in memory. */
#define CX_FEED_HANDED_BYTES_MAX (16 * CX_MIB) /* Of the log, on their way to the tail. */

#define CX_SNAPSHOT_ROWS 128u /* Contexts that a snapshot looks at under one lock. */

/* ---- The engine. ----------------------------------------------------------- */
#define CX_SHARDS 64u             /* One bit each in a mask of 64. */
#define CX_VALUE_INLINE_MAX 1024u /* Larger values are made of shared chunks. */

/* A put that repeats at least so many bytes of the value before it is logged as what
 * follows them, so that a value that grows costs what it grew by. */
#define CX_PUT_KEPT_MIN 4096u

/* Records wait in memory for the log's writer. More than this are `OVERLOADED`,
 * so that a slow disk is told to the clients instead of filling the memory. */
#define CX_LOG_PENDING_BYTES_MAX (64 * CX_MIB)

/* A log segment, at least; it always holds the largest change twice. */
#define CX_SEGMENT_SIZE_MIN (64 * CX_MIB)

/* What the client is told to wait when the server is `OVERLOADED`. */
#define CX_OVERLOADED_RETRY_US (100 * 1000LL)

static_assert(CX_SHARDS == 64, "locks are taken by a mask of 64 bits");

#endif /* CX_BASE_LIMITS_H */
