package contextd_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
	"github.com/contextd/contextd/clients/go/internal/realserver"
)

const (
	restartWorkers  = 32
	restartDefault  = 5
	writesBetween   = 50 // Acknowledged between two kills, by all workers together.
	restartTimeout  = 60 * time.Second
	restartContexts = 8
)

// restarts is how often the server is killed.
func restarts(t *testing.T) int {
	text := os.Getenv("CONTEXTD_RESTARTS")
	if text == "" {
		return restartDefault
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		t.Fatalf("CONTEXTD_RESTARTS is %q: give a number", text)
	}
	return count
}

// worker appends numbered lines until it is told to stop, and gives how many were acknowledged.
func worker(
	t *testing.T, chat *contextd.Context, name int, stop <-chan struct{}, written *atomic.Int64,
) int {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return n
		default:
		}
		line := fmt.Sprintf("%d:%d\n", name, n)
		if _, err := chat.Append(context.Background(), "log", []byte(line)); err != nil {
			t.Errorf("worker %d: %v", name, err)
			return n
		}
		written.Add(1)
	}
}

func TestEveryAcknowledgedWriteIsThereOnceWhenTheServerWasKilled(t *testing.T) {
	server := realserver.Start(t)
	client := clientOf(t, server.Address(), contextd.WithTimeout(restartTimeout))
	subscription := subscribe(t, client, contextd.SubscriptionQuery{})
	stop := make(chan struct{})
	var written atomic.Int64
	var group sync.WaitGroup
	counts := make([]int, restartWorkers)
	for name := range restartWorkers {
		chat := client.Context(fmt.Sprint(name%restartContexts),
			contextd.CreateIfMissing(contextd.NewContext{}))
		group.Add(1)
		go func() {
			defer group.Done()
			counts[name] = worker(t, chat, name, stop, &written)
		}()
	}
	for range restarts(t) {
		for until := written.Load() + writesBetween; written.Load() < until && !t.Failed(); {
			time.Sleep(time.Millisecond) // Others are to write so much.
		}
		server.Kill()
		server.Restart()
	}
	for until := written.Load() + writesBetween; written.Load() < until && !t.Failed(); {
		time.Sleep(time.Millisecond)
	}
	close(stop)
	group.Wait()
	if !t.Failed() {
		checkLogs(t, client, counts)
		checkEvents(t, client, subscription)
	}
}

// checkLogs compares what was acknowledged with what is there.
func checkLogs(t *testing.T, client *contextd.Client, counts []int) {
	t.Helper()
	found := make(map[string]int)
	for id := range restartContexts {
		text := must[string](t)(client.Context(fmt.Sprint(id)).GetText(context.Background(), "log"))
		for _, line := range strings.Fields(text) {
			found[line]++
		}
	}
	total := 0
	for name, count := range counts {
		total += count
		for n := range count {
			if line := fmt.Sprintf("%d:%d", name, n); found[line] != 1 {
				t.Errorf("%s is there %d times", line, found[line])
			}
		}
	}
	if len(found) != total {
		t.Errorf("%d lines are there, %d were acknowledged", len(found), total)
	}
}

// checkEvents compares what a subscriber was told with what is there.
func checkEvents(
	t *testing.T, client *contextd.Client, subscription *contextd.Subscription,
) {
	t.Helper()
	ctx := context.Background()
	must[*contextd.Context](t)(client.Create(ctx, "end", contextd.NewContext{}, nil))
	logs := make(map[string]string)
	for event, err := range subscription.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if event.ContextID() == "end" {
			break
		}
		for _, step := range event.Steps {
			if step, ok := step.(contextd.AppendEntry); ok {
				logs[event.ContextID()] += string(step.Value)
			}
			if step, ok := step.(contextd.PutEntry); ok {
				logs[event.ContextID()] = string(step.Value)
			}
		}
	}
	for id := range restartContexts {
		id := fmt.Sprint(id)
		if text := must[string](t)(client.Context(id).GetText(ctx, "log")); logs[id] != text {
			t.Errorf("context %s: the subscriber has %d bytes, the server %d", id, len(logs[id]),
				len(text))
		}
	}
}
