package conformance

import (
	"context"
	"errors"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
)

// look is how long a step that waits for the server waits between two looks.
const look = 50 * time.Millisecond

func init() {
	for name, operation := range map[string]func(*Call) (Tree, error){
		"start_session":          startSession,
		"end_session":            endSession,
		"session_info":           sessionInfo,
		"list_sessions":          listSessions,
		"wait_lost":              waitLost,
		"activate":               activate,
		"switch":                 switchTo,
		"deactivate":             deactivate,
		"status":                 status,
		"record":                 record,
		"history":                history,
		"truncate_history":       truncateHistory,
		"optimize_history":       optimizeHistory,
		"files":                  files,
		"usage":                  usage,
		"acquire":                acquire,
		"release":                release,
		"resources":              resources,
		"subscribe":              subscribe,
		"next_events":            nextEvents,
		"events_until_caught_up": eventsUntilCaughtUp,
		"wait_compacted":         waitCompacted,
		"close_subscription":     closeSubscription,
	} {
		operations[name] = operation
	}
}

func startSession(c *Call) (Tree, error) {
	name := c.text("as")
	session, err := c.client.StartSession(c.ctx(), contextd.NewSession{
		Namespace: c.text("namespace"), Owner: c.text("owner"), TTL: c.seconds("ttl"),
		Metadata: c.labels("metadata"), DefaultContextID: c.text("default_context_id"),
		CreateIfMissing:     c.newContextOf("create_if_missing"),
		MaxActiveContexts:   uint32(c.number("max_active_contexts")),
		RecoveryPointOnLoss: c.flag("recovery_point_on_loss"),
	})
	if err != nil {
		return nil, err
	}
	put(c.world, c.world.sessions, name, session)
	return Map{"session_id": session.ID()}, nil
}

func endSession(c *Call) (Tree, error) {
	if c.has("session") {
		return nothing(c.session().End(c.ctx()))
	}
	return nothing(c.client.EndSession(c.ctx(), c.text("session_id"), c.text("namespace")))
}

func sessionInfo(c *Call) (Tree, error) {
	if c.has("session") {
		return of(c.session().Info(c.ctx()))
	}
	return of(c.client.SessionInfo(c.ctx(), c.text("session_id"), c.text("namespace")))
}

func listSessions(c *Call) (Tree, error) {
	query := contextd.SessionQuery{
		Namespace: c.text("namespace"), Owner: c.text("owner"), PageSize: int(c.number("page_size")),
	}
	return listed("sessions", c.client.Sessions(c.ctx(), query), tree[contextd.SessionInfo])
}

func waitLost(c *Call) (Tree, error) {
	session := c.session()
	_, err := within(func() struct{} { return <-session.Lost() })
	return Map{"lost": session.Err() != nil}, err
}

func activate(c *Call) (Tree, error) {
	session, name := c.session(), c.text("as")
	how := contextd.Activation{
		Exclusive: c.flag("exclusive"), Takeover: c.flag("takeover"), Guard: c.flag("guard"),
	}
	active, err := session.Activate(c.ctx(), c.text("context"), how, c.callOptions()...)
	if err != nil {
		return nil, err
	}
	put(c.world, c.world.activations, name, active)
	return Map{"fence": int64(active.Fence)}, nil
}

func switchTo(c *Call) (Tree, error) {
	session, id := c.session(), c.text("context")
	_, err := session.Switch(c.ctx(), id, c.callOptions()...)
	return nothing(err)
}

func deactivate(c *Call) (Tree, error) {
	active := get(c.world, c.world.activations, c.text("activation"))
	return nothing(active.Deactivate(c.ctx(), c.callOptions()...))
}

func status(c *Call) (Tree, error) { return of(c.context().Status(c.ctx())) }

func record(c *Call) (Tree, error) {
	named, activities := c.context(), c.activities()
	return of(named.Record(c.ctx(), activities, c.callOptions()...))
}

