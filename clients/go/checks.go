package contextd

import (
	"sort"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// What the parts of requests must be. Each function gives what is wrong, with the path of the field
// in the part: that of the whole request is only made for one that is refused.

// context checks the name of a context.
func (c *checks) context(namespace, id string) {
	c.namespace(namespace)
	c.name("context_id", id, 1, nameSizeMax)
}

// optionalContext checks the name of a context that may be left out.
func (c *checks) optionalContext(namespace, id string) {
	c.namespace(namespace)
	c.name("context_id", id, 0, nameSizeMax)
}

func (c *checks) labels(field string, labels map[string]string) {
	c.count(field, len(labels), 0, labelsMax)
	if c.rule != "" || len(labels) == 0 {
		return
	}
	keys := make([]string, 0, len(labels))
	for key := range labels {
		keys = append(keys, key)
	}
	sort.Strings(keys) // So that it is always the same one that is told.
	var inner checks
	for _, key := range keys {
		inner.name("key", key, 1, labelKeySizeMax)
		inner.text("value", labels[key], labelValueSizeMax)
	}
	c.inside(field, inner)
}

// write checks who writes, and the id of the request.
func (c *checks) write(write *pb.WriteOptions) {
	c.text("write.request_id", write.GetRequestId(), requestIDSizeMax)
	c.name("write.session_id", write.GetSessionId(), 0, nameSizeMax)
}

func (c *checks) session(id string) { c.name("session_id", id, 1, nameSizeMax) }

// state checks the name of a state, which must be there.
func (c *checks) state(field string, state *pb.StateRef) {
	if state == nil {
		c.broke(field, "must be set")
		return
	}
	var inner checks
	inner.context(state.GetNamespace(), state.GetContextId())
	inner.name("recovery_point_id", state.GetRecoveryPointId(), 0, pointIDSizeMax)
	c.inside(field, inner)
}

// newContext checks how a context begins. id is its own. nil: it is not said.
func (c *checks) newContext(field string, begins *pb.NewContext, id string) {
	if begins == nil {
		return
	}
	c.inside(field, newContextChecks(begins))
	if id != "" && begins.GetParentId() == id {
		c.broke(field+".parent_id", "must not be the context itself")
	}
}

func newContextChecks(begins *pb.NewContext) (c checks) {
	c.name("type", begins.GetType(), 0, typeSizeMax)
	c.name("parent_id", begins.GetParentId(), 0, nameSizeMax)
	c.labels("metadata", begins.GetMetadata())
	c.duration("expiry.ttl", begins.GetExpiry().GetTtl(), 0, ttlMax)
	if policy := begins.GetRecoveryPolicy(); policy != nil {
		c.inside("recovery_policy", policyChecks(policy))
	}
	return c
}

func policyChecks(policy *pb.RecoveryPolicy) (c checks) {
	if rules := policy.GetRetention(); rules != nil {
		c.inside("retention", retentionChecks(rules))
	}
	c.duration("point_every", policy.GetPointEvery(), 0, ttlMax)
	return c
}

func retentionChecks(rules *pb.RetentionPolicy) (c checks) {
	c.duration("keep_within", rules.GetKeepWithin(), 0, ttlMax)
	if rules.GetKeepLast() == 0 && rules.GetKeepEvery() == 0 && rules.GetKeepWithin() == nil {
		c.broke("", "must have at least one rule")
	}
	return c
}

func (c *checks) mutations(steps []*pb.Mutation, countMin int) {
	each(c, "mutations", steps, countMin, mutationsMax, mutationChecks)
}

func mutationChecks(step *pb.Mutation) (c checks) {
	switch kind := step.GetKind().(type) {
	case *pb.Mutation_PutEntry:
		put := kind.PutEntry
		c.inside("put_entry", entryChecks(put.GetKey(), put.GetContentType()))
	case *pb.Mutation_AppendEntry:
		add := kind.AppendEntry
		c.inside("append_entry", entryChecks(add.GetKey(), add.GetContentType()))
	case *pb.Mutation_DeleteEntry:
		c.name("delete_entry.key", kind.DeleteEntry.GetKey(), 1, keySizeMax)
	case *pb.Mutation_DeleteEntries:
		c.name("delete_entries.prefix", kind.DeleteEntries.GetPrefix(), 0, keySizeMax)
	case *pb.Mutation_SetMetadata:
		c.name("set_metadata.key", kind.SetMetadata.GetKey(), 1, labelKeySizeMax)
		c.text("set_metadata.value", kind.SetMetadata.GetValue(), labelValueSizeMax)
	case *pb.Mutation_DeleteMetadata:
		c.name("delete_metadata.key", kind.DeleteMetadata.GetKey(), 1, labelKeySizeMax)
	case *pb.Mutation_SetExpiry:
		c.duration("set_expiry.ttl", kind.SetExpiry.GetTtl(), 0, ttlMax)
	case *pb.Mutation_RecordActivity:
		c.inside("record_activity", activityChecks(kind.RecordActivity))
	case *pb.Mutation_SetRecoveryPolicy:
		if policy := kind.SetRecoveryPolicy.GetPolicy(); policy != nil {
			c.inside("set_recovery_policy.policy", policyChecks(policy))
		}
	case *pb.Mutation_SpliceEntry:
		c.broke("splice_entry", "only events have it")
	default:
		c.broke("", "must be set to a known kind")
	}
	return c
}

func entryChecks(key, contentType string) (c checks) {
	c.name("key", key, 1, keySizeMax)
	c.text("content_type", contentType, contentTypeMax)
	return c
}

func activityChecks(activity *pb.Activity) (c checks) {
	switch detail := activity.GetDetail().(type) {
	case *pb.Activity_File:
		file := detail.File
		if file.GetPath() == "" {
			c.broke("file.path", "must not be empty")
		}
		c.text("file.path", file.GetPath(), pathSizeMax)
		c.text("file.operation", file.GetOperation(), typeSizeMax)
		c.text("file.source", file.GetSource(), fileSourceSizeMax)
	case *pb.Activity_Model:
		c.inside("model", modelChecks(detail.Model))
	default:
		if activity.GetType() == "" {
			c.broke("type", "must not be empty without a detail")
		}
	}
	c.name("type", activity.GetType(), 0, typeSizeMax)
	c.text("content_type", activity.GetContentType(), contentTypeMax)
	c.labels("metadata", activity.GetMetadata())
	return c
}

func modelChecks(model *pb.ModelUsage) (c checks) {
	c.name("provider", model.GetProvider(), 0, nameSizeMax)
	c.name("model", model.GetModel(), 0, nameSizeMax)
	c.name("mode", model.GetMode(), 0, nameSizeMax)
	if currency := model.GetCurrency(); currency != "" && !isCurrency(currency) {
		c.broke("currency", "must be three capital letters, such as EUR")
	}
	if latency := model.GetLatency().AsDuration(); latency < 0 {
		c.broke("latency", "must not be negative")
	} else if latency > 0 {
		c.duration("latency", model.GetLatency(), 0, ttlMax)
	}
	return c
}

func isCurrency(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < 'A' || text[i] > 'Z' {
			return false
		}
	}
	return len(text) == 3
}

func (c *checks) preconditions(conditions []*pb.Precondition) {
	each(c, "preconditions", conditions, 0, preconditionsMax, preconditionChecks)
}

func preconditionChecks(condition *pb.Precondition) (c checks) {
	switch kind := condition.GetKind().(type) {
	case *pb.Precondition_Entry:
		c.name("entry.key", kind.Entry.GetKey(), 1, keySizeMax)
	case nil:
		c.broke("", "must be set to a known kind")
	}
	return c
}

func (c *checks) attachments(field string, entries []*pb.Entry) {
	each(c, field, entries, 0, attachmentsMax, func(entry *pb.Entry) checks {
		return entryChecks(entry.GetKey(), entry.GetContentType())
	})
}

// namedOnce looks for attachments that are named twice. seen are those of the fields before.
func (c *checks) namedOnce(field string, entries []*pb.Entry, seen map[string]bool) {
	for i, entry := range entries {
		if seen[entry.GetKey()] {
			c.broke(at(field, i)+".key", "must not be named twice")
			return
		}
		seen[entry.GetKey()] = true
	}
}
