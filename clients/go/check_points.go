package contextd

import (
	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

func createPointChecks(request *pb.CreateRecoveryPointRequest) (c checks) {
	c.context(request.GetNamespace(), request.GetContextId())
	c.name("recovery_point_id", request.GetRecoveryPointId(), 0, pointIDSizeMax)
	c.name("from_recovery_point_id", request.GetFromRecoveryPointId(), 0, pointIDSizeMax)
	c.mutations(request.GetMutations(), 0)
	if !request.GetMoveHead() {
		c.stateSteps(request.GetMutations())
	}
	c.labels("metadata", request.GetMetadata())
	c.attachments("attachments", request.GetAttachments())
	if len(request.GetAttachments()) > 1 {
		c.namedOnce("attachments", request.GetAttachments(), make(map[string]bool))
	}
	c.duration("ttl", request.GetTtl(), 0, ttlMax)
	c.newContext("create_if_missing", request.GetCreateIfMissing(), request.GetContextId())
	c.preconditions(request.GetPreconditions())
	c.write(request.GetWrite())
	return c
}

// stateSteps checks the steps of a point that is not the head's: it has no history, expiry and policy
// of its own.
func (c *checks) stateSteps(steps []*pb.Mutation) {
	for i, step := range steps {
		switch step.GetKind().(type) {
		case *pb.Mutation_SetExpiry, *pb.Mutation_RecordActivity, *pb.Mutation_SetRecoveryPolicy:
			c.broke(at("mutations", i), "must be about entries or metadata, without `move_head`")
			return
		}
	}
}

func getPointChecks(request *pb.GetRecoveryPointRequest) (c checks) {
	c.context(request.GetNamespace(), request.GetContextId())
	c.name("recovery_point_id", request.GetRecoveryPointId(), 0, pointIDSizeMax)
	c.names("keys", request.GetKeys(), keysMax, keySizeMax)
	return c
}

func updatePointChecks(request *pb.UpdateRecoveryPointRequest) (c checks) {
	c.context(request.GetNamespace(), request.GetContextId())
	c.name("recovery_point_id", request.GetRecoveryPointId(), 1, pointIDSizeMax)
	c.labels("set_metadata", request.GetSetMetadata())
	c.names("delete_metadata", request.GetDeleteMetadata(), labelsMax, labelKeySizeMax)
	c.attachments("put_attachments", request.GetPutAttachments())
	c.attachments("add_attachments", request.GetAddAttachments())
	c.names("delete_attachments", request.GetDeleteAttachments(), attachmentsMax, keySizeMax)
	c.changedOnce(request)
	c.duration("ttl", request.GetTtl(), 0, ttlMax)
	if request.GetClearExpiry() && request.GetTtl() != nil {
		c.broke("clear_expiry", "must not be set together with `ttl`")
	}
	c.write(request.GetWrite())
	return c
}

// changedOnce looks for attachments that a change names twice.
func (c *checks) changedOnce(request *pb.UpdateRecoveryPointRequest) {
	puts, adds := request.GetPutAttachments(), request.GetAddAttachments()
	deletes := request.GetDeleteAttachments()
	if len(puts)+len(adds)+len(deletes) < 2 {
		return
	}
	seen := make(map[string]bool)
	c.namedOnce("put_attachments", puts, seen)
	c.namedOnce("add_attachments", adds, seen)
	for i, key := range deletes {
		if seen[key] {
			c.broke(at("delete_attachments", i), "must not be named twice")
			return
		}
		seen[key] = true
	}
}

func deletePointChecks(request *pb.DeleteRecoveryPointRequest) (c checks) {
	c.context(request.GetNamespace(), request.GetContextId())
	c.name("recovery_point_id", request.GetRecoveryPointId(), 1, pointIDSizeMax)
	c.write(request.GetWrite())
	return c
}

// operationChecks are those of one operation of a batch.
func operationChecks(operation *pb.BatchRecoveryPointsRequest_Operation) (c checks) {
	switch kind := operation.GetKind().(type) {
	case *pb.BatchRecoveryPointsRequest_Operation_Create:
		c.inside("create", createPointChecks(kind.Create))
	case *pb.BatchRecoveryPointsRequest_Operation_Get:
		c.inside("get", getPointChecks(kind.Get))
	case *pb.BatchRecoveryPointsRequest_Operation_Update:
		c.inside("update", updatePointChecks(kind.Update))
	case *pb.BatchRecoveryPointsRequest_Operation_Delete:
		c.inside("delete", deletePointChecks(kind.Delete))
	}
	return c
}
