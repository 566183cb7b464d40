package contextd

import (
	"context"
	"encoding/json"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Context is one context, to read and to write: an ordered map of entries with versions, on the
// server. Client.Context names one without a call. It holds no state of the context; any goroutine
// may use it.
//
// Every write carries a request id and is repeated where that helps; it fails with
// ErrContextNotFound where there is no such context, unless the context was named with
// CreateIfMissing.
type Context struct {
	State
	createIfMissing *pb.NewContext
	writer          *writer // nil: nobody's session.
}

// At names an earlier state, to read.
func (c *Context) At(at At) *State {
	state := c.State
	state.at = at
	return &state
}

// WriteOption says more of a write: RequestID, IfVersion, IfEntry.
type WriteOption interface{ applyWrite(*writeOptions) }

// CallOption says more of a write that takes no conditions: RequestID.
type CallOption interface{ applyCall(*string) }

type writeOptions struct {
	requestID     string
	preconditions []*pb.Precondition
}

// RequestIDOption is what RequestID gives.
type RequestIDOption string

// RequestID gives a write the id with which it is made once, however often it is sent. The default
// is a new one for each write; its own repetitions carry it.
func RequestID(id string) RequestIDOption { return RequestIDOption(id) }

func (o RequestIDOption) applyWrite(options *writeOptions) { options.requestID = string(o) }
func (o RequestIDOption) applyCall(requestID *string)      { *requestID = string(o) }

// PreconditionOption is what IfVersion and IfEntry give.
type PreconditionOption struct{ message *pb.Precondition }

func (o PreconditionOption) applyWrite(options *writeOptions) {
	options.preconditions = append(options.preconditions, o.message)
}

// IfVersion has a write fail with ErrVersionConflict unless the context has this version. 0: it must
// not exist.
func IfVersion(version uint64) PreconditionOption {
	return PreconditionOption{&pb.Precondition{
		Kind: &pb.Precondition_ContextVersion{ContextVersion: version},
	}}
}

// IfEntry has a write fail with ErrEntryConflict unless this version has set the entry. 0: there
// must be none.
func IfEntry(key string, version uint64) PreconditionOption {
	return PreconditionOption{&pb.Precondition{
		Kind: &pb.Precondition_Entry{Entry: &pb.EntryCondition{Key: key, Version: version}},
	}}
}

func writeOptionsOf(options []WriteOption) writeOptions {
	var made writeOptions
	for _, option := range options {
		option.applyWrite(&made)
	}
	made.requestID = orNewID(made.requestID)
	return made
}

func requestIDOf(options []CallOption) string {
	id := ""
	for _, option := range options {
		option.applyCall(&id)
	}
	return orNewID(id)
}

// Put sets a value without a content type. PutEntry has one.
func (c *Context) Put(
	ctx context.Context, key string, value []byte, options ...WriteOption,
) (Written, error) {
	return c.change(ctx, PutEntry{Key: key, Value: value}, options)
}

// PutText sets a value to text, with the content type TextType.
func (c *Context) PutText(
	ctx context.Context, key, value string, options ...WriteOption,
) (Written, error) {
	return c.change(ctx, PutEntry{key, []byte(value), TextType}, options)
}

// PutJSON sets a value to the JSON form of any value, with the content type JSONType. It fails with
// ErrInvalidValue where there is none.
func (c *Context) PutJSON(
	ctx context.Context, key string, value any, options ...WriteOption,
) (Written, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return Written{}, invalidValue("the value of %q as JSON: %v", key, err)
	}
	return c.change(ctx, PutEntry{key, text, JSONType}, options)
}

// Append adds bytes to the end of a value, creating the entry when missing. AppendEntry can say
// which size it must have.
func (c *Context) Append(
	ctx context.Context, key string, value []byte, options ...WriteOption,
) (Written, error) {
	return c.change(ctx, AppendEntry{Key: key, Value: value}, options)
}

// Remove removes an entry. A missing one is no error.
func (c *Context) Remove(
	ctx context.Context, key string, options ...WriteOption,
) (Written, error) {
	return c.change(ctx, DeleteEntry{key}, options)
}

// Create creates the context with its first steps. Client.Create does so too, also where the server is
// to make up the id. It fails with ErrContextExists and ErrParentNotFound.
func (c *Context) Create(
	ctx context.Context, begins NewContext, steps []Step, options ...CallOption,
) (Written, error) {
	requestID := requestIDOf(options)
	if err := c.named(requestID); err != nil {
		return Written{}, err
	}
	_, written, err := c.create(ctx, begins, steps, requestID)
	return written, err
}

