package contextd

import (
	"strconv"

	"google.golang.org/protobuf/proto"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// checkRequest gives what the server would refuse a request for, whatever it holds: ErrInvalidField.
// requestID is that of a write.
func checkRequest(request proto.Message, requestID string) error {
	wrong := requestChecks(request)
	err := wrong.err()
	if refused, ok := err.(failed); ok {
		refused.failure().RequestID = requestID
	}
	return err
}

func requestChecks(request proto.Message) checks {
	switch request := request.(type) {
	case *pb.UpdateContextRequest: // The first, as the most frequent one.
		return updateChecks(request)
	case *pb.CreateRecoveryPointRequest:
		return createPointChecks(request)
	case *pb.GetRecoveryPointRequest:
		return getPointChecks(request)
	case *pb.UpdateRecoveryPointRequest:
		return updatePointChecks(request)
	case *pb.DeleteRecoveryPointRequest:
		return deletePointChecks(request)
	}
	if wrong, ok := contextChecks(request); ok {
		return wrong
	}
	if wrong, ok := trackerChecks(request); ok {
		return wrong
	}
	return recoveryChecks(request)
}

func updateChecks(request *pb.UpdateContextRequest) (c checks) {
	c.context(request.GetNamespace(), request.GetContextId())
	c.mutations(request.GetMutations(), 1)
	c.preconditions(request.GetPreconditions())
	c.newContext("create_if_missing", request.GetCreateIfMissing(), request.GetContextId())
	c.write(request.GetWrite())
	return c
}

// contextChecks are those of the service ContextManager. known is false of other requests.
func contextChecks(request proto.Message) (c checks, known bool) {
	switch request := request.(type) {
	case *pb.CreateContextRequest:
		c.optionalContext(request.GetNamespace(), request.GetContextId())
		c.newContext("properties", request.GetProperties(), request.GetContextId())
		c.mutations(request.GetMutations(), 0)
		c.write(request.GetWrite())
	case *pb.GetContextRequest:
		c = getContextChecks(request)
	case *pb.ReadEntriesRequest:
		c.state("state", request.GetState())
		c.name("key_prefix", request.GetKeyPrefix(), 0, keySizeMax)
		c.name("after_key", request.GetAfterKey(), 0, keySizeMax)
		c.name("before_key", request.GetBeforeKey(), 0, keySizeMax)
	case *pb.ListContextsRequest:
		c.namespace(request.GetNamespace())
		c.name("id_prefix", request.GetIdPrefix(), 0, nameSizeMax)
		c.name("type", request.GetType(), 0, typeSizeMax)
		c.name("parent_id", request.GetParentId(), 0, nameSizeMax)
		c.labels("metadata", request.GetMetadata())
		c.pageSize(request.GetPageSize())
	case *pb.DeleteContextRequest:
		c.context(request.GetNamespace(), request.GetContextId())
		c.preconditions(request.GetPreconditions())
		c.write(request.GetWrite())
	case *pb.BatchGetContextsRequest:
		each(&c, "requests", request.GetRequests(), 1, batchMax, getContextChecks)
	case *pb.BatchUpdateContextsRequest:
		each(&c, "requests", request.GetRequests(), 1, batchMax, updateChecks)
		c.write(request.GetWrite())
	case *pb.ListNamespacesRequest:
		c.pageSize(request.GetPageSize())
	default:
		return c, false
	}
	return c, true
}

func getContextChecks(request *pb.GetContextRequest) (c checks) {
	c.state("state", request.GetState())
	c.names("keys", request.GetKeys(), keysMax, keySizeMax)
	c.name("key_prefix", request.GetKeyPrefix(), 0, keySizeMax)
	return c
}

// trackerChecks are those of the service Tracker. known is false of other requests.
func trackerChecks(request proto.Message) (c checks, known bool) {
	if c, known = sessionChecks(request); known {
		return c, true
	}
	switch request := request.(type) {
	case *pb.GetContextStatusRequest:
		c.context(request.GetNamespace(), request.GetContextId())
	case *pb.RecordActivitiesRequest:
		c.context(request.GetNamespace(), request.GetContextId())
		each(&c, "activities", request.GetActivities(), 1, activitiesMax, activityChecks)
		c.newContext("create_if_missing", request.GetCreateIfMissing(), request.GetContextId())
		c.write(request.GetWrite())
	case *pb.ListActivitiesRequest:
		c.context(request.GetNamespace(), request.GetContextId())
		c.pageSize(request.GetPageSize())
		c.names("types", request.GetTypes(), activityTypesMax, typeSizeMax)
		begin, end := request.GetStartTime(), request.GetEndTime()
		if begin != nil && end != nil && end.AsTime().Before(begin.AsTime()) {
			c.broke("end_time", "must not be before start_time")
		}
	case *pb.TruncateHistoryRequest:
		c.context(request.GetNamespace(), request.GetContextId())
		switch keep := request.GetKeep().(type) {
		case nil:
			c.broke("keep", "must be set: from_sequence or from_time")
		case *pb.TruncateHistoryRequest_FromSequence:
			if keep.FromSequence == 0 {
				c.broke("from_sequence", "must be positive")
			}
		}
		c.write(request.GetWrite())
	case *pb.OptimizeHistoryRequest:
		c.context(request.GetNamespace(), request.GetContextId())
		c.write(request.GetWrite())
	case *pb.ListFilesRequest:
		c.context(request.GetNamespace(), request.GetContextId())
		c.text("path_prefix", request.GetPathPrefix(), pathSizeMax)
		c.pageSize(request.GetPageSize())
	case *pb.ListResourcesRequest:
		c.context(request.GetNamespace(), request.GetContextId())
		c.pageSize(request.GetPageSize())
	case *pb.SummarizeUsageRequest:
		c.optionalContext(request.GetNamespace(), request.GetContextId())
	case *pb.SubscribeRequest:
		c.namespace(request.GetNamespace())
		c.names("context_ids", request.GetContextIds(), filterIDsMax, nameSizeMax)
		c.name("id_prefix", request.GetIdPrefix(), 0, nameSizeMax)
		c.name("type", request.GetType(), 0, typeSizeMax)
		c.labels("metadata", request.GetMetadata())
		c.count("event_types", len(request.GetEventTypes()), 0, filterTypesMax)
		c.name("key_prefix", request.GetKeyPrefix(), 0, keySizeMax)
		c.duration("progress_interval", request.GetProgressInterval(),
			progressIntervalMin, progressIntervalMax)
		c.text("cursor", request.GetCursor(), textSizeMax)
	default:
		return c, false
	}
	return c, true
}

// sessionChecks are those of sessions and what they hold. known is false of other requests.
func sessionChecks(request proto.Message) (c checks, known bool) {
	switch request := request.(type) {
	case *pb.StartSessionRequest:
		c.namespace(request.GetNamespace())
		c.name("owner", request.GetOwner(), 0, nameSizeMax)
		c.labels("metadata", request.GetMetadata())
		c.duration("ttl", request.GetTtl(), sessionTTLMin, sessionTTLMax)
		c.name("default_context_id", request.GetDefaultContextId(), 0, nameSizeMax)
		c.newContext("create_if_missing", request.GetCreateIfMissing(), "")
		if request.GetMaxActiveContexts() > activeContextsMax {
			c.broke("max_active_contexts",
				"must be 1 to "+strconv.Itoa(activeContextsMax)+", or 0 for 5")
		}
		c.write(request.GetWrite())
	case *pb.RenewSessionRequest:
		c.namespace(request.GetNamespace())
		c.session(request.GetSessionId())
	case *pb.EndSessionRequest:
		c.namespace(request.GetNamespace())
		c.session(request.GetSessionId())
		c.write(request.GetWrite())
	case *pb.GetSessionRequest:
		c.namespace(request.GetNamespace())
		c.session(request.GetSessionId())
	case *pb.ListSessionsRequest:
		c.namespace(request.GetNamespace())
		c.name("owner", request.GetOwner(), 0, nameSizeMax)
		c.pageSize(request.GetPageSize())
	case *pb.ActivateContextRequest:
		c.held(request)
		if request.GetTakeover() && !request.GetExclusive() {
			c.broke("takeover", "must not be set without `exclusive`")
		}
		if request.GetGuard() && !request.GetExclusive() {
			c.broke("guard", "must not be set without `exclusive`")
		}
	case *pb.SwitchContextRequest:
		c.held(request)
	case *pb.DeactivateContextRequest:
		c.held(request)
	case *pb.AcquireResourceRequest:
		c.held(request)
		c.name("name", request.GetName(), 1, nameSizeMax)
		c.name("type", request.GetType(), 0, typeSizeMax)
		c.labels("metadata", request.GetMetadata())
	case *pb.ReleaseResourceRequest:
		c.held(request)
		c.name("name", request.GetName(), 1, nameSizeMax)
	default:
		return c, false
	}
	return c, true
}

// held checks what all requests have with which a session takes or gives back something of a context.
func (c *checks) held(request interface {
	GetNamespace() string
	GetContextId() string
	GetSessionId() string
	GetWrite() *pb.WriteOptions
}) {
	c.context(request.GetNamespace(), request.GetContextId())
	c.session(request.GetSessionId())
	c.write(request.GetWrite())
}

// recoveryChecks are those of the service Recovery, but for single points.
func recoveryChecks(request proto.Message) (c checks) {
	switch request := request.(type) {
	case *pb.BatchRecoveryPointsRequest:
		each(&c, "operations", request.GetOperations(), 1, batchMax, operationChecks)
	case *pb.ListRecoveryPointsRequest:
		c.optionalContext(request.GetNamespace(), request.GetContextId())
		c.name("id_prefix", request.GetIdPrefix(), 0, nameSizeMax)
		c.pageSize(request.GetPageSize())
		c.labels("metadata", request.GetMetadata())
		c.name("before_recovery_point_id", request.GetBeforeRecoveryPointId(), 0, pointIDSizeMax)
		c.name("ancestors_of", request.GetAncestorsOf(), 0, pointIDSizeMax)
		c.names("keys", request.GetKeys(), keysMax, keySizeMax)
	case *pb.PruneRecoveryPointsRequest:
		c.optionalContext(request.GetNamespace(), request.GetContextId())
		c.name("id_prefix", request.GetIdPrefix(), 0, nameSizeMax)
		c.labels("metadata", request.GetMetadata())
		if policy := request.GetPolicy(); policy != nil {
			c.inside("policy", retentionChecks(policy))
		} else if len(request.GetMetadata()) == 0 {
			c.broke("policy", "must be set unless `metadata` says what to drop")
		}
		c.write(request.GetWrite())
	case *pb.RestoreContextRequest:
		c.context(request.GetNamespace(), request.GetContextId())
		c.name("recovery_point_id", request.GetRecoveryPointId(), 0, pointIDSizeMax)
		c.preconditions(request.GetPreconditions())
		c.write(request.GetWrite())
	case *pb.ForkContextRequest:
		c.state("source", request.GetSource())
		c.name("context_id", request.GetContextId(), 0, nameSizeMax)
		c.newContext("properties", request.GetProperties(), request.GetContextId())
		c.write(request.GetWrite())
	case *pb.MergeContextRequest:
		c.namespace(request.GetNamespace())
		c.state("source", request.GetSource())
		c.name("target_context_id", request.GetTargetContextId(), 1, nameSizeMax)
		if request.GetAncestor() != nil {
			c.state("ancestor", request.GetAncestor())
		}
		for key := range request.GetOnConflictByKey() {
			c.name("on_conflict_by_key.key", key, 1, keySizeMax)
		}
		c.preconditions(request.GetPreconditions())
		c.write(request.GetWrite())
	case *pb.DiffStatesRequest:
		c.state("before", request.GetBefore())
		c.state("after", request.GetAfter())
		c.name("key_prefix", request.GetKeyPrefix(), 0, keySizeMax)
	case *pb.SyncContextRequest:
		c.context(request.GetNamespace(), request.GetContextId())
	}
	return c
}
