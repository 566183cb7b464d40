package contextd

import (
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// wrongRequests are requests of which one field breaks a rule.
func wrongRequests() []proto.Message {
	var all wrong
	all.names()
	all.texts()
	all.activities()
	all.counts()
	all.lengths()
	all.parts()
	all.together()
	return all
}

type wrong []proto.Message

func (w *wrong) add(requests ...proto.Message) { *w = append(*w, requests...) }

// badNames are wrong wherever a name has at most sizeMax bytes.
func badNames(sizeMax int) []string {
	return []string{strings.Repeat("é", sizeMax/2) + "xy", "a\nb", "\u0085", "a\x00b", "\x00"}
}

func badTexts(sizeMax int) []string { return []string{strings.Repeat("x", sizeMax+1), "a\x00b"} }

func state() *pb.StateRef { return &pb.StateRef{Namespace: "n", ContextId: "c"} }

func put(key string) *pb.Mutation { return PutEntry{Key: key}.message() }

// change is an update whose last step is wrong.
func change(step *pb.Mutation) proto.Message {
	return &pb.UpdateContextRequest{ContextId: "c", Mutations: []*pb.Mutation{put("k"), step}}
}

func repeated[T any](value T, count int) []T {
	made := make([]T, count)
	for i := range made {
		made[i] = value
	}
	return made
}

func (w *wrong) names() {
	for _, bad := range []string{strings.Repeat("x", 64), "é", "Abc", "a b", "-a", "a\nb", "a\x00b"} {
		w.add(&pb.ListContextsRequest{Namespace: bad})
	}
	for _, bad := range append(badNames(nameSizeMax), "") {
		w.add(
			&pb.UpdateContextRequest{ContextId: bad, Mutations: []*pb.Mutation{put("k")}},
			&pb.DeleteContextRequest{ContextId: bad},
			&pb.GetContextRequest{State: &pb.StateRef{ContextId: bad}},
			&pb.RecordActivitiesRequest{ContextId: bad},
			&pb.ListFilesRequest{ContextId: bad},
			&pb.SyncContextRequest{ContextId: bad},
			&pb.GetContextStatusRequest{ContextId: bad},
			&pb.DeactivateContextRequest{ContextId: bad},
			&pb.MergeContextRequest{Source: state(), Namespace: "n", TargetContextId: bad},
			&pb.SubscribeRequest{ContextIds: []string{"c", bad}},
			&pb.GetSessionRequest{SessionId: bad},
			&pb.RenewSessionRequest{SessionId: bad},
			&pb.AcquireResourceRequest{ContextId: "c", SessionId: "s", Name: bad},
		)
	}
	for _, bad := range badNames(nameSizeMax) {
		w.add(
			&pb.CreateContextRequest{ContextId: bad},
			&pb.ListContextsRequest{IdPrefix: bad},
			&pb.ListContextsRequest{ParentId: bad},
			&pb.ListSessionsRequest{Owner: bad},
			&pb.StartSessionRequest{Owner: bad},
			&pb.StartSessionRequest{DefaultContextId: bad},
			&pb.SummarizeUsageRequest{ContextId: bad},
			&pb.ForkContextRequest{Source: state(), ContextId: bad},
			&pb.CreateContextRequest{Properties: &pb.NewContext{ParentId: bad}},
			&pb.DeleteContextRequest{ContextId: "c", Write: &pb.WriteOptions{SessionId: bad}},
		)
	}
	for _, bad := range badNames(typeSizeMax) {
		w.add(
			&pb.CreateContextRequest{Properties: &pb.NewContext{Type: bad}},
			&pb.ListContextsRequest{Type: bad},
			&pb.SubscribeRequest{Type: bad},
			&pb.AcquireResourceRequest{ContextId: "c", SessionId: "s", Name: "r", Type: bad},
		)
	}
	w.keys()
	w.points()
	for _, bad := range append(badNames(labelKeySizeMax), "") {
		labels := map[string]string{bad: ""}
		w.add(
			change(SetMetadata{Key: bad}.message()),
			change(DeleteMetadata{Key: bad}.message()),
			&pb.ListContextsRequest{Metadata: labels},
			&pb.CreateContextRequest{Properties: &pb.NewContext{Metadata: labels}},
			&pb.StartSessionRequest{Metadata: labels},
			&pb.UpdateRecoveryPointRequest{
				ContextId: "c", RecoveryPointId: "p", SetMetadata: labels,
			},
			&pb.UpdateRecoveryPointRequest{
				ContextId: "c", RecoveryPointId: "p", DeleteMetadata: []string{bad},
			},
		)
	}
}

func (w *wrong) keys() {
	for _, bad := range append(badNames(keySizeMax), "") {
		w.add(
			change(put(bad)),
			change(AppendEntry{Key: bad}.message()),
			change(DeleteEntry{Key: bad}.message()),
			&pb.GetContextRequest{State: state(), Keys: []string{"k", bad}},
			&pb.GetRecoveryPointRequest{ContextId: "c", Keys: []string{bad}},
			&pb.UpdateContextRequest{
				ContextId: "c", Mutations: []*pb.Mutation{put("k")},
				Preconditions: []*pb.Precondition{IfVersion(1).message, IfEntry(bad, 1).message},
			},
			&pb.CreateRecoveryPointRequest{ContextId: "c", Attachments: []*pb.Entry{{Key: bad}}},
			&pb.UpdateRecoveryPointRequest{
				ContextId: "c", RecoveryPointId: "p", DeleteAttachments: []string{bad},
			},
			&pb.MergeContextRequest{
				Source: state(), Namespace: "n", TargetContextId: "t",
				OnConflictByKey: map[string]pb.MergeContextRequest_OnConflict{bad: 1},
			},
		)
	}
	for _, bad := range badNames(keySizeMax) {
		w.add(
			change(DeleteEntries{Prefix: bad}.message()),
			&pb.GetContextRequest{State: state(), KeyPrefix: bad},
			&pb.ReadEntriesRequest{State: state(), AfterKey: bad},
			&pb.ReadEntriesRequest{State: state(), BeforeKey: bad},
			&pb.DiffStatesRequest{Before: state(), After: state(), KeyPrefix: bad},
			&pb.SubscribeRequest{KeyPrefix: bad},
		)
	}
}

func (w *wrong) points() {
	for _, bad := range append(badNames(pointIDSizeMax), "") {
		w.add(
			&pb.DeleteRecoveryPointRequest{ContextId: "c", RecoveryPointId: bad},
			&pb.UpdateRecoveryPointRequest{ContextId: "c", RecoveryPointId: bad},
		)
	}
	for _, bad := range badNames(pointIDSizeMax) {
		w.add(
			&pb.CreateRecoveryPointRequest{ContextId: "c", RecoveryPointId: bad},
			&pb.CreateRecoveryPointRequest{ContextId: "c", FromRecoveryPointId: bad},
			&pb.RestoreContextRequest{
				ContextId: "c",
				Target:    &pb.RestoreContextRequest_RecoveryPointId{RecoveryPointId: bad},
			},
			&pb.ListRecoveryPointsRequest{ContextId: "c", AncestorsOf: bad},
			&pb.ListRecoveryPointsRequest{ContextId: "c", BeforeRecoveryPointId: bad},
		)
	}
}

func (w *wrong) texts() {
	for _, bad := range badTexts(labelValueSizeMax) {
		w.add(
			change(SetMetadata{Key: "k", Value: bad}.message()),
			&pb.ListContextsRequest{Metadata: map[string]string{"k": bad}},
		)
	}
	for _, bad := range badTexts(contentTypeMax) {
		w.add(
			change(PutEntry{Key: "k", ContentType: bad}.message()),
			change(AppendEntry{Key: "k", ContentType: bad}.message()),
			&pb.DeleteContextRequest{ContextId: "c", Write: &pb.WriteOptions{RequestId: bad}},
		)
	}
	for _, bad := range badTexts(pathSizeMax) {
		w.add(
			&pb.ListFilesRequest{ContextId: "c", PathPrefix: bad},
			touched(FileOperation{Path: bad}),
		)
	}
	for _, bad := range badTexts(typeSizeMax) {
		w.add(touched(FileOperation{Path: "p", Operation: bad}))
	}
	for _, bad := range badTexts(fileSourceSizeMax) {
		w.add(touched(FileOperation{Path: "p", Source: bad}))
	}
}

func recorded(activity Activity) proto.Message {
	return change(RecordActivity{activity}.message())
}

func touched(file FileOperation) proto.Message { return recorded(Activity{File: &file}) }

func called(model ModelUsage) proto.Message { return recorded(Activity{Model: &model}) }

func (w *wrong) activities() {
	long := strings.Repeat("x", nameSizeMax+1)
	talked := &pb.Activity{Type: "t"}
	w.add(
		recorded(Activity{}),
		recorded(Activity{Type: strings.Repeat("x", typeSizeMax+1)}),
		recorded(Activity{Type: "t", ContentType: strings.Repeat("x", contentTypeMax+1)}),
		recorded(Activity{Type: "t", Metadata: map[string]string{"": ""}}),
		touched(FileOperation{}),
		called(ModelUsage{Currency: "eur"}),
		called(ModelUsage{Currency: "EURO"}),
		called(ModelUsage{Currency: "€"}),
		called(ModelUsage{Provider: long}),
		called(ModelUsage{Model: long}),
		called(ModelUsage{Mode: long}),
		called(ModelUsage{Latency: -time.Second}),
		called(ModelUsage{Latency: ttlMax + time.Second}),
		&pb.RecordActivitiesRequest{ContextId: "c"},
		&pb.RecordActivitiesRequest{ContextId: "c", Activities: []*pb.Activity{talked, {}}},
		&pb.RecordActivitiesRequest{
			ContextId: "c", Activities: repeated(talked, activitiesMax+1),
		},
		&pb.ListActivitiesRequest{ContextId: "c", Types: []string{"t", ""}},
		&pb.ListActivitiesRequest{ContextId: "c", Types: repeated("t", activityTypesMax+1)},
		&pb.ListActivitiesRequest{
			ContextId: "c", StartTime: &timestamppb.Timestamp{Seconds: 5},
			EndTime: &timestamppb.Timestamp{Seconds: 4},
		},
		&pb.TruncateHistoryRequest{ContextId: "c"},
		&pb.TruncateHistoryRequest{ContextId: "c", Keep: &pb.TruncateHistoryRequest_FromSequence{}},
	)
}

func (w *wrong) counts() {
	labels := make(map[string]string)
	for i := range labelsMax + 1 {
		labels[at("k", i)] = ""
	}
	w.add(
		&pb.UpdateContextRequest{ContextId: "c"},
		&pb.UpdateContextRequest{ContextId: "c", Mutations: repeated(put("k"), mutationsMax+1)},
		&pb.UpdateContextRequest{
			ContextId: "c", Mutations: []*pb.Mutation{put("k")},
			Preconditions: repeated(IfVersion(1).message, preconditionsMax+1),
		},
		&pb.UpdateContextRequest{
			ContextId: "c", Mutations: []*pb.Mutation{put("k")},
			Preconditions: []*pb.Precondition{{}},
		},
		change(&pb.Mutation{}),
		change(SpliceEntry{Key: "k"}.message()),
		&pb.ListContextsRequest{Metadata: labels},
		&pb.GetContextRequest{State: state(), Keys: repeated("k", keysMax+1)},
		&pb.GetContextRequest{},
		&pb.ForkContextRequest{},
		&pb.SubscribeRequest{ContextIds: repeated("c", filterIDsMax+1)},
		&pb.SubscribeRequest{
			EventTypes: repeated(pb.EventType_EVENT_TYPE_CREATED, filterTypesMax+1),
		},
		&pb.BatchRecoveryPointsRequest{},
		&pb.BatchGetContextsRequest{},
		&pb.BatchUpdateContextsRequest{},
		&pb.StartSessionRequest{MaxActiveContexts: activeContextsMax + 1},
	)
	for _, size := range []int32{-1, pageSizeMax + 1} {
		w.add(
			&pb.ListContextsRequest{PageSize: size},
			&pb.ListNamespacesRequest{PageSize: size},
			&pb.ListSessionsRequest{PageSize: size},
			&pb.ListActivitiesRequest{ContextId: "c", PageSize: size},
			&pb.ListFilesRequest{ContextId: "c", PageSize: size},
			&pb.ListResourcesRequest{ContextId: "c", PageSize: size},
			&pb.ListRecoveryPointsRequest{PageSize: size},
		)
	}
}

// parts are wrong parts of calls that are all or nothing.
func (w *wrong) parts() {
	good := &pb.UpdateContextRequest{ContextId: "c", Mutations: []*pb.Mutation{put("k")}}
	w.add(&pb.BatchUpdateContextsRequest{
		Atomic: true, Requests: []*pb.UpdateContextRequest{good, {ContextId: "d"}},
	})
}

func (w *wrong) lengths() {
	for _, seconds := range []int64{0, -1, 4_000_000_000} {
		length := &durationpb.Duration{Seconds: seconds}
		retention := &pb.RetentionPolicy{KeepWithin: length}
		for _, policy := range []*pb.RecoveryPolicy{{PointEvery: length}, {Retention: retention}} {
			w.add(
				change(&pb.Mutation{Kind: &pb.Mutation_SetRecoveryPolicy{
					SetRecoveryPolicy: &pb.SetRecoveryPolicy{Policy: policy},
				}}),
				&pb.CreateContextRequest{Properties: &pb.NewContext{RecoveryPolicy: policy}},
			)
		}
		expiry := &pb.SetExpiry{Ttl: length}
		w.add(
			change(&pb.Mutation{Kind: &pb.Mutation_SetExpiry{SetExpiry: expiry}}),
			&pb.CreateContextRequest{Properties: &pb.NewContext{Expiry: expiry}},
			&pb.CreateRecoveryPointRequest{ContextId: "c", Ttl: length},
			&pb.UpdateRecoveryPointRequest{ContextId: "c", RecoveryPointId: "p", Ttl: length},
			&pb.StartSessionRequest{Ttl: length},
			&pb.SubscribeRequest{ProgressInterval: length},
			&pb.PruneRecoveryPointsRequest{ContextId: "c", Policy: retention},
		)
	}
	w.add(
		change(SetRecoveryPolicy{&RecoveryPolicy{Retention: &RetentionPolicy{}}}.message()),
		&pb.PruneRecoveryPointsRequest{ContextId: "c", Policy: &pb.RetentionPolicy{}},
	)
}

func (w *wrong) together() {
	own := &pb.NewContext{ParentId: "c"}
	twice := []*pb.Entry{{Key: "a"}, {Key: "a"}}
	w.add(
		&pb.CreateContextRequest{ContextId: "c", Properties: own},
		&pb.UpdateContextRequest{
			ContextId: "c", Mutations: []*pb.Mutation{put("k")}, CreateIfMissing: own,
		},
		&pb.ActivateContextRequest{ContextId: "c", SessionId: "s", Takeover: true},
		&pb.ActivateContextRequest{ContextId: "c", SessionId: "s", Guard: true},
		&pb.PruneRecoveryPointsRequest{ContextId: "c"},
		&pb.CreateRecoveryPointRequest{
			ContextId: "c", Mutations: []*pb.Mutation{put("k"), SetExpiry{}.message()},
		},
		&pb.CreateRecoveryPointRequest{ContextId: "c", Attachments: twice},
		&pb.UpdateRecoveryPointRequest{
			ContextId: "c", RecoveryPointId: "p", PutAttachments: []*pb.Entry{{Key: "a"}},
			DeleteAttachments: []string{"b", "a"},
		},
		&pb.UpdateRecoveryPointRequest{
			ContextId: "c", RecoveryPointId: "p", AddAttachments: twice,
		},
		&pb.UpdateRecoveryPointRequest{
			ContextId: "c", RecoveryPointId: "p", Ttl: &durationpb.Duration{Seconds: 1},
			ClearExpiry: true,
		},
	)
}
