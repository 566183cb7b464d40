package contextd_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	contextd "github.com/contextd/contextd/clients/go"
)

func createTrip(t testing.TB, client *contextd.Client) *contextd.Context {
	t.Helper()
	return must[*contextd.Context](t)(client.Create(
		context.Background(), "trip", contextd.NewContext{}, []contextd.Step{
			contextd.PutEntry{Key: "goal", Value: []byte("Rome")},
			contextd.PutEntry{Key: "step", Value: []byte("search")},
		}))
}

func TestAPointIsComeBackTo(t *testing.T) {
	ctx := context.Background()
	trip := createTrip(t, connect(t))
	created := must[contextd.CreatedPoint](t)(trip.Checkpoint(ctx, contextd.NewPoint{
		ID: "found", Metadata: map[string]string{"by": "mia"},
		Attachments: []contextd.PutEntry{{Key: "offers", Value: []byte("3")}},
	}))
	if created.Point.Sequence != 1 || created.Point.Origin != contextd.OriginClient {
		t.Errorf("it was created as %+v", created)
	}
	must[contextd.Written](t)(trip.PutText(ctx, "step", "book"))
	restored := must[contextd.Restored](t)(trip.Restore(ctx, contextd.Restore{
		To: contextd.AtPoint("found"), SafetyPoint: true,
	}))
	if restored.ChangedEntryCount != 1 || restored.SafetyPointID == "" {
		t.Errorf("it was restored as %+v", restored)
	}
	if step := must[string](t)(trip.GetText(ctx, "step")); step != "search" {
		t.Errorf("the step is %q", step)
	}
	point := must[contextd.RecoveryPoint](t)(
		trip.Point(ctx, "found", contextd.PointView{Attachments: true, Entries: true}))
	if len(point.Attachments) != 1 || len(point.Entries) != 2 || point.Metadata["by"] != "mia" {
		t.Errorf("the point is %+v", point)
	}
}

func TestPointsAreChangedListedPrunedAndDeleted(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	trip := createTrip(t, client)
	for _, id := range []string{"a", "b", "c"} {
		must[contextd.CreatedPoint](t)(trip.Checkpoint(ctx, contextd.NewPoint{ID: id}))
	}
	pinned := true
	change := contextd.PointChange{Pinned: &pinned, SetMetadata: map[string]string{"k": "v"}}
	if point := must[contextd.RecoveryPoint](t)(trip.UpdatePoint(ctx, "a", change)); !point.Pinned {
		t.Errorf("the point is %+v", point)
	}
	if err := trip.Attach(ctx, "later", []contextd.PutEntry{{Key: "x"}}); err != nil {
		t.Error(err)
	}
	if err := trip.DeletePoint(ctx, "b"); err != nil {
		t.Fatal(err)
	}
	err := trip.DeletePoint(ctx, "b")
	var missing *contextd.RecoveryPointNotFoundError
	if !errors.As(err, &missing) || missing.OldestID != "a" {
		t.Errorf("deleting it again gives %v", err)
	}
	must[contextd.CreatedPoint](t)(trip.Checkpoint(ctx, contextd.NewPoint{ID: "d"}))
	how := contextd.Prune{Policy: &contextd.RetentionPolicy{KeepLast: 1}}
	if pruned := must[contextd.Pruned](t)(trip.PrunePoints(ctx, how)); pruned.RemovedCount != 1 {
		t.Errorf("it was pruned as %+v", pruned)
	}
	var ids []string
	for point, err := range client.Points(ctx, "", "", contextd.PointQuery{PageSize: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, point.ID)
	}
	if len(ids) != 2 || ids[0] != "d" || ids[1] != "a" {
		t.Errorf("the points are %v", ids)
	}
}

func TestABatchOfPointsTellsEachResult(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	trip := createTrip(t, client)
	var batch contextd.PointBatch
	batch.Create(trip, contextd.NewPoint{ID: "a"})
	batch.Get(trip, "a", contextd.PointView{Entries: true})
	batch.Delete(trip, "missing")
	for range 2 { // The second time, what was written is not written again.
		results := must[[]contextd.PointResult](t)(client.BatchPoints(ctx, &batch))
		if results[0].Err != nil || len(results[1].Point.Entries) != 2 ||
			!errors.Is(results[2].Err, contextd.ErrRecoveryPointNotFound) {
			t.Errorf("the results are %+v", results)
		}
	}
}

