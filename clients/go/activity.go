package contextd

import (
	"time"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Activity is something that happened while a context was worked on. At most one of File, Model and
// Resource is set.
type Activity struct {
	Sequence    uint64    // Its number in the history, from 1. Set by the server.
	Time        time.Time // Set by the server.
	Type        string    // Such as message. Empty: after the detail; without one it must be set.
	Data        []byte
	ContentType string
	Metadata    map[string]string
	SessionID   string // Who did it. Set by the server.
	File        *FileOperation
	Model       *ModelUsage
	Resource    *ResourceEvent // Only the server writes these.
}

// FileOperation is a file that was touched.
type FileOperation struct {
	Path      string // As it is: two spellings of a path are two files.
	Operation string // Such as read, write, delete.
	Source    string // The tool or agent that did it.
}

// ModelUsage is one call of a model.
type ModelUsage struct {
	Provider, Model, Mode                   string
	InputTokens, OutputTokens, CachedTokens uint64
	CostMicros                              uint64 // In millionths of Currency.
	Currency                                string // As in ISO 4217. Empty: USD.
	Latency                                 time.Duration
}

// ResourceEventKind says what became of a resource.
type ResourceEventKind int

// What becomes of a resource. ResourceEventUnknown is one that this version does not know.
const (
	ResourceEventUnknown ResourceEventKind = iota
	ResourceAcquired
	ResourceReleased
	ResourceReclaimed // The session that held it ended without giving it back.
)

// ResourceEvent is a resource that was taken or given back.
type ResourceEvent struct {
	Name, Type string
	Kind       ResourceEventKind
}

func (a Activity) message() *pb.Activity {
	made := &pb.Activity{
		Type: a.Type, Data: a.Data, ContentType: a.ContentType, Metadata: a.Metadata,
	}
	switch {
	case a.File != nil:
		made.Detail = &pb.Activity_File{File: &pb.FileOperation{
			Path: a.File.Path, Operation: a.File.Operation, Source: a.File.Source,
		}}
	case a.Model != nil:
		model := a.Model
		made.Detail = &pb.Activity_Model{Model: &pb.ModelUsage{
			Provider: model.Provider, Model: model.Model, Mode: model.Mode,
			InputTokens: model.InputTokens, OutputTokens: model.OutputTokens,
			CachedTokens: model.CachedTokens, CostMicros: model.CostMicros,
			Currency: model.Currency, Latency: length(model.Latency),
		}}
	}
	return made
}

func activityOf(activity *pb.Activity) Activity {
	made := Activity{
		Sequence:    activity.GetSequence(),
		Time:        timeOf(activity.GetTime()),
		Type:        activity.GetType(),
		Data:        activity.GetData(),
		ContentType: activity.GetContentType(),
		Metadata:    activity.GetMetadata(),
		SessionID:   activity.GetSessionId(),
	}
	switch detail := activity.GetDetail().(type) {
	case *pb.Activity_File:
		made.File = fileOperationOf(detail.File)
	case *pb.Activity_Model:
		model := detail.Model
		made.Model = &ModelUsage{
			Provider: model.GetProvider(), Model: model.GetModel(), Mode: model.GetMode(),
			InputTokens: model.GetInputTokens(), OutputTokens: model.GetOutputTokens(),
			CachedTokens: model.GetCachedTokens(), CostMicros: model.GetCostMicros(),
			Currency: model.GetCurrency(), Latency: model.GetLatency().AsDuration(),
		}
	case *pb.Activity_Resource:
		event := detail.Resource
		made.Resource = &ResourceEvent{event.GetName(), event.GetType(), ResourceEventUnknown}
		if event.GetKind() <= pb.ResourceEvent_KIND_RECLAIMED {
			made.Resource.Kind = ResourceEventKind(event.GetKind())
		}
	}
	return made
}

func fileOperationOf(file *pb.FileOperation) *FileOperation {
	return &FileOperation{file.GetPath(), file.GetOperation(), file.GetSource()}
}
