package contextd_test

import (
	"context"
	"errors"
	"testing"

	contextd "github.com/contextd/contextd/clients/go"
)

// fieldOf is the field that is wrong, or "".
func fieldOf(err error) string {
	var refused *contextd.InvalidFieldError
	if errors.As(err, &refused) {
		return refused.Field
	}
	return ""
}

func TestOfSeveralSnapshotsOnlyThoseFailThatAreWrong(t *testing.T) {
	client := connect(t)
	trip := createTrip(t, client)
	elsewhere := client.Context("trip", contextd.InNamespace("elsewhere"))
	results := must[[]contextd.SnapshotResult](t)(client.Snapshots(context.Background(),
		&client.Context("").State, &trip.State, &client.Context("nobody").State, &elsewhere.State))
	if fieldOf(results[0].Err) != "requests[0].state.context_id" || results[1].Err != nil ||
		len(results[1].Snapshot.Entries) != 2 ||
		!errors.Is(results[2].Err, contextd.ErrContextNotFound) ||
		fieldOf(results[3].Err) != "requests[3].state.namespace" {
		t.Errorf("the results are %+v", results)
	}
}

func TestOfABatchOfPointsOnlyThoseFailThatAreWrong(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	trip := createTrip(t, client)
	session := must[*contextd.Session](t)(client.StartSession(ctx, contextd.NewSession{}))
	if err := session.End(ctx); err != nil {
		t.Fatal(err)
	}
	var batch contextd.PointBatch
	batch.Create(trip, contextd.NewPoint{ID: "\n"})
	batch.Create(session.Context("trip"), contextd.NewPoint{ID: "ended"})
	batch.Create(trip, contextd.NewPoint{ID: "a"})
	batch.Delete(client.Context("trip", contextd.InNamespace("elsewhere")), "a")
	results := must[[]contextd.PointResult](t)(client.BatchPoints(ctx, &batch))
	if fieldOf(results[0].Err) != "operations[0].create.recovery_point_id" ||
		!errors.Is(results[1].Err, contextd.ErrClientClosed) || results[2].Point.ID != "a" ||
		fieldOf(results[3].Err) != "operations[3].delete.namespace" {
		t.Errorf("the results are %+v", results)
	}
	for _, refused := range []contextd.PointResult{results[0], results[3]} {
		var failure *contextd.Failure
		if !errors.As(refused.Err, &failure) || failure.RequestID == "" {
			t.Errorf("there is no request id in %#v", refused.Err)
		}
	}
}

func TestAChangeOfSeveralContextsTellsThatItsSessionIsLost(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	must[*contextd.Context](t)(client.Create(ctx, "a", contextd.NewContext{}, nil))
	must[*contextd.Context](t)(client.Create(ctx, "b", contextd.NewContext{}, nil))
	kept := startSession(t, client, contextd.NewSession{})
	lost := startSession(t, client, contextd.NewSession{})
	if err := client.EndSession(ctx, lost.ID(), ""); err != nil {
		t.Fatal(err)
	}
	step := []contextd.Step{contextd.PutEntry{Key: "k"}}
	_, err := client.UpdateAll(ctx, []contextd.ContextUpdate{
		{Context: kept.Context("a"), Steps: step}, {Context: lost.Context("b"), Steps: step},
	}, contextd.RequestID("mine"))
	var failure *contextd.Failure
	if !errors.Is(err, contextd.ErrSessionLost) || !errors.As(err, &failure) ||
		failure.RequestID != "mine" {
		t.Errorf("it gives %v", err)
	}
	if !errors.Is(lost.Err(), contextd.ErrSessionLost) || kept.Err() != nil {
		t.Errorf("of the sessions one has %v, the other %v", lost.Err(), kept.Err())
	}
}
