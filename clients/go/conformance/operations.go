package conformance

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
)

// operations are those of contexts; sessions.go and recovery.go have the others.
var operations = map[string]func(*Call) (Tree, error){
	"create":          create,
	"create_unnamed":  createUnnamed,
	"info":            info,
	"get":             getEntry,
	"get_json":        getJSON,
	"contains":        contains,
	"snapshot":        snapshot,
	"snapshots":       snapshots,
	"entries":         entries,
	"list_contexts":   listContexts,
	"list_namespaces": listNamespaces,
	"server_info":     serverInfo,
	"put":             putEntry,
	"put_json":        putJSON,
	"append":          appendEntry,
	"remove":          remove,
	"update":          update,
	"update_all":      updateAll,
	"edit":            edit,
	"transact":        transact,
	"put_all":         putAll,
	"delete":          deleteContext,
}

// of makes a tree where there is no error.
func of[T any](value T, err error) (Tree, error) {
	if err != nil {
		return nil, err
	}
	return treeOf(value), nil
}

func nothing(err error) (Tree, error) { return Map{}, err }

// listed gives all that is iterated over, as a list with a name.
func listed[T any](name string, rows iter.Seq2[T, error], make func(T) Tree) (Tree, error) {
	list := []any{}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		list = append(list, make(row))
	}
	return Map{name: list}, nil
}

func tree[T any](value T) Tree { return treeOf(value) }

func create(c *Call) (Tree, error) {
	named := c.context()
	begins, steps := c.newContext(), c.steps()
	return of(named.Create(c.ctx(), begins, steps, c.callOptions()...))
}

func createUnnamed(c *Call) (Tree, error) {
	var options []contextd.CreateOption
	if c.has("request_id") {
		options = append(options, contextd.RequestID(c.text("request_id")))
	}
	if c.has("namespace") {
		options = append(options, contextd.InNamespace(c.text("namespace")))
	}
	begins := c.newContext()
	made, err := c.client.Create(c.ctx(), "", begins, c.steps(), options...)
	if err != nil {
		return nil, err
	}
	return Map{"context_id": made.ID()}, nil
}

func info(c *Call) (Tree, error) {
	found, err := c.state().Info(c.ctx())
	return infoTree(found), err
}

func getEntry(c *Call) (Tree, error) {
	state := c.state()
	return of(state.GetEntry(c.ctx(), c.text("key")))
}

func getJSON(c *Call) (Tree, error) {
	state := c.state()
	var target any
	err := state.GetJSON(c.ctx(), c.text("key"), &target)
	return Map{"json": target}, err
}

func contains(c *Call) (Tree, error) {
	state := c.state()
	found, err := state.Contains(c.ctx(), c.text("key"))
	return Map{"contains": found}, err
}

func snapshot(c *Call) (Tree, error) {
	state := c.state()
	if c.has("keys") || c.has("prefix") {
		return partOfSnapshot(c, state)
	}
	found, err := state.Snapshot(c.ctx())
	if err != nil {
		return nil, err
	}
	return snapshotTree(found), nil
}

func snapshotTree(found *contextd.Snapshot) Tree {
	return Map{
		"version": int64(found.Info.Version), "metadata": treeOf(found.Info.Metadata),
		"entries": entryMap(found.Entries),
	}
}

// partOfSnapshot gets some keys, and those of a prefix.
func partOfSnapshot(c *Call, state *contextd.State) (Tree, error) {
	some, err := state.GetEntries(c.ctx(), c.texts("keys")...)
	if err != nil {
		return nil, err
	}
	if c.has("prefix") {
		query := contextd.EntryQuery{Prefix: c.text("prefix")}
		for entry, err := range state.Entries(c.ctx(), query) {
			if err != nil {
				return nil, err
			}
			some = append(some, entry)
		}
	}
	found, err := state.Info(c.ctx())
	if err != nil {
		return nil, err
	}
	return Map{
		"version": int64(found.Version), "metadata": treeOf(found.Metadata),
		"entries": entryMap(some),
	}, nil
}

