package contextd

import (
	"fmt"
	"sort"
	"strconv"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// context checks the name of a context. sizeMin 0: it may be left out.
func (c *checks) context(namespaceField, namespace, idField, id string, sizeMin int) {
	c.namespace(namespaceField, namespace)
	c.name(idField, id, sizeMin, nameSizeMax)
}

func (c *checks) labels(field string, labels map[string]string) {
	c.count(field, len(labels), 0, labelsMax)
	if c.err != nil || len(labels) == 0 {
		return
	}
	keys := make([]string, 0, len(labels))
	for key := range labels {
		keys = append(keys, key)
	}
	sort.Strings(keys) // So that it is always the same one that is told.
	for _, key := range keys {
		c.name(field+".key", key, 1, labelKeySizeMax)
		c.text(field+".value", labels[key], labelValueSizeMax)
	}
}

func (c *checks) newContext(field string, begins *pb.NewContext) {
	if begins == nil || c.err != nil {
		return
	}
	c.above = field
	c.name("type", begins.GetType(), 0, typeSizeMax)
	c.name("parent_id", begins.GetParentId(), 0, nameSizeMax)
	c.labels("metadata", begins.GetMetadata())
	c.above = ""
}

func (c *checks) requestID(id string) {
	c.text("write.request_id", id, requestIDSizeMax)
}

// mutations checks the steps of a change. The path of a field is only made for one that is refused.
func (c *checks) mutations(steps []*pb.Mutation) {
	for i := 0; i < len(steps) && c.err == nil; i++ {
		if field, rule := mutationRule(steps[i]); rule != "" {
			c.broke("mutations["+strconv.Itoa(i)+"]."+field, rule)
		}
	}
}

// mutationRule gives the field of a step that breaks a rule, and the rule, or "".
func mutationRule(step *pb.Mutation) (string, string) {
	switch kind := step.GetKind().(type) {
	case *pb.Mutation_PutEntry:
		return entryRule("put_entry", kind.PutEntry.GetKey(), kind.PutEntry.GetContentType())
	case *pb.Mutation_AppendEntry:
		return entryRule("append_entry", kind.AppendEntry.GetKey(), kind.AppendEntry.GetContentType())
	case *pb.Mutation_DeleteEntry:
		return "delete_entry.key", nameRule(kind.DeleteEntry.GetKey(), 1, keySizeMax)
	case *pb.Mutation_DeleteEntries:
		return "delete_entries.prefix", nameRule(kind.DeleteEntries.GetPrefix(), 0, keySizeMax)
	case *pb.Mutation_SetMetadata:
		label := kind.SetMetadata
		if rule := nameRule(label.GetKey(), 1, labelKeySizeMax); rule != "" {
			return "set_metadata.key", rule
		}
		return "set_metadata.value", textRule(label.GetValue(), labelValueSizeMax)
	case *pb.Mutation_DeleteMetadata:
		return "delete_metadata.key", nameRule(kind.DeleteMetadata.GetKey(), 1, labelKeySizeMax)
	case *pb.Mutation_RecordActivity:
		field, rule := activityRule(kind.RecordActivity)
		return "record_activity." + field, rule
	}
	return "", ""
}

func entryRule(step, key, contentType string) (string, string) {
	if rule := nameRule(key, 1, keySizeMax); rule != "" {
		return step + ".key", rule
	}
	if rule := textRule(contentType, contentTypeMax); rule != "" {
		return step + ".content_type", rule
	}
	return "", ""
}

// activityRule checks the texts of an activity, which must be UTF-8 to be sent at all.
func activityRule(activity *pb.Activity) (string, string) {
	if rule := nameRule(activity.GetType(), 0, typeSizeMax); rule != "" {
		return "type", rule
	}
	if rule := textRule(activity.GetContentType(), contentTypeMax); rule != "" {
		return "content_type", rule
	}
	if file := activity.GetFile(); file != nil {
		if rule := textRule(file.GetPath(), pathSizeMax); rule != "" {
			return "file.path", rule
		}
		if file.GetPath() == "" {
			return "file.path", "must not be empty"
		}
		return "file.operation", nameRule(file.GetOperation(), 0, typeSizeMax)
	}
	if activity.GetDetail() == nil && activity.GetType() == "" {
		return "type", "must not be empty without a detail"
	}
	return "", ""
}

func (c *checks) preconditions(conditions []*pb.Precondition) {
	c.count("preconditions", len(conditions), 0, preconditionsMax)
	for i := 0; i < len(conditions) && c.err == nil; i++ {
		if entry := conditions[i].GetEntry(); entry != nil {
			if rule := nameRule(entry.GetKey(), 1, keySizeMax); rule != "" {
				c.broke(fmt.Sprintf("preconditions[%d].entry.key", i), rule)
			}
		}
	}
}