func history(c *Call) (Tree, error) {
	named := c.context()
	query := contextd.HistoryQuery{
		Types: c.texts("types"), StartTime: c.time("start"), EndTime: c.time("end"),
		NewestFirst: c.flag("newest_first"), FromSequence: uint64(c.number("from_sequence")),
		PageSize: int(c.number("page_size")),
	}
	return listed("activities", named.History(c.ctx(), query), tree[contextd.Activity])
}

func truncateHistory(c *Call) (Tree, error) {
	named := c.context()
	if c.has("from_time") {
		count, err := named.TruncateHistoryBefore(c.ctx(), c.time("from_time"), c.callOptions()...)
		return Map{"removed_count": int64(count)}, err
	}
	sequence := uint64(c.number("from_sequence"))
	count, err := named.TruncateHistory(c.ctx(), sequence, c.callOptions()...)
	return Map{"removed_count": int64(count)}, err
}

func optimizeHistory(c *Call) (Tree, error) {
	named := c.context()
	how := contextd.Optimization{
		MaxBytes: uint64(c.number("max_bytes")), MaxCount: uint64(c.number("max_count")),
		Deduplicate: c.flag("deduplicate"), DryRun: c.flag("dry_run"),
	}
	return of(named.OptimizeHistory(c.ctx(), how, c.callOptions()...))
}

func files(c *Call) (Tree, error) {
	named := c.context()
	c.number("page_size") // The client chooses it.
	return listed("files", named.Files(c.ctx(), c.text("prefix")), tree[contextd.TrackedFile])
}

func usage(c *Call) (Tree, error) {
	var totals []contextd.UsageTotal
	var err error
	if c.has("context") || c.has("activation") {
		totals, err = c.context().Usage(c.ctx())
	} else {
		totals, err = c.client.Usage(c.ctx(), c.text("namespace"))
	}
	return Map{"totals": treeOf(totals)}, err
}

// holder is the session that takes or gives back a resource, and of which context.
func (c *Call) holder() (*contextd.Session, string) {
	if c.has("activation") {
		active := get(c.world, c.world.activations, c.text("activation"))
		return active.Session, active.ID()
	}
	return c.session(), c.text("context")
}

func acquire(c *Call) (Tree, error) {
	session, id := c.holder()
	wanted := contextd.Resource{
		Name: c.text("name"), Type: c.text("type"), Metadata: c.labels("metadata"),
	}
	return of(session.Acquire(c.ctx(), id, wanted, c.callOptions()...))
}

func release(c *Call) (Tree, error) {
	session, id := c.holder()
	return nothing(session.Release(c.ctx(), id, c.text("name"), c.callOptions()...))
}

func resources(c *Call) (Tree, error) {
	named := c.context()
	c.number("page_size") // The client chooses it.
	return listed("resources", named.Resources(c.ctx()), tree[contextd.Resource])
}

// ---- Subscriptions. ----

var eventTypes = func() map[string]contextd.EventType {
	made := map[string]contextd.EventType{}
	for of := contextd.EventCreated; of <= contextd.EventSessionSwitched; of++ {
		made[treeOf(of).(string)] = of
	}
	return made
}()

func subscribe(c *Call) (Tree, error) {
	name := c.text("as")
	query := contextd.SubscriptionQuery{
		Namespace: c.text("namespace"), ContextIDs: c.texts("context_ids"),
		IDPrefix: c.text("id_prefix"), Type: c.text("type"), Metadata: c.labels("metadata"),
		KeyPrefix: c.text("key_prefix"), Cursor: c.text("cursor"), FromOldest: c.flag("from_oldest"),
		Snapshot: c.flag("snapshot"), WithoutValues: c.flag("without_values"),
		Progress: true, // For those that wait until all was told.
	}
	positions := c.flag("progress")
	for _, of := range c.texts("event_types") {
		query.EventTypes = append(query.EventTypes, eventTypes[of])
	}
	ctx, cancel := context.WithCancel(c.ctx())
	subscription, err := c.client.Subscribe(ctx, query)
	if err != nil {
		cancel()
		return nil, err
	}
	put(c.world, c.world.subscriptions, name, following{subscription, positions})
	c.world.atEnd(func() {
		subscription.Close()
		cancel()
	})
	return Map{}, nil
}

