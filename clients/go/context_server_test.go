package contextd_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
	"github.com/contextd/contextd/clients/go/internal/realserver"
)

// connect makes a client of a real server of the test's own.
func connect(t testing.TB, options ...contextd.Option) *contextd.Client {
	t.Helper()
	return clientOf(t, realserver.Start(t).Address(), options...)
}

func clientOf(t testing.TB, address string, options ...contextd.Option) *contextd.Client {
	t.Helper()
	patience := contextd.WithTimeout(2 * time.Minute) // Only a hang reaches it.
	client, err := contextd.New(address, append([]contextd.Option{patience}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestValuesComeBackAsTheyWereWritten(t *testing.T) {
	ctx := context.Background()
	chat := must[*contextd.Context](t)(connect(t).Create(ctx, "chat", contextd.NewContext{}, nil))
	written := must[contextd.Written](t)
	written(chat.PutText(ctx, "system", "Be brief."))
	written(chat.PutJSON(ctx, "message", map[string]string{"role": "user"}))
	written(chat.Append(ctx, "log", []byte("a")))
	written(chat.Append(ctx, "log", []byte("b")))

	if text := must[string](t)(chat.GetText(ctx, "system")); text != "Be brief." {
		t.Errorf("system is %q", text)
	}
	var message map[string]string
	if err := chat.GetJSON(ctx, "message", &message); err != nil || message["role"] != "user" {
		t.Errorf("message is %v, %v", message, err)
	}
	if log := must[[]byte](t)(chat.Get(ctx, "log")); string(log) != "ab" {
		t.Errorf("log is %q", log)
	}
	if err := chat.GetJSON(ctx, "log", &message); !errors.Is(err, contextd.ErrInvalidValue) {
		t.Errorf("what is no JSON gives %v", err)
	}
}

func TestAnEarlierVersionIsRead(t *testing.T) {
	ctx := context.Background()
	chat := must[*contextd.Context](t)(connect(t).Create(ctx, "chat", contextd.NewContext{}, nil))
	first := must[contextd.Written](t)(chat.PutText(ctx, "a", "1"))
	must[contextd.Written](t)(chat.PutText(ctx, "a", "2"))
	earlier := chat.At(contextd.AtVersion(first.Version))
	if text := must[string](t)(earlier.GetText(ctx, "a")); text != "1" {
		t.Errorf("it was %q", text)
	}
}

func TestEntriesAndSnapshotHoldOneStateInOrder(t *testing.T) {
	ctx := context.Background()
	chat := must[*contextd.Context](t)(connect(t).Create(ctx, "chat", contextd.NewContext{}, nil))
	var steps []contextd.Step
	for n := range 2500 {
		steps = append(steps, contextd.PutEntry{Key: fmt.Sprintf("k%04d", n), Value: []byte("v")})
	}
	must[contextd.Written](t)(chat.Update(ctx, steps))
	snapshot := must[*contextd.Snapshot](t)(chat.Snapshot(ctx))
	if len(snapshot.Entries) != 2500 || snapshot.Entries[2499].Key != "k2499" {
		t.Errorf("there are %d entries", len(snapshot.Entries))
	}
	if _, err := snapshot.Get("k1234"); err != nil {
		t.Error(err)
	}
	var keys []string
	query := contextd.EntryQuery{Prefix: "k1", Reverse: true, Limit: 2, KeysOnly: true}
	for entry, err := range chat.Entries(ctx, query) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, entry.Key)
	}
	if !slices.Equal(keys, []string{"k1999", "k1998"}) {
		t.Errorf("keys are %v", keys)
	}
}

func TestAFailedConditionTellsTheCurrentVersion(t *testing.T) {
	ctx := context.Background()
	chat := must[*contextd.Context](t)(connect(t).Create(ctx, "chat", contextd.NewContext{}, nil))
	must[contextd.Written](t)(chat.PutText(ctx, "a", "1"))
	_, err := chat.PutText(ctx, "a", "2", contextd.IfVersion(1))
	var conflict *contextd.VersionConflictError
	if !errors.As(err, &conflict) || conflict.CurrentVersion != 2 || conflict.RequestID == "" {
		t.Fatalf("the error is %#v", err)
	}
	if !errors.Is(err, contextd.ErrVersionConflict) || !errors.Is(err, contextd.ErrConflict) {
		t.Errorf("%v is no conflict", err)
	}
	var failure *contextd.Failure
	if !errors.As(err, &failure) || failure.Reason != "VERSION_CONFLICT" {
		t.Errorf("the failure is %#v", failure)
	}
	if _, err := chat.PutText(ctx, "a", "2", contextd.IfEntry("a", 2)); err != nil {
		t.Error(err)
	}
}

func TestARepeatedRequestIDWritesOnce(t *testing.T) {
	ctx := context.Background()
	chat := must[*contextd.Context](t)(connect(t).Create(ctx, "chat", contextd.NewContext{}, nil))
	for _, replayed := range []bool{false, true} {
		written := must[contextd.Written](t)(
			chat.Append(ctx, "log", []byte("x"), contextd.RequestID("one")))
		if written.Replayed != replayed || written.RequestID != "one" {
			t.Errorf("it was written as %+v", written)
		}
	}
	if log := must[[]byte](t)(chat.Get(ctx, "log")); string(log) != "x" {
		t.Errorf("log is %q", log)
	}
	_, err := chat.Append(ctx, "log", []byte("y"), contextd.RequestID("one"))
	if !errors.Is(err, contextd.ErrRequestIDReused) {
		t.Errorf("another request with the id gives %v", err)
	}
}

func TestConcurrentWritesKeepTheOrderOfEachCaller(t *testing.T) {
	for _, coalescing := range []bool{true, false} {
		client := connect(t, contextd.WithCoalescing(coalescing))
		ctx := context.Background()
		var group sync.WaitGroup
		for worker := range 40 {
			// Two workers have a context together.
			context := client.Context(fmt.Sprint(worker/2), contextd.CreateIfMissing(
				contextd.NewContext{}))
			group.Add(1)
			go func() {
				defer group.Done()
				for n := range 25 {
					line := fmt.Sprintf("%d:%d ", worker, n)
					if _, err := context.Append(ctx, "log", []byte(line)); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		group.Wait()
		for worker := range 40 {
			text, err := client.Context(fmt.Sprint(worker/2)).GetText(ctx, "log")
			at := -1
			for n := range 25 {
				line := fmt.Sprintf("%d:%d ", worker, n)
				found := strings.Index(" "+text, " "+line)
				if err != nil || found <= at || strings.Count(" "+text, " "+line) != 1 {
					t.Fatalf("line %s is at %d of %q, %v", line, found, text, err)
				}
				at = found
			}
		}
	}
}

func TestListsGoOverTheirPages(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	for n := range 7 {
		begins := contextd.NewContext{Type: "chat", Metadata: map[string]string{"n": fmt.Sprint(n % 2)}}
		must[*contextd.Context](t)(client.Create(ctx, fmt.Sprint(n), begins, nil))
	}
	var ids []string
	query := contextd.ContextQuery{Metadata: map[string]string{"n": "0"}, PageSize: 2}
	for info, err := range client.Contexts(ctx, query) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, info.ID)
	}
	if !slices.Equal(ids, []string{"0", "2", "4", "6"}) {
		t.Errorf("ids are %v", ids)
	}
	for namespace, err := range client.Namespaces(ctx) {
		if err != nil || namespace.Name != "default" || namespace.ContextCount != 7 {
			t.Errorf("a namespace is %+v, %v", namespace, err)
		}
	}
}

func TestADeletedContextTellsItsLastVersion(t *testing.T) {
	ctx := context.Background()
	chat := must[*contextd.Context](t)(connect(t).Create(ctx, "chat", contextd.NewContext{}, nil))
	if n := must[uint64](t)(chat.Delete(ctx, contextd.Deletion{})); n != 1 {
		t.Errorf("%d are gone", n)
	}
	_, err := chat.Get(ctx, "a")
	var missing *contextd.ContextNotFoundError
	if !errors.As(err, &missing) || missing.DeletedVersion != 1 {
		t.Errorf("the error is %v", err)
	}
}
