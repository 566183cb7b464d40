package contextd

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The limits of requests, as the .proto files have them: sizes in bytes, and counts. Limits that are
// configured are the server's alone.
const (
	namespaceSizeMax  = 63
	nameSizeMax       = 256 // Of ids of contexts and sessions, owners, models, resources.
	typeSizeMax       = 64
	keySizeMax        = 512
	contentTypeMax    = 128
	labelKeySizeMax   = 63
	labelValueSizeMax = 1024
	requestIDSizeMax  = 128
	pointIDSizeMax    = 128
	pathSizeMax       = 2048
	fileSourceSizeMax = 256
	textSizeMax       = 4096 // Of other texts, such as a cursor.

	labelsMax         = 64
	activitiesMax     = 1000
	activityTypesMax  = 100
	mutationsMax      = 10000
	preconditionsMax  = 1000
	keysMax           = 10000
	attachmentsMax    = 10000
	batchMax          = 1000
	filterIDsMax      = 1000
	filterTypesMax    = 64
	pageSizeMax       = 1000
	activeContextsMax = 1000

	ttlMax              = 100 * 365 * 24 * time.Hour
	sessionTTLMin       = time.Second
	sessionTTLMax       = 24 * time.Hour
	progressIntervalMin = 100 * time.Millisecond
	progressIntervalMax = time.Hour
)

// invalidField is what the server would say of a field, with its words.
func invalidField(field, rule string) error {
	return typed(&Failure{
		Message: field + " " + rule,
		Code:    codes.InvalidArgument,
		Reason:  errInvalidField.name,
		Details: map[string]string{"field": field, "rule": rule},
		kind:    errInvalidField,
	})
}

const notUTF8 = "must be UTF-8 without NUL"

func isText(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

// nameRule gives the rule that a name breaks, or "".
func nameRule(name string, sizeMin, sizeMax int) string {
	switch {
	case len(name) > sizeMax:
		return fmt.Sprintf("must have at most %d bytes", sizeMax)
	case len(name) < sizeMin:
		return "must not be empty"
	case isPlain(name):
		return ""
	case !isText(name):
		return notUTF8
	}
	for _, character := range name {
		if character < 0x20 || (character >= 0x7f && character < 0xa0) {
			return "must not contain control characters"
		}
	}
	return ""
}

// textRule gives the rule that a text breaks, or "".
func textRule(text string, sizeMax int) string {
	switch {
	case len(text) > sizeMax:
		return fmt.Sprintf("must have at most %d bytes", sizeMax)
	case !isText(text):
		return notUTF8
	}
	return ""
}

// isPlain tells, fast, that a name is printable ASCII.
func isPlain(name string) bool {
	for i := 0; i < len(name); i++ {
		if name[i] < 0x20 || name[i] >= 0x7f {
			return false
		}
	}
	return true
}

func namespaceRule(name string) string {
	switch {
	case name == "":
		return "must not be empty"
	case len(name) > namespaceSizeMax:
		return "is longer than its limit"
	case !isText(name):
		return "must be UTF-8"
	}
	if rule := nameRule(name, 1, namespaceSizeMax); rule != "" {
		return rule
	}
	if first := name[0]; !isLowerAlnum(first) {
		return "must begin with one of a-z 0-9"
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; !isLowerAlnum(c) && c != '-' && c != '_' && c != '.' {
			return "may hold only a-z 0-9 - _ ."
		}
	}
	return ""
}

func isLowerAlnum(c byte) bool { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') }

// checks keeps the first field that breaks a rule. The checks of a request are made in the server's
// order, so that it is the one that the server would name. The zero value: nothing is wrong.
type checks struct{ field, rule string }

// err is what the server would say.
func (c *checks) err() error {
	if c.rule == "" {
		return nil
	}
	return invalidField(c.field, c.rule)
}

func (c *checks) broke(field, rule string) {
	if c.rule == "" && rule != "" {
		c.field, c.rule = field, rule
	}
}

// inside takes over what is wrong with a part of the request, which stands in a field.
func (c *checks) inside(field string, part checks) {
	if c.rule != "" || part.rule == "" {
		return
	}
	if part.field != "" {
		field += "." + part.field
	}
	c.broke(field, part.rule)
}

func (c *checks) name(field, name string, sizeMin, sizeMax int) {
	c.broke(field, nameRule(name, sizeMin, sizeMax))
}

func (c *checks) namespace(name string) {
	if name != "" { // The server has a default.
		c.broke("namespace", namespaceRule(name))
	}
}

func (c *checks) text(field, text string, sizeMax int) {
	c.broke(field, textRule(text, sizeMax))
}

func (c *checks) count(field string, count, countMin, countMax int) {
	switch {
	case count < countMin:
		c.broke(field, "must not be empty")
	case count > countMax:
		c.broke(field, fmt.Sprintf("must have at most %d elements", countMax))
	}
}

// names checks a list of names.
func (c *checks) names(field string, names []string, countMax, sizeMax int) {
	c.count(field, len(names), 0, countMax)
	for i, name := range names {
		if rule := nameRule(name, 1, sizeMax); rule != "" {
			c.broke(at(field, i), rule)
			return
		}
	}
}

// duration checks a length of time, which may be left out. shortest 0: it must be positive.
func (c *checks) duration(field string, length *durationpb.Duration, shortest, longest time.Duration) {
	if length == nil {
		return
	}
	switch value := length.AsDuration(); {
	case value > longest:
		c.broke(field, fmt.Sprintf("must be at most %.0f seconds", longest.Seconds()))
	case shortest == 0 && value <= 0:
		c.broke(field, "must be positive")
	case value < shortest && shortest >= time.Second:
		c.broke(field, fmt.Sprintf("must be at least %.0f seconds", shortest.Seconds()))
	case value < shortest:
		c.broke(field, fmt.Sprintf("must be at least %d milliseconds", shortest.Milliseconds()))
	}
}

func (c *checks) pageSize(size int32) {
	if size < 0 || size > pageSizeMax {
		c.broke("page_size", fmt.Sprintf("must be 1 to %d, or 0 for 100", pageSizeMax))
	}
}

// each checks a list of parts.
func each[T any](c *checks, field string, parts []T, countMin, countMax int, look func(T) checks) {
	c.count(field, len(parts), countMin, countMax)
	for i, part := range parts {
		if wrong := look(part); wrong.rule != "" {
			c.inside(at(field, i), wrong)
			return
		}
	}
}

// at is the path of an element.
func at(field string, index int) string { return fmt.Sprintf("%s[%d]", field, index) }
