// Package conformance runs the cases of tests/conformance with the Go client; the README there is the
// specification.
package conformance

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// Folder is where the cases are.
const Folder = "../../../tests/conformance"

// Tree is what files and results are made of: Map, []any, string, int64, float64, bool, nil.
type (
	Tree = any
	Map  = map[string]any
)

// Case is one case, as its file has it.
type Case struct {
	ID      string         `yaml:"id"`
	Server  map[string]any `yaml:"server"` // nil: it shares one.
	Steps   []Map          `yaml:"steps"`
	FailsAt int            `yaml:"fails_at"`
	Says    string         `yaml:"says"`
	File    string         `yaml:"-"`
}

// Mismatch says that something is not as a case expects it.
type Mismatch struct{ text string }

func (m *Mismatch) Error() string { return m.text }

func mismatch(format string, values ...any) error {
	return &Mismatch{fmt.Sprintf(format, values...)}
}

// ReadCases reads all cases of a folder.
func ReadCases(folder string) ([]Case, error) {
	paths, err := filepath.Glob(filepath.Join(Folder, folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []Case
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var file struct{ Cases []Case }
		if err := yaml.Unmarshal(text, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, one := range file.Cases {
			one.File = strings.TrimSuffix(filepath.Base(path), ".yaml")
			all = append(all, one)
		}
	}
	return all, nil
}

// Names are what a case has saved. A scope has one name more, which is seen inside of it alone.
type Names struct {
	mu    *sync.Mutex
	saved Map
	name  string
	value any
	outer *Names
}

func newNames(namespace string) *Names {
	return &Names{mu: &sync.Mutex{}, saved: Map{"namespace": namespace}}
}

func (n *Names) with(name string, value any) *Names {
	return &Names{mu: n.mu, saved: n.saved, name: name, value: value, outer: n}
}

func (n *Names) get(name string) (any, error) {
	for scope := n; scope != nil; scope = scope.outer {
		if scope.name == name && name != "" {
			return scope.value, nil
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	value, found := n.saved[name]
	if !found {
		return nil, mismatch("nothing was saved as %q", name)
	}
	return value, nil
}

func (n *Names) set(name string, value any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.saved[name] = value
}

var named = regexp.MustCompile(`\$\{(\w+)\}`)

// filled gives the tree with everything in the place of ${name}, and long texts made.
func filled(tree Tree, names *Names) (Tree, error) {
	switch value := tree.(type) {
	case string:
		return filledText(value, names)
	case int:
		return int64(value), nil
	case []any:
		made := make([]any, len(value))
		for i, element := range value {
			one, err := filled(element, names)
			if err != nil {
				return nil, err
			}
			made[i] = one
		}
		return made, nil
	case Map:
		return filledMap(value, names)
	}
	return tree, nil
}

func filledText(text string, names *Names) (Tree, error) {
	if whole := named.FindStringSubmatch(text); whole != nil && whole[0] == text {
		return names.get(whole[1])
	}
	var failed error
	made := named.ReplaceAllStringFunc(text, func(found string) string {
		value, err := names.get(found[2 : len(found)-1])
		if err != nil {
			failed = err
		}
		return fmt.Sprint(value)
	})
	return made, failed
}

func filledMap(tree Map, names *Names) (Tree, error) {
	made := Map{}
	for key, value := range tree {
		name, err := filled(key, names)
		if err != nil {
			return nil, err
		}
		one, err := filled(value, names)
		if err != nil {
			return nil, err
		}
		made[fmt.Sprint(name)] = one
	}
	size, isLong := made["bytes"].(int64)
	if text, repeats := made["repeat"]; repeats && isLong && len(made) == 2 {
		unit := fmt.Sprint(text)
		return strings.Repeat(unit, int(size)/len(unit)+1)[:size], nil
	}
	return made, nil
}

// part gives the part of a result that a path of save names.
func part(tree Tree, path string) (Tree, error) {
	if path == "" {
		return tree, nil
	}
	for _, name := range strings.Split(path, ".") {
		switch value := tree.(type) {
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || index >= len(value) {
				return nil, mismatch("there is no %q in %s", path, shown(tree))
			}
			tree = value[index]
		case Map:
			found, has := value[name]
			if !has {
				return nil, mismatch("there is no %q in %s", path, shown(tree))
			}
			tree = found
		default:
			return nil, mismatch("there is no %q in %s", path, shown(tree))
		}
	}
	return tree, nil
}

const shownMax = 300

// shown says what to tell of a tree, not too much of it. Texts are in single quotes.
func shown(tree Tree) string {
	text := fmt.Sprintf("%v", tree)
	if value, is := tree.(string); is {
		text = "'" + value + "'"
	} else if encoded, err := json.Marshal(tree); err == nil {
		text = string(encoded)
	}
	if len(text) > shownMax {
		return fmt.Sprintf("%s... (%d bytes)", text[:shownMax], len(text))
	}
	return text
}

func unexpected(expected, got Tree, path string) error {
	if path == "" {
		path = "the top"
	}
	return mismatch("expected %s, got %s at %s", shown(expected), shown(got), path)
}

// check compares a result with what is expected.
func check(expected, got Tree, path string) error {
	switch wanted := expected.(type) {
	case Map:
		if isCondition(wanted) {
			for name, than := range wanted {
				if err := checkCondition(name, than, got, path); err != nil {
					return err
				}
			}
			return nil
		}
		return checkFields(wanted, got, path)
	case []any:
		list, is := got.([]any)
		if !is || len(list) != len(wanted) {
			return unexpected(expected, got, path)
		}
		for i, element := range wanted {
			if err := check(element, list[i], fmt.Sprintf("%s.%d", path, i)); err != nil {
				return err
			}
		}
		return nil
	}
	if !equal(expected, got) {
		return unexpected(expected, got, path)
	}
	return nil
}

func isCondition(tree Map) bool {
	for name := range tree {
		if !strings.HasPrefix(name, "$") {
			return false
		}
	}
	return len(tree) > 0
}

func number(tree Tree) (float64, bool) {
	switch value := tree.(type) {
	case int64:
		return float64(value), true
	case float64:
		return value, true
	}
	return 0, false
}

const closeEnough = 1e-6

func equal(expected, got Tree) bool {
	_, wantsWhole := expected.(int64)
	_, isWhole := got.(int64)
	wanted, isNumber := number(expected)
	found, gotNumber := number(got)
	if isNumber && gotNumber && !(wantsWhole && isWhole) {
		return math.Abs(wanted-found) <= closeEnough
	}
	return reflect.DeepEqual(expected, got)
}

func checkFields(wanted Map, got Tree, path string) error {
	for name, value := range wanted {
		fields, is := got.(Map)
		found, has := fields[name]
		if !is || !has {
			return unexpected(Map{name: value}, got, path)
		}
		if err := check(value, found, path+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func fits(expected, got Tree) bool { return check(expected, got, "") == nil }

func checkCondition(name string, than, got Tree, path string) error {
	if name == "$size" {
		if size, has := sizeOf(got); has {
			return check(than, size, path+".$size")
		}
	}
	if name == "$only" {
		wanted, _ := than.(Map)
		if fields, is := got.(Map); is && len(fields) == len(wanted) {
			return checkFields(wanted, got, path)
		}
	}
	if !holds(name, than, got) {
		return unexpected(Map{name: than}, got, path)
	}
	return nil
}

func sizeOf(tree Tree) (int64, bool) {
	switch value := tree.(type) {
	case string:
		return int64(len(value)), true
	case []any:
		return int64(len(value)), true
	case Map:
		return int64(len(value)), true
	}
	return 0, false
}

// holds tells whether a condition holds; false where it is not known.
func holds(name string, than, got Tree) bool {
	switch name {
	case "$unordered":
		return unordered(than, got)
	case "$has":
		return has(than, got)
	case "$not":
		return !fits(than, got)
	case "$one_of":
		list, _ := than.([]any)
		return slices.ContainsFunc(list, func(one any) bool { return fits(one, got) })
	case "$any":
		return something(got) == than
	}
	return compared(name, than, got)
}

func compared(name string, than, got Tree) bool {
	bound, isNumber := number(than)
	value, gotNumber := number(got)
	if !isNumber || !gotNumber {
		return false
	}
	switch name {
	case "$gt":
		return value > bound
	case "$gte":
		return value >= bound
	case "$lt":
		return value < bound
	case "$lte":
		return value <= bound
	}
	return false
}

func something(tree Tree) bool {
	if size, has := sizeOf(tree); has {
		return size > 0
	}
	if value, is := number(tree); is {
		return value != 0
	}
	return tree != nil && tree != false
}

func has(than, got Tree) bool {
	switch value := got.(type) {
	case []any:
		return slices.ContainsFunc(value, func(one any) bool { return fits(than, one) })
	case string:
		text, is := than.(string)
		return is && strings.Contains(value, text)
	case Map:
		_, found := value[fmt.Sprint(than)]
		return found
	}
	return false
}

func unordered(than, got Tree) bool {
	wanted, _ := than.([]any)
	list, is := got.([]any)
	if !is || len(list) != len(wanted) {
		return false
	}
	left := slices.Clone(list)
	for _, one := range wanted {
		index := slices.IndexFunc(left, func(element any) bool { return fits(one, element) })
		if index < 0 {
			return false
		}
		left = slices.Delete(left, index, index+1)
	}
	return true
}