func entries(c *Call) (Tree, error) {
	state := c.state()
	query := contextd.EntryQuery{
		Prefix: c.text("prefix"), AfterKey: c.text("after"), BeforeKey: c.text("before"),
		Reverse: c.flag("reverse"), Limit: uint64(c.number("limit")), KeysOnly: c.flag("keys_only"),
	}
	return listed("entries", state.Entries(c.ctx(), query), tree[contextd.Entry])
}

func listContexts(c *Call) (Tree, error) {
	query := contextd.ContextQuery{
		Namespace: c.text("namespace"), IDPrefix: c.text("prefix"), Type: c.text("type"),
		ParentID: c.text("parent_id"), Metadata: c.labels("metadata"), Deleted: c.flag("deleted"),
		PageSize: int(c.number("page_size")),
	}
	return listed("contexts", c.client.Contexts(c.ctx(), query),
		func(info contextd.ContextInfo) Tree { return infoTree(info) })
}

func listNamespaces(c *Call) (Tree, error) {
	return listed("namespaces", c.client.Namespaces(c.ctx()), tree[contextd.Namespace])
}

func serverInfo(c *Call) (Tree, error) { return of(c.client.ServerInfo(c.ctx())) }

func putEntry(c *Call) (Tree, error) {
	named, put := c.context(), putOf(c.text("key"), c.take("value"))
	if c.has("content_type") {
		put.ContentType = c.text("content_type")
	}
	return of(named.Update(c.ctx(), []contextd.Step{put}, c.writeOptions()...))
}

func putJSON(c *Call) (Tree, error) {
	named, key, value := c.context(), c.text("key"), c.take("value")
	return of(named.PutJSON(c.ctx(), key, value, c.writeOptions()...))
}

func appendEntry(c *Call) (Tree, error) {
	named := c.context()
	bytes, contentType := content(c.take("value"))
	step := contextd.AppendEntry{Key: c.text("key"), Value: bytes, ContentType: contentType}
	if c.has("expected_size") {
		size := uint64(c.number("expected_size"))
		step.ExpectedSize = &size
	}
	return of(named.Update(c.ctx(), []contextd.Step{step}, c.writeOptions()...))
}

func remove(c *Call) (Tree, error) {
	named, key := c.context(), c.text("key")
	return of(named.Remove(c.ctx(), key, c.writeOptions()...))
}

func update(c *Call) (Tree, error) {
	named, steps := c.context(), c.steps()
	return of(named.Update(c.ctx(), steps, c.writeOptions()...))
}

func plus(old []byte, add int64) (string, error) {
	if len(old) == 0 {
		return strconv.FormatInt(add, 10), nil
	}
	value, err := strconv.ParseInt(string(old), 10, 64)
	return strconv.FormatInt(value+add, 10), err
}

func edit(c *Call) (Tree, error) {
	named, key, add := c.context(), c.text("key"), c.number("add")
	return of(named.Edit(c.ctx(), key, func(old *contextd.Entry) (*contextd.PutEntry, error) {
		var value []byte
		if old != nil {
			value = old.Value
		}
		sum, err := plus(value, add)
		return &contextd.PutEntry{Key: key, Value: []byte(sum)}, err
	}))
}

func transact(c *Call) (Tree, error) {
	named, keys := c.context(), c.texts("keys")
	added, set := c.fields("add_each"), c.fields("set")
	_, err := named.Transact(c.ctx(), func(draft *contextd.Draft) error {
		for _, key := range sorted(added) {
			old, _ := draft.Get(key)
			sum, err := plus(old, added[key].(int64))
			if err != nil {
				return err
			}
			draft.PutText(key, sum)
		}
		for _, key := range sorted(set) {
			draft.PutEntry(putOf(key, set[key]))
		}
		return nil
	}, keys...)
	return nothing(err)
}