// named refuses a context without a name, where the server would take none for any, or for all of the
// namespace.
func (c *Context) named(requestID string) error {
	if c.id != "" {
		return nil
	}
	err := invalidField("context_id", "must not be empty")
	err.(failed).failure().RequestID = requestID
	return err
}

// create gives the id too, which the server makes up where there is none.
func (c *Context) create(
	ctx context.Context, begins NewContext, steps []Step, requestID string,
) (string, Written, error) {
	request := &pb.CreateContextRequest{
		Namespace:  c.namespace,
		ContextId:  c.id,
		Properties: begins.message(),
		Mutations:  mutations(steps),
		Write:      c.writer.options(requestID),
	}
	request.Write.Fence = 0 // What is created has none.
	reply := &pb.CreateContextResponse{}
	method := pb.ContextManager_CreateContext_FullMethodName
	if err := c.write(ctx, method, request, reply, request.Write); err != nil {
		return "", Written{RequestID: requestID}, err
	}
	made := reply.GetContext()
	return made.GetId(), writtenOf(made.GetVersion(), reply.GetWrite(), requestID), nil
}

// Update changes the context in one step: everything, or nothing.
func (c *Context) Update(
	ctx context.Context, steps []Step, options ...WriteOption,
) (Written, error) {
	return c.update(ctx, mutations(steps), writeOptionsOf(options))
}

func (c *Context) change(
	ctx context.Context, step Step, options []WriteOption,
) (Written, error) {
	return c.update(ctx, []*pb.Mutation{step.message()}, writeOptionsOf(options))
}

// update goes through the lane of updates.
func (c *Context) update(
	ctx context.Context, steps []*pb.Mutation, options writeOptions,
) (Written, error) {
	request := &pb.UpdateContextRequest{
		Namespace:       c.namespace,
		ContextId:       c.id,
		Mutations:       steps,
		Preconditions:   options.preconditions,
		CreateIfMissing: c.createIfMissing,
		Write:           c.writer.options(options.requestID),
	}
	if err := checkRequest(request, options.requestID); err != nil {
		return Written{}, err
	}
	if err := c.writer.check(); err != nil {
		return Written{}, err
	}
	op := &operation{request: request, requestID: options.requestID}
	err := c.client.updates.do(ctx, c.timeout, laneKey{c.namespace, c.id}, op)
	if err != nil {
		return Written{RequestID: options.requestID}, c.writer.learn(err)
	}
	reply := op.answer.(*pb.UpdateContextResponse)
	return writtenOf(reply.GetVersion(), reply.GetWrite(), options.requestID), nil
}

func writtenOf(version uint64, write *pb.WriteResult, requestID string) Written {
	return Written{version, write.GetRevision(), write.GetReplayed(), requestID}
}

// SetRecoveryPolicy sets which recovery points the context gets by itself and keeps. nil: the
// server's policy again.
func (c *Context) SetRecoveryPolicy(
	ctx context.Context, policy *RecoveryPolicy, options ...WriteOption,
) (Written, error) {
	return c.change(ctx, SetRecoveryPolicy{policy}, options)
}

// Deletion says how a context is deleted.
type Deletion struct {
	Recursive    bool // Those below it too; else one with children fails with ErrHasChildren.
	Purge        bool // For good: nothing of it can be brought back.
	AllowMissing bool // No error where there is none.
}

// Delete deletes the context, and tells how many contexts are gone. Restore with Undelete brings it
// back while the server keeps it.
func (c *Context) Delete(
	ctx context.Context, deletion Deletion, options ...WriteOption,
) (uint64, error) {
	wanted := writeOptionsOf(options)
	request := &pb.DeleteContextRequest{
		Namespace:     c.namespace,
		ContextId:     c.id,
		Preconditions: wanted.preconditions,
		AllowMissing:  deletion.AllowMissing,
		Recursive:     deletion.Recursive,
		Purge:         deletion.Purge,
		Write:         c.writer.options(wanted.requestID),
	}
	reply := &pb.DeleteContextResponse{}
	err := c.write(ctx, pb.ContextManager_DeleteContext_FullMethodName, request, reply, request.Write)
	return reply.GetDeletedCount(), err
}