// following is a subscription, and whether it was asked for positions too.
type following struct {
	*contextd.Subscription
	positions bool
}

func (c *Call) subscription() following {
	return get(c.world, c.world.subscriptions, c.text("subscription"))
}

func waitCompacted(c *Call) (Tree, error) {
	cursor := c.text("cursor")
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(look) {
		subscription, err := c.client.Subscribe(
			c.ctx(), contextd.SubscriptionQuery{Cursor: cursor})
		var compacted *contextd.CursorCompactedError
		switch {
		case errors.As(err, &compacted):
			return Map{"compacted": true}, nil
		case err != nil:
			return nil, err
		}
		subscription.Close()
	}
	return Map{"compacted": false}, nil
}

// collected takes events for as long as more says so.
func collected(
	subscription following, more func(events []any) bool,
) (events []any, err error) {
	patience := time.AfterFunc(Patience, subscription.Close)
	defer patience.Stop()
	events = []any{}
	if !more(events) {
		return events, nil
	}
	for event, err := range subscription.Events() {
		if err != nil {
			return nil, mismatch("%d events came, then %v", len(events), err)
		}
		if event.Type > 0 || subscription.positions {
			events = append(events, eventTree(event))
		}
		if !more(events) {
			break
		}
	}
	return events, nil
}

func nextEvents(c *Call) (Tree, error) {
	subscription, count := c.subscription(), int(c.number("count"))
	events, err := collected(subscription, func(events []any) bool { return len(events) < count })
	return Map{"events": events}, err
}

func eventsUntilCaughtUp(c *Call) (Tree, error) {
	subscription := c.subscription()
	events, err := collected(subscription, func([]any) bool { return !subscription.CaughtUp() })
	return Map{"events": events, "cursor": subscription.Cursor()}, err
}

func closeSubscription(c *Call) (Tree, error) {
	c.subscription().Close()
	return Map{}, nil
}

func eventTree(event contextd.Event) Tree {
	made := Map{
		"type": treeOf(event.Type), "cursor": event.Cursor, "revision": int64(event.Revision),
		"context_id": nil, "version": nil, "reset": event.Reset, "session_id": event.SessionID,
		"recovery_point_id": event.RecoveryPointID, "entries": treeOf(event.Entries),
		"trimmed": treeOf(event.Trimmed),
	}
	if event.Context != nil {
		made["context_id"], made["version"] = event.Context.ID, int64(event.Context.Version)
	}
	mutations := []any{}
	for _, step := range event.Steps {
		mutations = append(mutations, mutationTree(step))
	}
	made["mutations"] = mutations
	return made
}

func mutationTree(step contextd.Step) Tree {
	kind := ""
	switch made := step.(type) {
	case contextd.RecordActivity:
		fields := treeOf(made.Activity).(Map)
		fields["kind"] = "activity"
		return fields
	case contextd.PutEntry:
		kind = "put"
	case contextd.AppendEntry:
		kind = "append"
	case contextd.SpliceEntry:
		kind = "splice"
	case contextd.DeleteEntry:
		kind = "delete"
	case contextd.DeleteEntries:
		kind = "delete_prefix"
	case contextd.SetMetadata:
		kind = "set_metadata"
	case contextd.DeleteMetadata:
		kind = "delete_metadata"
	case contextd.SetExpiry:
		kind = "set_expiry"
	case contextd.SetRecoveryPolicy:
		kind = "set_recovery_policy"
	}
	fields := treeOf(step).(Map)
	fields["kind"] = kind
	return fields
}