func putAll(c *Call) (Tree, error) {
	named, puts := c.context(), c.fields("puts")
	last := c.steps()
	all := func(yield func(contextd.PutEntry) bool) {
		for _, key := range sorted(puts) {
			if !yield(putOf(key, puts[key])) {
				return
			}
		}
	}
	return of(named.PutAll(c.ctx(), all, last, c.writeOptions()...))
}

func deleteContext(c *Call) (Tree, error) {
	named := c.context()
	how := contextd.Deletion{
		Recursive: c.flag("recursive"), Purge: c.flag("purge"), AllowMissing: c.flag("allow_missing"),
	}
	count, err := named.Delete(c.ctx(), how, c.writeOptions()...)
	return Map{"deleted_count": int64(count)}, err
}

// ---- The client and the server. ----

var onTheWorld = map[string]func(*Call) (Tree, error){
	"open_client":    openClient,
	"close_client":   func(c *Call) (Tree, error) { return nothing(c.client.Close()) },
	"start_server":   startServer,
	"kill_server":    killServer,
	"stop_server":    stopServer,
	"restart_server": restartServer,
	"tell":           func(c *Call) (Tree, error) { return Map{"values": c.take("values")}, nil },
}

func openClient(c *Call) (Tree, error) {
	name, address := c.text("as"), c.text("address")
	if address == "" {
		address = "server"
	}
	var options []contextd.Option
	if c.has("namespace") {
		options = append(options, contextd.WithNamespace(c.text("namespace")))
	}
	if c.has("timeout") {
		options = append(options, contextd.WithTimeout(c.seconds("timeout")))
	}
	if c.has("coalescing") {
		options = append(options, contextd.WithCoalescing(c.flag("coalescing")))
	}
	if c.has("token") {
		token := c.text("token")
		options = append(options, contextd.WithToken(
			func(context.Context) (string, error) { return token, nil }))
	}
	return nothing(c.world.openClient(name, address, c.text("tls"), options...))
}

func (c *Call) mustOwn() error {
	if !c.world.own {
		return fmt.Errorf("only a case with a server of its own stops it")
	}
	return nil
}

func startServer(c *Call) (Tree, error) {
	if err := c.mustOwn(); err != nil {
		return nil, err
	}
	if c.has("flags") {
		c.world.server.SetFlags(flagsOf(c.fields("flags"))...)
	}
	c.world.server.Restart()
	return Map{}, nil
}

func killServer(c *Call) (Tree, error) {
	if err := c.mustOwn(); err != nil {
		return nil, err
	}
	c.world.server.Kill()
	return Map{}, nil
}

func stopServer(c *Call) (Tree, error) {
	if err := c.mustOwn(); err != nil {
		return nil, err
	}
	if err := c.world.server.Stop(); err != nil {
		return nil, mismatch("the server ended with %v", err)
	}
	return Map{}, nil
}

func restartServer(c *Call) (Tree, error) {
	end := killServer
	if c.text("how") == "stop" {
		end = stopServer
	}
	if _, err := end(c); err != nil {
		return nil, err
	}
	return startServer(c)
}

// flagsOf gives the server's flags for settings by their names.
func flagsOf(settings Map) (flags []string) {
	for _, name := range sorted(settings) {
		flag := "--"
		for _, letter := range name {
			if letter == '_' {
				letter = '-'
			}
			flag += string(letter)
		}
		flags = append(flags, flag, fmt.Sprint(settings[name]))
	}
	return flags
}

// within bounds what would wait for ever.
func within[T any](wait func() T) (T, error) {
	done := make(chan T, 1)
	go func() { done <- wait() }()
	select {
	case value := <-done:
		return value, nil
	case <-time.After(Patience):
		var none T
		return none, mismatch("nothing came in %v", Patience)
	}
}
