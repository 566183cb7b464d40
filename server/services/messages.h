/* Short names for the generated messages. For the files of this folder alone. */

#ifndef CX_SERVICES_MESSAGES_H
#define CX_SERVICES_MESSAGES_H

#include <assert.h>
#include <stddef.h>

#include "contextd/v1/context_manager.pb-c.h"
#include "contextd/v1/resources.pb-c.h"
#include "contextd/v1/tracker.pb-c.h"

typedef Contextd__V1__AcquireResourceRequest AcquireResourceRequest;
typedef Contextd__V1__AcquireResourceResponse AcquireResourceResponse;
typedef Contextd__V1__ActivateContextRequest ActivateContextRequest;
typedef Contextd__V1__ActivateContextResponse ActivateContextResponse;
typedef Contextd__V1__Activation Activation;
typedef Contextd__V1__Activity ActivityMessage;
typedef Contextd__V1__AppendEntry AppendEntry;
typedef Contextd__V1__BatchGetContextsRequest BatchGetContextsRequest;
typedef Contextd__V1__BatchGetContextsResponse BatchGetContextsResponse;
typedef Contextd__V1__BatchGetContextsResponse__Result BatchGetResult;
typedef Contextd__V1__BatchUpdateContextsRequest BatchUpdateContextsRequest;
typedef Contextd__V1__BatchUpdateContextsResponse BatchUpdateContextsResponse;
typedef Contextd__V1__CaughtUp CaughtUp;
typedef Contextd__V1__Context Context;
typedef Contextd__V1__Context__MetadataEntry ContextLabel;
typedef Contextd__V1__ContextView ContextView;
typedef Contextd__V1__CreateContextRequest CreateContextRequest;
typedef Contextd__V1__CreateContextResponse CreateContextResponse;
typedef Contextd__V1__DeactivateContextRequest DeactivateContextRequest;
typedef Contextd__V1__DeactivateContextResponse DeactivateContextResponse;
typedef Contextd__V1__DeleteEntries DeleteEntries;
typedef Contextd__V1__DeleteEntry DeleteEntry;
typedef Contextd__V1__DeleteMetadata DeleteMetadata;
typedef Contextd__V1__DeleteContextRequest DeleteContextRequest;
typedef Contextd__V1__DeleteContextResponse DeleteContextResponse;
typedef Google__Protobuf__Duration Duration;
typedef Contextd__V1__EndSessionRequest EndSessionRequest;
typedef Contextd__V1__EndSessionResponse EndSessionResponse;
typedef Contextd__V1__Entry Entry;
typedef Contextd__V1__EventBatch EventBatch;
typedef Contextd__V1__Event EventMessage;
typedef Contextd__V1__Failure Failure;
typedef Contextd__V1__Failure__MetadataEntry FailureDetail;
typedef Contextd__V1__FileOperation FileOperation;
typedef Contextd__V1__GetContextRequest GetContextRequest;
typedef Contextd__V1__GetContextResponse GetContextResponse;
typedef Contextd__V1__GetContextStatusRequest GetContextStatusRequest;
typedef Contextd__V1__GetContextStatusResponse GetContextStatusResponse;
typedef Contextd__V1__GetServerInfoResponse GetServerInfoResponse;
typedef Contextd__V1__GetSessionRequest GetSessionRequest;
typedef Contextd__V1__GetSessionResponse GetSessionResponse;
typedef Contextd__V1__ListActivitiesRequest ListActivitiesRequest;
typedef Contextd__V1__ListActivitiesResponse ListActivitiesResponse;
typedef Contextd__V1__ListContextsRequest ListContextsRequest;
typedef Contextd__V1__ListContextsResponse ListContextsResponse;
typedef Contextd__V1__ListFilesRequest ListFilesRequest;
typedef Contextd__V1__ListFilesResponse ListFilesResponse;
typedef Contextd__V1__ListNamespacesRequest ListNamespacesRequest;
typedef Contextd__V1__ListNamespacesResponse ListNamespacesResponse;
typedef Contextd__V1__ListResourcesRequest ListResourcesRequest;
typedef Contextd__V1__ListResourcesResponse ListResourcesResponse;
typedef Contextd__V1__ListSessionsRequest ListSessionsRequest;
typedef Contextd__V1__ListSessionsResponse ListSessionsResponse;
typedef Contextd__V1__ModelUsage ModelUsage;
typedef Contextd__V1__Mutation Mutation;
typedef Contextd__V1__ListNamespacesResponse__Namespace Namespace;
typedef Contextd__V1__NewContext NewContext;
typedef Contextd__V1__OptimizeHistoryRequest OptimizeHistoryRequest;
typedef Contextd__V1__OptimizeHistoryResponse OptimizeHistoryResponse;
typedef Contextd__V1__Precondition Precondition;
typedef Contextd__V1__Progress Progress;
typedef Contextd__V1__PutEntry PutEntry;
typedef Contextd__V1__ReadEntriesRequest ReadEntriesRequest;
typedef Contextd__V1__ReadEntriesResponse ReadEntriesResponse;
typedef Contextd__V1__RecordActivitiesRequest RecordActivitiesRequest;
typedef Contextd__V1__RecordActivitiesResponse RecordActivitiesResponse;
typedef Contextd__V1__ReleaseResourceRequest ReleaseResourceRequest;
typedef Contextd__V1__ReleaseResourceResponse ReleaseResourceResponse;
typedef Contextd__V1__RenewSessionRequest RenewSessionRequest;
typedef Contextd__V1__RenewSessionResponse RenewSessionResponse;
typedef Contextd__V1__Resource Resource;
typedef Contextd__V1__ResourceEvent ResourceEvent;
typedef Contextd__V1__Session Session;
typedef Contextd__V1__SequenceRange SequenceRange;
typedef Contextd__V1__SetExpiry SetExpiry;
typedef Contextd__V1__SetMetadata SetMetadata;
typedef Contextd__V1__GetServerInfoResponse__SettingsEntry Setting;
typedef Contextd__V1__SpliceEntry SpliceEntry;
typedef Contextd__V1__StartSessionRequest StartSessionRequest;
typedef Contextd__V1__StartSessionResponse StartSessionResponse;
typedef Contextd__V1__StateRef StateRef;
typedef Contextd__V1__StreamUpdatesRequest StreamUpdatesRequest;
typedef Contextd__V1__StreamUpdatesResponse StreamUpdatesResponse;
typedef Contextd__V1__SubscribeRequest SubscribeRequest;
typedef Contextd__V1__SubscribeResponse SubscribeResponse;
typedef Contextd__V1__SummarizeUsageRequest SummarizeUsageRequest;
typedef Contextd__V1__SummarizeUsageResponse SummarizeUsageResponse;
typedef Contextd__V1__SwitchContextRequest SwitchContextRequest;
typedef Contextd__V1__SwitchContextResponse SwitchContextResponse;
typedef Google__Protobuf__Timestamp Timestamp;
typedef Contextd__V1__TrackedFile TrackedFile;
typedef Contextd__V1__TruncateHistoryRequest TruncateHistoryRequest;
typedef Contextd__V1__TruncateHistoryResponse TruncateHistoryResponse;
typedef Contextd__V1__UpdateContextRequest UpdateContextRequest;
typedef Contextd__V1__UpdateContextResponse UpdateContextResponse;
typedef Contextd__V1__UpdateResult UpdateResult;
typedef Contextd__V1__SummarizeUsageResponse__UsageTotal UsageTotal;
typedef Contextd__V1__WriteOptions WriteOptions;
typedef Contextd__V1__WriteResult WriteResult;

