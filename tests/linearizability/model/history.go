package model

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// Operation is one call of one client, and what it was answered.
type Operation struct {
	Client  int
	Call    int64 // When it was sent, in nanoseconds.
	Return  int64 // When it was answered; where unknown: after which it cannot happen any more.
	Request *Request
	Answer  *Answer

	// What the answer says of the log: the position of the change, or of the last change
	// of the state that was read. 0: nothing. See Revisions.
	Revision uint64
}

// History is everything that was asked of one context, in any order.
type History struct {
	Context    string
	Retention  int // The server's version_retention.
	Operations []Operation

	// Of one that Shrink made: when the answer came that cannot be. Else 0.
	Refuted int64
}

// Verdict is what became of a check.
type Verdict = porcupine.CheckResult

// The verdicts.
const (
	Right     = porcupine.Ok
	Wrong     = porcupine.Illegal
	Undecided = porcupine.Unknown // The time was over.
)

// What the checker knows of a call before it begins.
type input struct {
	request *Request

	// The version that the request is known to have made, because somebody read what it
	// wrote. 0: nobody did.
	made   uint64
	shared bool // Other calls have the same request id.
}

// Check looks for an order of the operations, each at one moment between its call and its
// return, in which one context would have given all the answers. An unknown one may be
// left out, but not happen twice or after its return.
func (h *History) Check(timeout time.Duration) Verdict {
	return porcupine.CheckOperationsTimeout(h.model(), h.prepare(), timeout)
}

// Visualize writes a page that shows the operations and how far an order was found.
func (h *History) Visualize(path string, timeout time.Duration) error {
	model := h.model()
	_, info := porcupine.CheckOperationsVerbose(model, h.prepare(), timeout)
	return porcupine.VisualizePath(model, info, path)
}

// Shrink makes the shortest history that is not right: what came back up to some moment,
// with the answers that came later unknown. `timeout` bounds each of the checks.
func (h *History) Shrink(timeout time.Duration) *History {
	moments := make([]int64, 0, len(h.Operations))
	for _, operation := range h.Operations {
		moments = append(moments, operation.Return)
	}
	sort.Slice(moments, func(i, j int) bool { return moments[i] < moments[j] })
	at := sort.Search(len(moments), func(i int) bool {
		return h.until(moments[i]).Check(timeout) != Right
	})
	if at == len(moments) {
		return h
	}
	shortest := h.until(moments[at])
	shortest.Refuted = moments[at]
	return shortest
}

// until is the history as it was known at a moment.
func (h *History) until(moment int64) *History {
	known := &History{Context: h.Context, Retention: h.Retention}
	for _, operation := range h.Operations {
		if operation.Call > moment {
			continue
		}
		if operation.Return > moment {
			if !operation.Request.isWrite() {
				continue
			}
			operation.Answer = &Answer{Unknown: true}
			operation.Revision = 0
		}
		known.Operations = append(known.Operations, operation)
	}
	return known
}

// prepare makes what the checker wants. What is unknown of a read says nothing.
func (h *History) prepare() []porcupine.Operation {
	uses := map[string]int{}
	made := map[string]uint64{}
	for _, operation := range h.Operations {
		uses[operation.Request.ID]++
		for _, entry := range operation.Answer.Entries {
			noteMade(made, entry)
		}
	}
	var prepared []porcupine.Operation
	for _, operation := range h.Operations {
		if operation.Answer.Unknown && !operation.Request.isWrite() {
			continue
		}
		in := &input{request: operation.Request}
		in.shared = operation.Request.ID != "" && uses[operation.Request.ID] > 1
		if !in.shared && operation.Request.ID != "" {
			alone := *operation.Request
			alone.ID = ""
			in.request = &alone
		}
		for _, mutation := range operation.Request.Mutations {
			if version := made[lastPiece(mutation.Value)]; version != 0 {
				in.made = version
			}
		}
		prepared = append(prepared, porcupine.Operation{
			ClientId: operation.Client,
			Input:    in,
			Call:     operation.Call,
			Output:   operation.Answer,
			Return:   operation.Return,
		})
	}
	return prepared
}

// noteMade learns from an entry which version its last piece made.
func noteMade(made map[string]uint64, entry Entry) {
	if piece := lastPiece(entry.Value); piece != "" {
		made[piece] = entry.Version
	}
}

func (h *History) model() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []interface{} { return []interface{}{NewState(h.Retention)} },
		Step: func(state, in, out interface{}) []interface{} {
			return step(state.(*State), in.(*input), out.(*Answer))
		},
		Equal: func(a, b interface{}) bool { return a.(*State).equal(b.(*State)) },
		Hash:  func(state interface{}) uint64 { return state.(*State).hash() },
		DescribeOperation: func(in, out interface{}) string {
			return in.(*input).request.String() + " -> " + out.(*Answer).String()
		},
		DescribeState: func(state interface{}) string { return state.(*State).String() },
	}
	return model.ToModel()
}

// step lists the states that a call with this answer may lead to: none if it cannot have
// been given.
func step(state *State, in *input, answer *Answer) []interface{} {
	next, expected := state.Apply(in.request)
	if !answer.Unknown {
		if expected.equal(answer) {
			return []interface{}{next}
		}
		return nil
	}
	if next == state {
		if in.made != 0 && !in.shared {
			return nil // It was executed, but not here.
		}
		return []interface{}{state}
	}
	if in.made == 0 {
		return []interface{}{state, next}
	}
	if in.made == next.version {
		if in.shared {
			return []interface{}{state, next}
		}
		return []interface{}{next}
	}
	if in.shared {
		return []interface{}{state}
	}
	return nil
}

// Lines describes the last operations of a history, in the order of their calls.
func (h *History) Lines(count int) []string {
	operations := append([]Operation{}, h.Operations...)
	sort.SliceStable(operations, func(i, j int) bool {
		return operations[i].Call < operations[j].Call
	})
	if len(operations) > count {
		operations = operations[len(operations)-count:]
	}
	lines := make([]string, 0, len(operations))
	for _, operation := range operations {
		end := "       ..."
		if operation.Return != math.MaxInt64 {
			end = fmt.Sprintf("%10.3f", float64(operation.Return)/1e6)
		}
		position := ""
		if operation.Revision != 0 {
			position = fmt.Sprintf(" at %d", operation.Revision)
		}
		if operation.Return == h.Refuted && !operation.Answer.Unknown {
			position += "  <-- cannot be"
		}
		lines = append(lines, fmt.Sprintf("%10.3f %s ms  %-8s client %2d  %s -> %s%s",
			float64(operation.Call)/1e6, end, h.Context, operation.Client,
			operation.Request, operation.Answer, position))
	}
	return lines
}
