package contextd_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
)

// running gives the stacks of the goroutines that run some code, but for those of tests that wait for
// their turn.
func running(code string) (stacks []string) {
	all := make([]byte, 1<<22)
	all = all[:runtime.Stack(all, true)]
	for _, stack := range strings.Split(string(all), "\n\n") {
		if strings.Contains(stack, code) && !strings.Contains(stack, "testing.(*T).Parallel") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// areGone waits until no goroutine runs some code.
func areGone(t *testing.T, code string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); len(running(code)) > 0; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("left are:\n%s", strings.Join(running(code), "\n\n"))
		}
	}
}

func TestAClosedClientLeavesNoGoroutineBehind(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	trip := createTrip(t, client)
	must[*contextd.Session](t)(client.StartSession(ctx, contextd.NewSession{}))
	must[*contextd.View](t)(client.View(ctx, contextd.ViewQuery{}))
	must[*contextd.Subscription](t)(client.Subscribe(ctx, contextd.SubscriptionQuery{}))
	read := must[*contextd.Subscription](t)(
		client.Subscribe(ctx, contextd.SubscriptionQuery{FromOldest: true}))
	for range read.Events() {
		break
	}
	for range trip.Entries(ctx, contextd.EntryQuery{}) {
		break
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	areGone(t, "/clients/go.")
}

func TestASubscriptionEndsWithItsContextAlsoWhenNobodyIterates(t *testing.T) {
	client := connect(t)
	ctx, cancel := context.WithCancel(context.Background())
	must[*contextd.Subscription](t)(client.Subscribe(ctx, contextd.SubscriptionQuery{}))
	must[*contextd.View](t)(client.View(ctx, contextd.ViewQuery{}))
	cancel()
	areGone(t, "/clients/go.(*Client).batches")
}
