package contextd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	contextd "github.com/contextd/contextd/clients/go"
	"github.com/contextd/contextd/clients/go/internal/realserver"
)

// increment counts a value up.
func increment(old *contextd.Entry) (*contextd.PutEntry, error) {
	count := 0
	if old != nil {
		count, _ = strconv.Atoi(string(old.Value))
	}
	return &contextd.PutEntry{Value: []byte(strconv.Itoa(count + 1))}, nil
}

func TestConcurrentEditsAndTransactionsLoseNothing(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	chat := client.Context("chat", contextd.CreateIfMissing(contextd.NewContext{Type: "chat"}))
	var group sync.WaitGroup
	for range 4 {
		group.Add(2)
		go func() {
			defer group.Done()
			if _, err := chat.Edit(ctx, "edits", increment); err != nil {
				t.Error(err)
			}
		}()
		go func() {
			defer group.Done()
			_, err := chat.Transact(ctx, func(draft *contextd.Draft) error {
				old, err := draft.Get("drafts")
				if err != nil && !errors.Is(err, contextd.ErrEntryNotFound) {
					return err
				}
				draft.Put("drafts", append(bytes.Clone(old), 'x'))
				draft.SetLabel("state", "open")
				return nil
			}, "drafts")
			if err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	edits := must[string](t)(chat.GetText(ctx, "edits"))
	if drafts := must[string](t)(chat.GetText(ctx, "drafts")); edits != "4" || drafts != "xxxx" {
		t.Errorf("edits %s, drafts %s", edits, drafts)
	}
	if info := must[contextd.ContextInfo](t)(chat.Info(ctx)); info.Metadata["state"] != "open" {
		t.Errorf("the labels are %v", info.Metadata)
	}
}

func TestATransactionOfTheWholeContextMovesEntries(t *testing.T) {
	ctx := context.Background()
	trip := createTrip(t, connect(t))
	move := func(draft *contextd.Draft) error {
		value, err := draft.Get("step")
		if err != nil {
			return err
		}
		draft.Remove("step")
		draft.Put("done", value)
		if keys := draft.Keys(); !slices.Equal(keys, []string{"done", "goal"}) {
			t.Errorf("the draft has %v", keys)
		}
		return nil
	}
	must[contextd.Written](t)(trip.Transact(ctx, move))
	if _, err := trip.Transact(ctx, move); !errors.Is(err, contextd.ErrEntryNotFound) {
		t.Errorf("the error of the function is %v", err)
	}
	entries := must[[]contextd.Entry](t)(trip.GetEntries(ctx, "step", "done"))
	if len(entries) != 1 || string(entries[0].Value) != "search" {
		t.Errorf("the entries are %v", entries)
	}
}

func TestManyEntriesAreWrittenInPieces(t *testing.T) {
	ctx := context.Background()
	server := realserver.Start(t, "--value-size-max", "1MiB", "--message-size-max", "4MiB")
	client := clientOf(t, server.Address())
	chat := must[*contextd.Context](t)(client.Create(ctx, "chat", contextd.NewContext{}, nil))
	value := bytes.Repeat([]byte("v"), 1<<20)
	entries := func(yield func(contextd.PutEntry) bool) {
		for n := range 9 {
			if !yield(contextd.PutEntry{Key: fmt.Sprint(n), Value: value}) {
				return
			}
		}
	}
	last := []contextd.Step{contextd.SetMetadata{Key: "state", Value: "whole"}}
	must[contextd.Written](t)(chat.PutAll(ctx, entries, last, contextd.IfVersion(1)))
	info := must[contextd.ContextInfo](t)(chat.Info(ctx))
	if info.EntryCount != 9 || info.Version != 4 || info.Metadata["state"] != "whole" {
		t.Errorf("it is %+v", info)
	}
	_, err := chat.PutAll(ctx, entries, last, contextd.IfVersion(1))
	if !errors.Is(err, contextd.ErrVersionConflict) {
		t.Errorf("the condition gives %v", err)
	}
}

func TestOnCallIsToldOfEachCall(t *testing.T) {
	var told []contextd.Call
	client := connect(t, contextd.WithOnCall(func(call contextd.Call) { told = append(told, call) }))
	_, err := client.Context("none").Get(context.Background(), "k")
	if len(told) != 1 || told[0].Attempts != 1 || !errors.Is(err, contextd.ErrContextNotFound) ||
		!errors.Is(told[0].Err, contextd.ErrContextNotFound) {
		t.Errorf("it was told %+v", told)
	}
}

func TestTheServerIsAskedOnceWhatItIs(t *testing.T) {
	calls := 0
	client := connect(t, contextd.WithOnCall(func(contextd.Call) { calls++ }))
	for range 2 {
		info := must[contextd.ServerInfo](t)(client.ServerInfo(context.Background()))
		if info.Version == "" || info.Settings["value_size_max"] == "" {
			t.Errorf("it is %+v", info)
		}
	}
	must[contextd.ServerInfo](t)(client.RefreshServerInfo(context.Background()))
	if calls != 2 {
		t.Errorf("it was asked %d times", calls)
	}
}

func TestAReadThatWasCancelledSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := connect(t).Context("chat").Get(ctx, "k")
	if !errors.Is(err, contextd.ErrCancelled) || !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestAStreamOfEntriesGoesOnInItsVersionAfterARestart(t *testing.T) {
	ctx := context.Background()
	server := realserver.Start(t)
	client := clientOf(t, server.Address())
	chat := must[*contextd.Context](t)(client.Create(ctx, "chat", contextd.NewContext{}, nil))
	value := bytes.Repeat([]byte("v"), 200<<10)
	for n := range 100 {
		key := fmt.Sprintf("k%03d", n)
		must[contextd.Written](t)(chat.Put(ctx, key, value))
	}
	count := 0
	for entry, err := range chat.Entries(ctx, contextd.EntryQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if entry.Key != fmt.Sprintf("k%03d", count) {
			t.Fatalf("entry %d is %s", count, entry.Key)
		}
		if count == 0 {
			server.Kill()
			server.Restart()
			must[contextd.Written](t)(chat.Put(ctx, "k100", value)) // Of another version.
		}
		count++
	}
	if count != 100 {
		t.Errorf("there are %d entries", count)
	}
}
