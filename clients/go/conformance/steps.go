package conformance

import (
	"errors"
	"fmt"
	"sync"
)

var stepKeys = map[string]bool{"expect": true, "error": true, "save": true, "client": true}

// RunCase does all steps. Its error names the step that is wrong.
func (w *World) RunCase(one Case) error {
	defer w.end()
	if err := w.openClient("", "server", ""); err != nil {
		return err
	}
	names := newNames(w.namespace)
	for i, step := range one.Steps {
		if err := w.runStep(step, names); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return nil
}

// operationOf gives the operation of a step, and its arguments.
func operationOf(step Map) (string, Map, error) {
	operation := ""
	for name := range step {
		if !stepKeys[name] {
			if operation != "" {
				return "", nil, fmt.Errorf("a step has one operation, not %s and %s", operation, name)
			}
			operation = name
		}
	}
	arguments, _ := step[operation].(Map)
	return operation, arguments, nil
}

// runStep does one step with what is inside of it, compares, and saves.
func (w *World) runStep(step Map, names *Names) error {
	operation, arguments, err := operationOf(step)
	if err != nil {
		return err
	}
	switch operation {
	case "repeat":
		return w.repeat(arguments, names, func() {})
	case "in_order": // Calls block: each is given when the one before has its result.
		return w.runAll(stepsOf(arguments), names)
	case "concurrently":
		return w.concurrently(arguments, names)
	case "begin":
		return w.begin(arguments, names)
	case "finish":
		name := arguments["as"].(string)
		running := get(w, w.background, name)
		w.mu.Lock()
		delete(w.background, name)
		w.mu.Unlock()
		return <-running
	}
	filledIn, err := filled(arguments, names)
	if err != nil {
		return err
	}
	result, failure := w.perform(operation, step, filledIn.(Map), names)
	if err := compare(operation, step, result, failure, names); err != nil {
		return err
	}
	saved, _ := step["save"].(Map)
	for name, path := range saved {
		value, err := part(result, path.(string))
		if err != nil {
			return err
		}
		names.set(name, value)
	}
	return nil
}

func (w *World) perform(operation string, step, arguments Map, names *Names) (Tree, error) {
	do, known := operations[operation]
	if !known {
		do, known = onTheWorld[operation]
	}
	if !known {
		return nil, fmt.Errorf("the client does not offer %s", operation)
	}
	name, _ := step["client"].(string)
	call := &Call{&Arguments{copied(arguments)}, w, get(w, w.clients, name), names}
	result, err := do(call)
	if err == nil {
		err = call.nothingLeft()
	}
	return result, err
}

func compare(operation string, step Map, result Tree, failure error, names *Names) error {
	wanted, fails := step["error"]
	if fails && failure == nil {
		return mismatch("%s did not fail, but gave %s", operation, shown(result))
	}
	found, isFailure := failureTree(failure)
	if failure != nil && !isFailure {
		return failure
	}
	if failure != nil && !fails {
		return mismatch("%s failed: %v %v", operation, found["class"], failure)
	}
	if name, isName := wanted.(string); isName {
		wanted = Map{"class": name}
	}
	for _, one := range []struct{ expected, got Tree }{{wanted, found}, {step["expect"], result}} {
		if one.expected == nil {
			continue
		}
		expected, err := filled(one.expected, names)
		if err != nil {
			return err
		}
		if err := check(expected, one.got, ""); err != nil {
			return err
		}
	}
	return nil
}

// ---- Steps of steps. ----

func stepsOf(arguments Map) []Map {
	list, _ := arguments["steps"].([]any)
	steps := make([]Map, len(list))
	for i, step := range list {
		steps[i] = step.(Map)
	}
	return steps
}

// rounds gives the names of each round of a repeat.
func rounds(arguments Map, names *Names) []*Names {
	made := make([]*Names, arguments["times"].(int))
	as, _ := arguments["as"].(string)
	for i := range made {
		made[i] = names.with(as, int64(i+1))
	}
	return made
}

func (w *World) runAll(steps []Map, names *Names) error {
	for _, step := range steps {
		if err := w.runStep(step, names); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) repeat(arguments Map, names *Names, passed func()) error {
	for _, scope := range rounds(arguments, names) {
		if err := w.runAll(stepsOf(arguments), scope); err != nil {
			return err
		}
		passed()
	}
	return nil
}

func (w *World) concurrently(arguments Map, names *Names) error {
	var running sync.WaitGroup
	var mu sync.Mutex
	var failed error
	begin := func(steps []Map, names *Names) {
		running.Add(1)
		go func() {
			defer running.Done()
			err := w.runAll(steps, names)
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
		}()
	}
	for _, step := range stepsOf(arguments) {
		if inner, is := step["repeat"].(Map); is {
			for _, scope := range rounds(inner, names) {
				begin(stepsOf(inner), scope)
			}
		} else {
			begin([]Map{step}, names)
		}
	}
	running.Wait()
	return failed
}

func (w *World) begin(arguments Map, names *Names) error {
	wanted, _ := arguments["passed"].(int)
	passed, done := make(chan struct{}), make(chan error, 1)
	go func() {
		count := 0
		one := func() {
			if count++; count == wanted {
				close(passed)
			}
		}
		err := w.runCounted(stepsOf(arguments), names, one)
		if count < wanted {
			close(passed)
		}
		done <- err
		close(done)
	}()
	put(w, w.background, arguments["as"].(string), (<-chan error)(done))
	if wanted > 0 {
		<-passed
	}
	return nil
}

func (w *World) runCounted(steps []Map, names *Names, passed func()) error {
	for _, step := range steps {
		if inner, is := step["repeat"].(Map); is {
			if err := w.repeat(inner, names, passed); err != nil {
				return err
			}
			continue
		}
		if err := w.runStep(step, names); err != nil {
			return err
		}
		passed()
	}
	return nil
}
