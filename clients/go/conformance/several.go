package conformance

import (
	contextd "github.com/contextd/contextd/clients/go"
)

// snapshots gets several contexts in one call.
func snapshots(c *Call) (Tree, error) {
	var states []*contextd.State
	for _, id := range c.texts("contexts") {
		states = append(states, &c.client.Context(id).State)
	}
	found, err := c.client.Snapshots(c.ctx(), states...)
	if err != nil {
		return nil, err
	}
	results := []any{}
	for _, result := range found {
		if failure, failed := failureTree(result.Err); failed {
			results = append(results, Map{"error": failure})
		} else {
			results = append(results, snapshotTree(result.Snapshot))
		}
	}
	return Map{"results": results}, nil
}

// updateAll changes several contexts in one step.
func updateAll(c *Call) (Tree, error) {
	var updates []contextd.ContextUpdate
	for _, words := range c.list("updates") {
		one := &Call{&Arguments{copied(words.(Map))}, c.world, c.client, c.names}
		updates = append(updates, contextd.ContextUpdate{
			Context: one.context(), Conditions: one.conditions(), Steps: one.steps(),
		})
		if err := one.nothingLeft(); err != nil {
			return nil, err
		}
	}
	written, err := c.client.UpdateAll(c.ctx(), updates, c.callOptions()...)
	if err != nil {
		return nil, err
	}
	return Map{"results": treeOf(written)}, nil
}
