package conformance

import (
	"encoding/hex"
	"fmt"
	"sort"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
)

// Arguments are those of one operation. What is asked for is taken; what is left at the end is a
// mistake of the runner.
type Arguments struct{ left Map }

func (a *Arguments) take(name string) any {
	value := a.left[name]
	delete(a.left, name)
	return value
}

func (a *Arguments) has(name string) bool {
	_, found := a.left[name]
	return found
}

func (a *Arguments) text(name string) string {
	value := a.take(name)
	if value == nil {
		return ""
	}
	return value.(string)
}

func (a *Arguments) number(name string) int64 {
	value, _ := a.take(name).(int64)
	return value
}

func (a *Arguments) flag(name string) bool {
	value, _ := a.take(name).(bool)
	return value
}

func (a *Arguments) seconds(name string) time.Duration { return secondsOf(a.take(name)) }

func (a *Arguments) time(name string) (made time.Time) {
	if microseconds, is := a.take(name).(int64); is {
		return time.UnixMicro(microseconds)
	}
	return made
}

func (a *Arguments) fields(name string) Map {
	value, _ := a.take(name).(Map)
	return value
}

func (a *Arguments) list(name string) []any {
	value, _ := a.take(name).([]any)
	return value
}

func (a *Arguments) texts(name string) []string {
	var made []string
	for _, one := range a.list(name) {
		made = append(made, one.(string))
	}
	return made
}

func (a *Arguments) labels(name string) map[string]string {
	var made map[string]string
	for key, value := range a.fields(name) {
		if made == nil {
			made = map[string]string{}
		}
		made[key] = value.(string)
	}
	return made
}

// nothingLeft fails where an argument was not used.
func (a *Arguments) nothingLeft() error {
	for name := range a.left {
		return fmt.Errorf("the runner does not use the argument %q", name)
	}
	return nil
}

func secondsOf(value any) time.Duration {
	seconds, _ := number(value)
	return time.Duration(seconds * float64(time.Second))
}

// content gives the bytes of a value and its content type.
func content(value any) ([]byte, string) {
	switch written := value.(type) {
	case string:
		return []byte(written), contextd.TextType
	case Map:
		if text, is := written["hex"].(string); is {
			bytes, err := hex.DecodeString(text)
			if err != nil {
				panic(err)
			}
			return bytes, ""
		}
		bytes, _ := content(written["value"])
		return bytes, written["content_type"].(string)
	}
	panic(fmt.Sprintf("%v is no value", value))
}

func putOf(key string, value any) contextd.PutEntry {
	bytes, contentType := content(value)
	return contextd.PutEntry{Key: key, Value: bytes, ContentType: contentType}
}

func sorted(fields Map) []string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// steps gives the steps of a change: first what goes, then what comes.
func (a *Arguments) steps() []contextd.Step {
	var steps []contextd.Step
	for _, prefix := range a.texts("delete_prefixes") {
		steps = append(steps, contextd.DeleteEntries{Prefix: prefix})
	}
	for _, key := range a.texts("deletes") {
		steps = append(steps, contextd.DeleteEntry{Key: key})
	}
	puts := a.fields("puts")
	for _, key := range sorted(puts) {
		steps = append(steps, putOf(key, puts[key]))
	}
	appends := a.fields("appends")
	for _, key := range sorted(appends) {
		bytes, contentType := content(appends[key])
		steps = append(steps, contextd.AppendEntry{Key: key, Value: bytes, ContentType: contentType})
	}
	labels := a.fields("metadata")
	for _, key := range sorted(labels) {
		if labels[key] == nil {
			steps = append(steps, contextd.DeleteMetadata{Key: key})
		} else {
			steps = append(steps, contextd.SetMetadata{Key: key, Value: labels[key].(string)})
		}
	}
	return append(steps, a.restOfSteps()...)
}

func (a *Arguments) restOfSteps() (steps []contextd.Step) {
	if a.has("expiry") {
		steps = append(steps, contextd.SetExpiry(*expiryOf(a.take("expiry"))))
	}
	if a.has("recovery_policy") {
		steps = append(steps, contextd.SetRecoveryPolicy{Policy: policyOf(a.take("recovery_policy"))})
	}
	for _, activity := range a.activities() {
		steps = append(steps, contextd.RecordActivity{Activity: activity})
	}
	return steps
}

