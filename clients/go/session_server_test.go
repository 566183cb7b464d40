package contextd_test

import (
	"context"
	"errors"
	"testing"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
	"github.com/contextd/contextd/clients/go/internal/realserver"
)

func startSession(
	t testing.TB, client *contextd.Client, begins contextd.NewSession,
) *contextd.Session {
	t.Helper()
	return must[*contextd.Session](t)(client.StartSession(context.Background(), begins))
}

func TestAnExclusiveActivationIsFencedOffByATakeover(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	must[*contextd.Context](t)(client.Create(ctx, "task", contextd.NewContext{}, nil))
	slow := startSession(t, client, contextd.NewSession{Owner: "slow"})
	fast := startSession(t, client, contextd.NewSession{Owner: "fast"})
	held := must[*contextd.ActiveContext](t)(
		slow.Activate(ctx, "task", contextd.Activation{Exclusive: true}))
	must[contextd.Written](t)(held.PutText(ctx, "state", "slow"))

	_, err := fast.Activate(ctx, "task", contextd.Activation{Exclusive: true})
	var busy *contextd.ContextBusyError
	if !errors.As(err, &busy) || busy.SessionID != slow.ID() || busy.Owner != "slow" {
		t.Fatalf("the error is %v", err)
	}
	how := contextd.Activation{Exclusive: true, Takeover: true}
	err = fast.Within(ctx, "task", how, func(taken *contextd.ActiveContext) error {
		_, err := taken.PutText(ctx, "state", "fast")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = held.PutText(ctx, "state", "late")
	var stale *contextd.StaleFenceError
	if !errors.As(err, &stale) || stale.CurrentFence <= held.Fence {
		t.Errorf("the late write gives %v", err)
	}
}

// shortTerm is one that passes soon, and within which a busy machine renews a session.
const shortTerm = 3 * time.Second

func TestASessionOutlivesItsTermAndEnds(t *testing.T) {
	t.Parallel() // It waits.
	ctx := context.Background()
	client := connect(t)
	session := startSession(t, client, contextd.NewSession{TTL: shortTerm, Owner: "mia"})
	began := must[contextd.SessionInfo](t)(session.Info(ctx))
	for info := began; !info.ExpireTime.After(began.ExpireTime.Add(shortTerm)); {
		info = must[contextd.SessionInfo](t)(session.Info(ctx)) // Until it was renewed for so long.
	}
	for info, err := range client.Sessions(ctx, contextd.SessionQuery{Owner: "mia"}) {
		if err != nil || info.ID != session.ID() {
			t.Errorf("a session is %+v, %v", info, err)
		}
	}
	if err := session.End(ctx); err != nil {
		t.Fatal(err)
	}
	if err := session.End(ctx); err != nil {
		t.Errorf("ending it again gives %v", err)
	}
	_, err := session.Context("task").PutText(ctx, "a", "b")
	if !errors.Is(err, contextd.ErrClientClosed) {
		t.Errorf("a write of an ended session gives %v", err)
	}
	if _, err := client.SessionInfo(ctx, session.ID(), ""); !errors.Is(err,
		contextd.ErrSessionNotFound) {
		t.Errorf("the server still knows it: %v", err)
	}
}

func TestASessionThatSomebodyEndedIsLost(t *testing.T) {
	t.Parallel() // It waits.
	ctx := context.Background()
	client := connect(t)
	session := startSession(t, client, contextd.NewSession{TTL: shortTerm})
	if err := client.EndSession(ctx, session.ID(), ""); err != nil {
		t.Fatal(err)
	}
	<-session.Lost()
	_, err := session.Activate(ctx, "task", contextd.Activation{})
	var lost *contextd.SessionNotFoundError
	if !errors.As(err, &lost) || lost.SessionID != session.ID() ||
		!errors.Is(err, contextd.ErrSessionLost) || !errors.Is(err, contextd.ErrSessionNotFound) {
		t.Errorf("the error is %v", err)
	}
}

func TestASessionIsLostWhenItsTermPassesWithoutAnAnswer(t *testing.T) {
	server := realserver.Start(t)
	session := startSession(t, clientOf(t, server.Address()), contextd.NewSession{TTL: time.Second})
	server.Kill()
	<-session.Lost()
	if err := session.Err(); !errors.Is(err, contextd.ErrSessionLost) {
		t.Errorf("the error is %v", err)
	}
}

func TestResourcesAreHeldAndGivenBack(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	task := must[*contextd.Context](t)(client.Create(ctx, "task", contextd.NewContext{}, nil))
	one := startSession(t, client, contextd.NewSession{})
	two := startSession(t, client, contextd.NewSession{})
	browser := contextd.Resource{Name: "browser", Type: "tool"}
	err := one.Holding(ctx, "task", browser, func() error {
		_, err := two.Acquire(ctx, "task", browser)
		var held *contextd.ResourceHeldError
		if !errors.As(err, &held) || held.SessionID != one.ID() {
			t.Errorf("taking what is held gives %v", err)
		}
		for resource, err := range task.Resources(ctx) {
			if err != nil || resource.Name != "browser" || resource.SessionID != one.ID() {
				t.Errorf("a resource is %+v, %v", resource, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Release(ctx, "task", "browser"); !errors.Is(err, contextd.ErrResourceNotHeld) {
		t.Errorf("giving back what is not held gives %v", err)
	}
}

func TestSwitchingMakesAContextTheCurrentOne(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	begins := contextd.NewSession{CreateIfMissing: &contextd.NewContext{Type: "chat"}}
	session := startSession(t, client, begins)
	must[*contextd.ActiveContext](t)(session.Activate(ctx, "a", contextd.Activation{}))
	info := must[contextd.SessionInfo](t)(session.Switch(ctx, "b"))
	if info.CurrentContextID != "b" || len(info.Activations) != 2 {
		t.Errorf("the session is %+v", info)
	}
	status := must[contextd.Status](t)(client.Context("b").Status(ctx))
	if status.Presence != contextd.PresenceActive || len(status.SessionIDs) != 1 {
		t.Errorf("the status is %+v", status)
	}
}

func TestWhatWasDoneIsListedAndAddedUp(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	task := must[*contextd.Context](t)(client.Create(ctx, "task", contextd.NewContext{}, nil))
	recorded := must[contextd.Recorded](t)(task.Record(ctx, []contextd.Activity{
		{Type: "message", Data: []byte("Hello!")},
		{File: &contextd.FileOperation{Path: "report.md", Operation: "write"}},
		{Model: &contextd.ModelUsage{Provider: "p", Model: "m", InputTokens: 7, CostMicros: 5}},
	}))
	if recorded.FirstSequence != 1 || recorded.LastSequence != 3 {
		t.Errorf("it was recorded as %+v", recorded)
	}
	var types []string
	for activity, err := range task.History(ctx, contextd.HistoryQuery{PageSize: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, activity.Type)
	}
	if len(types) != 3 || types[1] != "file_operation" {
		t.Errorf("the types are %v", types)
	}
	for file, err := range task.Files(ctx, "") {
		if err != nil || file.Path != "report.md" || file.OperationCount != 1 {
			t.Errorf("a file is %+v, %v", file, err)
		}
	}
	usage := must[[]contextd.UsageTotal](t)(client.Usage(ctx, ""))
	if len(usage) != 1 || usage[0].InputTokens != 7 || usage[0].CostMicros != 5 {
		t.Errorf("the usage is %+v", usage)
	}
	optimized := must[contextd.Optimized](t)(
		task.OptimizeHistory(ctx, contextd.Optimization{MaxCount: 2}))
	if optimized.RemovedCount != 1 || optimized.KeptCount != 2 {
		t.Errorf("it was optimized as %+v", optimized)
	}
	if n := must[uint64](t)(task.TruncateHistory(ctx, 3)); n != 1 {
		t.Errorf("%d were truncated", n)
	}
}

func TestAResourceIsGivenBackAlsoWhereTheWorkPanics(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	task := must[*contextd.Context](t)(client.Create(ctx, "task", contextd.NewContext{}, nil))
	session := startSession(t, client, contextd.NewSession{})
	func() {
		defer func() { _ = recover() }()
		_ = session.Holding(ctx, "task", contextd.Resource{Name: "gpu"}, func() error {
			panic("the work is wrong")
		})
	}()
	for held, err := range task.Resources(ctx) {
		t.Errorf("held is %+v, %v", held, err)
	}
}