func TestConcurrentWorkOnPointsHasEachItsOwnResult(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	var group sync.WaitGroup
	for worker := range 20 {
		group.Add(1)
		go func() {
			defer group.Done()
			own := client.Context(fmt.Sprint(worker/2), contextd.CreateIfMissing(contextd.NewContext{}))
			for n := range 5 {
				id := fmt.Sprintf("%d-%d", worker, n)
				metadata := map[string]string{"by": id}
				made, err := own.Checkpoint(ctx, contextd.NewPoint{ID: id, Metadata: metadata})
				if err != nil || made.Point.ID != id {
					t.Errorf("%s was made as %+v, %v", id, made, err)
				}
				point, err := own.Point(ctx, id, contextd.PointView{})
				if err != nil || point.ID != id || point.Metadata["by"] != id {
					t.Errorf("%s is %+v, %v", id, point, err)
				}
				_, err = own.Checkpoint(ctx, contextd.NewPoint{ID: id})
				if !errors.Is(err, contextd.ErrRecoveryPointExists) {
					t.Errorf("%s again gives %v", id, err)
				}
				if err := own.DeletePoint(ctx, id); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	for point, err := range client.Points(ctx, "", "", contextd.PointQuery{}) {
		t.Errorf("%s is left, %v", point.ID, err)
	}
}

func TestABranchIsMergedAndGone(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	trip := createTrip(t, client)
	var id string
	err := trip.Branch(ctx, func(branch *contextd.Context) error {
		id = branch.ID()
		must[contextd.Written](t)(branch.PutText(ctx, "step", "train"))
		must[contextd.Written](t)(trip.PutText(ctx, "step", "bus"))
		_, err := trip.Merge(ctx, &branch.State, contextd.Merge{})
		var unmerged *contextd.MergeConflictsError
		if !errors.As(err, &unmerged) || len(unmerged.Conflicts) != 1 ||
			string(unmerged.Conflicts[0].Source.Value) != "train" ||
			!errors.Is(err, contextd.ErrMergeConflicts) {
			t.Errorf("the merge gives %v", err)
		}
		how := contextd.Merge{OnConflict: contextd.ConflictSource}
		merged, err := trip.Merge(ctx, &branch.State, how)
		if !merged.Applied || merged.ChangedEntryCount != 1 {
			t.Errorf("it was merged as %+v", merged)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if step := must[string](t)(trip.GetText(ctx, "step")); step != "train" {
		t.Errorf("the step is %q", step)
	}
	if _, err := client.Context(id).Info(ctx); !errors.Is(err, contextd.ErrContextNotFound) {
		t.Errorf("the branch is there: %v", err)
	}
}

func TestAForkSharesAStateAndAnUndeleteBringsItBack(t *testing.T) {
	ctx := context.Background()
	trip := createTrip(t, connect(t))
	must[contextd.Written](t)(trip.PutText(ctx, "step", "book"))
	fork := must[*contextd.Context](t)(
		trip.At(contextd.AtVersion(1)).Fork(ctx, contextd.Fork{ID: "other"}))
	info := must[contextd.ContextInfo](t)(fork.Info(ctx))
	if info.ForkedFrom == nil || info.ForkedFrom.ContextID != "trip" || info.EntryCount != 2 {
		t.Errorf("the fork is %+v", info)
	}
	must[uint64](t)(trip.Delete(ctx, contextd.Deletion{}))
	if back := must[contextd.Restored](t)(trip.Undelete(ctx)); back.Info.EntryCount != 2 {
		t.Errorf("it is back as %+v", back)
	}
}

func TestDiffAndSyncTellWhatDiffers(t *testing.T) {
	ctx := context.Background()
	trip := createTrip(t, connect(t))
	must[contextd.Written](t)(trip.Update(ctx, []contextd.Step{
		contextd.PutEntry{Key: "step", Value: []byte("book")}, contextd.DeleteEntry{Key: "goal"},
		contextd.SetMetadata{Key: "by", Value: "mia"},
	}))
	var told []contextd.Difference
	before := trip.At(contextd.AtVersion(1))
	for found, err := range before.Diff(ctx, &trip.State, contextd.DiffQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, found)
	}
	if len(told) != 3 || !told[0].InMetadata || told[1].Key != "goal" || told[1].After != nil ||
		string(told[2].Before.Value) != "search" {
		t.Errorf("it differs in %+v", told)
	}
	entries := make(map[string]contextd.Entry)
	must[*contextd.Synced](t)(trip.Sync(ctx, 0)).Apply(entries)
	if len(entries) != 1 || string(entries["step"].Value) != "book" {
		t.Errorf("the entries are %v", entries)
	}
	must[contextd.Written](t)(trip.PutText(ctx, "via", "Milan"))
	synced := must[*contextd.Synced](t)(trip.Sync(ctx, 2))
	if synced.Full || len(synced.Differences) != 1 || synced.Info.Version != 3 {
		t.Errorf("it was synced as %+v", synced)
	}
}