/* protobuf-c gives each map of strings an entry of its own type. All look like this. */
typedef struct {
    ProtobufCMessage base;
    char *key;
    char *value;
} Label;

#define CX_LOOKS_LIKE_LABEL(type)                                                                  \
    static_assert(sizeof(type) == sizeof(Label) && offsetof(type, key) == offsetof(Label, key) &&  \
                      offsetof(type, value) == offsetof(Label, value),                             \
                  "an entry of a map of strings")

CX_LOOKS_LIKE_LABEL(Contextd__V1__AcquireResourceRequest__MetadataEntry);
CX_LOOKS_LIKE_LABEL(Contextd__V1__Activity__MetadataEntry);
CX_LOOKS_LIKE_LABEL(Contextd__V1__ListContextsRequest__MetadataEntry);
CX_LOOKS_LIKE_LABEL(Contextd__V1__NewContext__MetadataEntry);
CX_LOOKS_LIKE_LABEL(Contextd__V1__Resource__MetadataEntry);
CX_LOOKS_LIKE_LABEL(Contextd__V1__Session__MetadataEntry);
CX_LOOKS_LIKE_LABEL(Contextd__V1__StartSessionRequest__MetadataEntry);
CX_LOOKS_LIKE_LABEL(Contextd__V1__SubscribeRequest__MetadataEntry);

#endif /* CX_SERVICES_MESSAGES_H */