func (a *Arguments) activities() (made []contextd.Activity) {
	for _, one := range a.list("activities") {
		of := &Arguments{copied(one.(Map))}
		activity := contextd.Activity{Type: of.text("type"), Metadata: of.labels("metadata")}
		if of.has("data") {
			activity.Data, activity.ContentType = content(of.take("data"))
		}
		if of.has("content_type") {
			activity.ContentType = of.text("content_type")
		}
		if of.has("file") {
			file := &Arguments{of.fields("file")}
			activity.File = &contextd.FileOperation{
				Path: file.text("path"), Operation: file.text("operation"), Source: file.text("source"),
			}
		}
		if of.has("model") {
			activity.Model = modelOf(&Arguments{of.fields("model")})
		}
		made = append(made, activity)
	}
	return made
}

func modelOf(a *Arguments) *contextd.ModelUsage {
	return &contextd.ModelUsage{
		Provider: a.text("provider"), Model: a.text("model"), Mode: a.text("mode"),
		InputTokens: uint64(a.number("input_tokens")), OutputTokens: uint64(a.number("output_tokens")),
		CachedTokens: uint64(a.number("cached_tokens")), CostMicros: uint64(a.number("cost_micros")),
		Currency: a.text("currency"), Latency: a.seconds("latency"),
	}
}

func copied(fields Map) Map {
	made := Map{}
	for name, value := range fields {
		made[name] = value
	}
	return made
}

func expiryOf(value any) *contextd.Expiry {
	if value == nil {
		return nil
	}
	a := &Arguments{copied(value.(Map))}
	return &contextd.Expiry{TTL: a.seconds("ttl"), Sliding: a.flag("sliding")}
}

func retentionOf(value any) *contextd.RetentionPolicy {
	if value == nil {
		return nil
	}
	a := &Arguments{copied(value.(Map))}
	return &contextd.RetentionPolicy{
		KeepLast: uint64(a.number("keep_last")), KeepEvery: uint64(a.number("keep_every")),
		KeepWithin: a.seconds("keep_within"),
	}
}

func policyOf(value any) *contextd.RecoveryPolicy {
	if value == nil {
		return nil
	}
	a := &Arguments{copied(value.(Map))}
	return &contextd.RecoveryPolicy{
		Retention:         retentionOf(a.take("retention")),
		PointEveryChanges: uint64(a.number("point_every_changes")),
		PointEvery:        a.seconds("point_every"),
	}
}

// newContext takes those arguments that say how a context begins.
func (a *Arguments) newContext() contextd.NewContext {
	return contextd.NewContext{
		Type: a.text("type"), ParentID: a.text("parent_id"), Metadata: a.labels("metadata"),
		Expiry: expiryOf(a.take("expiry")), RecoveryPolicy: policyOf(a.take("recovery_policy")),
		CreateParent: a.flag("create_parent"),
	}
}

// newContextOf takes an argument that says how a context begins. nil: there is none.
func (a *Arguments) newContextOf(name string) *contextd.NewContext {
	if !a.has(name) {
		return nil
	}
	begins := (&Arguments{copied(a.fields(name))}).newContext()
	return &begins
}

// callOptions takes the request id.
func (a *Arguments) callOptions() (options []contextd.CallOption) {
	if a.has("request_id") {
		options = append(options, contextd.RequestID(a.text("request_id")))
	}
	return options
}

// writeOptions takes the request id and the conditions.
func (a *Arguments) writeOptions() (options []contextd.WriteOption) {
	if a.has("request_id") {
		options = append(options, contextd.RequestID(a.text("request_id")))
	}
	for _, condition := range a.conditions() {
		options = append(options, condition)
	}
	return options
}

func (a *Arguments) conditions() (made []contextd.PreconditionOption) {
	entries := a.fields("if_entries")
	for _, key := range sorted(entries) {
		made = append(made, contextd.IfEntry(key, uint64(entries[key].(int64))))
	}
	if a.has("if_version") {
		made = append(made, contextd.IfVersion(uint64(a.number("if_version"))))
	}
	return made
}

// atOf gives the state that an argument names.
func atOf(value any) contextd.At {
	fields, _ := value.(Map)
	switch {
	case fields["version"] != nil:
		return contextd.AtVersion(uint64(fields["version"].(int64)))
	case fields["point"] != nil:
		return contextd.AtPoint(fields["point"].(string))
	case fields["time"] != nil:
		return contextd.AtTime(time.UnixMicro(fields["time"].(int64)))
	}
	return contextd.At{}
}
