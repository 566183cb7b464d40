package conformance

import (
	contextd "github.com/contextd/contextd/clients/go"
)

func init() {
	for name, operation := range map[string]func(*Call) (Tree, error){
		"checkpoint":           checkpoint,
		"point":                point,
		"points":               points,
		"points_of_many":       pointsOfMany,
		"update_point":         updatePoint,
		"attach":               attach,
		"delete_point":         deletePoint,
		"prune_points":         prunePoints,
		"prune_points_of_many": prunePointsOfMany,
		"restore":              restore,
		"fork":                 fork,
		"merge":                merge,
		"diff":                 diff,
		"sync":                 syncContext,
		"batch_points":         batchPoints,
	} {
		operations[name] = operation
	}
}

func pointTree(point contextd.RecoveryPoint) Tree {
	made := treeOf(point).(Map)
	made["attachments"], made["entries"] = entryMap(point.Attachments), entryMap(point.Entries)
	return made
}

func attachmentsOf(fields Map) (made []contextd.PutEntry) {
	for _, key := range sorted(fields) {
		if fields[key] != nil {
			made = append(made, putOf(key, fields[key]))
		}
	}
	return made
}

// removed gives the keys whose value is null.
func removed(fields Map) (keys []string) {
	for _, key := range sorted(fields) {
		if fields[key] == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

func (c *Call) newPoint() contextd.NewPoint {
	made := contextd.NewPoint{
		ID: c.text("point"), FromPointID: c.text("from_point"), MoveHead: c.flag("move_head"),
		Metadata: c.labels("metadata"), Attachments: attachmentsOf(c.fields("attachments")),
		TTL: c.seconds("ttl"), Pinned: c.flag("pinned"), Replace: c.flag("replace"),
		Preconditions: c.conditions(),
	}
	if c.has("changes") {
		made.Steps = (&Arguments{copied(c.fields("changes"))}).steps()
	}
	return made
}

func checkpoint(c *Call) (Tree, error) {
	named, wanted := c.context(), c.newPoint()
	made, err := named.Checkpoint(c.ctx(), wanted, c.callOptions()...)
	return pointTree(made.Point), err
}

func (c *Call) view() contextd.PointView {
	return contextd.PointView{
		Entries: c.flag("entries"), Attachments: c.flag("attachments"), Keys: c.texts("keys"),
	}
}

func point(c *Call) (Tree, error) {
	named := c.context()
	found, err := named.Point(c.ctx(), c.text("point"), c.view())
	return pointTree(found), err
}

func (c *Call) pointQuery() contextd.PointQuery {
	return contextd.PointQuery{
		Metadata: c.labels("metadata"), BeforeID: c.text("before_point"),
		AncestorsOf: c.text("ancestors_of"), View: c.view(), PageSize: int(c.number("page_size")),
	}
}

func points(c *Call) (Tree, error) {
	named := c.context()
	return listed("points", named.Points(c.ctx(), c.pointQuery()), pointTree)
}

func pointsOfMany(c *Call) (Tree, error) {
	namespace, prefix := c.text("namespace"), c.text("prefix")
	found := c.client.Points(c.ctx(), namespace, prefix, c.pointQuery())
	return listed("points", found, pointTree)
}

func (c *Call) pointChange() contextd.PointChange {
	labels, beside := c.fields("metadata"), c.fields("attachments")
	made := contextd.PointChange{
		DeleteMetadata: removed(labels), PutAttachments: attachmentsOf(beside),
		DeleteAttachments: removed(beside), AddAttachments: attachmentsOf(c.fields("add_attachments")),
		TTL: c.seconds("ttl"), ClearExpiry: c.flag("clear_expiry"),
	}
	for key, value := range labels {
		if value != nil {
			if made.SetMetadata == nil {
				made.SetMetadata = map[string]string{}
			}
			made.SetMetadata[key] = value.(string)
		}
	}
	if c.has("pinned") {
		pinned := c.flag("pinned")
		made.Pinned = &pinned
	}
	return made
}

func updatePoint(c *Call) (Tree, error) {
	named, id := c.context(), c.text("point")
	made, err := named.UpdatePoint(c.ctx(), id, c.pointChange(), c.callOptions()...)
	return pointTree(made), err
}

func attach(c *Call) (Tree, error) {
	named, id, change := c.context(), c.text("point"), c.pointChange()
	change.AllowMissing = true
	_, err := named.UpdatePoint(c.ctx(), id, change, c.callOptions()...)
	return nothing(err)
}

func deletePoint(c *Call) (Tree, error) {
	named, id := c.context(), c.text("point")
	return nothing(named.DeletePoint(c.ctx(), id, c.callOptions()...))
}

func (c *Call) prune() contextd.Prune {
	return contextd.Prune{
		Metadata: c.labels("metadata"), Policy: retentionOf(c.take("policy")), DryRun: c.flag("dry_run"),
	}
}

func prunePoints(c *Call) (Tree, error) {
	named, what := c.context(), c.prune()
	return of(named.PrunePoints(c.ctx(), what, c.callOptions()...))
}

func prunePointsOfMany(c *Call) (Tree, error) {
	namespace, prefix, what := c.text("namespace"), c.text("prefix"), c.prune()
	return of(c.client.PrunePoints(c.ctx(), namespace, prefix, what, c.callOptions()...))
}

func restore(c *Call) (Tree, error) {
	how := contextd.Restore{
		To: atOf(c.take("at")), SafetyPoint: c.flag("safety_point"), Undelete: c.flag("undelete"),
	}
	done, err := c.context().Restore(c.ctx(), how, c.writeOptions()...)
	made := treeOf(done.Written).(Map)
	made["version"], made["changed_entry_count"] = int64(done.Info.Version), int64(done.ChangedEntryCount)
	made["safety_point_id"] = done.SafetyPointID
	return made, err
}

func fork(c *Call) (Tree, error) {
	state := c.state()
	made, err := state.Fork(c.ctx(), contextd.Fork{
		ID: c.text("to"), WithHistory: c.flag("with_history"), WithPoints: c.flag("with_points"),
		Properties: c.newContextOf("properties"),
	}, c.callOptions()...)
	if err != nil {
		return nil, err
	}
	return Map{"context_id": made.ID()}, nil
}

var onConflict = map[string]contextd.OnConflict{
	"": contextd.ConflictReport, "raise": contextd.ConflictReport,
	"target": contextd.ConflictTarget, "source": contextd.ConflictSource,
}

func merge(c *Call) (Tree, error) {
	named, source := c.context(), c.stateOf("source")
	how := contextd.Merge{
		OnConflict: onConflict[c.text("on_conflict")], DryRun: c.flag("dry_run"),
		SafetyPoint: c.flag("safety_point"), OnConflictByKey: map[string]contextd.OnConflict{},
	}
	if c.has("ancestor") {
		how.Ancestor = c.stateOf("ancestor")
	}
	for key, rule := range c.labels("on_conflict_by_key") {
		how.OnConflictByKey[key] = onConflict[rule]
	}
	done, err := named.Merge(c.ctx(), source, how, c.writeOptions()...)
	made := treeOf(done).(Map)
	for name, value := range treeOf(done.Written).(Map) {
		made[name] = value
	}
	return made, err
}

func differenceTree(difference contextd.Difference) Tree {
	made := Map{
		"kind": "entry", "key": difference.Key,
		"before": treeOf(difference.Before), "after": treeOf(difference.After),
	}
	if difference.InMetadata {
		made["kind"], made["before"], made["after"] =
			"label", labelText(difference.Before), labelText(difference.After)
	}
	return made
}

func labelText(entry *contextd.Entry) Tree {
	if entry == nil {
		return nil
	}
	return string(entry.Value)
}

func diff(c *Call) (Tree, error) {
	before := c.stateOf("before_state")
	after := c.state()
	query := contextd.DiffQuery{Prefix: c.text("prefix"), WithoutValues: c.flag("without_values")}
	return listed("differences", before.Diff(c.ctx(), after, query), differenceTree)
}

func syncContext(c *Call) (Tree, error) {
	named := c.context()
	found, err := named.Sync(c.ctx(), uint64(c.number("have_version")))
	if err != nil {
		return nil, err
	}
	differences := []any{}
	for _, difference := range found.Differences {
		differences = append(differences, differenceTree(difference))
	}
	return Map{
		"from_version": int64(found.FromVersion), "version": int64(found.Info.Version),
		"full": found.Full, "differences": differences,
	}, nil
}

func batchPoints(c *Call) (Tree, error) {
	batch := &contextd.PointBatch{}
	for _, operation := range c.list("operations") {
		for kind, words := range operation.(Map) {
			one := &Call{&Arguments{copied(words.(Map))}, c.world, c.client, c.names}
			named := one.context()
			switch kind {
			case "create":
				batch.Create(named, one.newPoint())
			case "get":
				batch.Get(named, one.text("point"), one.view())
			case "update":
				batch.Update(named, one.text("point"), one.pointChange())
			case "delete":
				batch.Delete(named, one.text("point"))
			}
			if err := one.nothingLeft(); err != nil {
				return nil, err
			}
		}
	}
	found, err := c.client.BatchPoints(c.ctx(), batch)
	results := []any{}
	for _, result := range found {
		results = append(results, pointResult(result))
	}
	return Map{"results": results}, err
}

func pointResult(result contextd.PointResult) Tree {
	if failure, failed := failureTree(result.Err); failed {
		return Map{"error": failure}
	}
	if result.Point.ID == "" {
		return Map{"point": nil}
	}
	return Map{"point": pointTree(result.Point)}
}
