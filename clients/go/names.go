package contextd

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
)

// The sizes of names and texts, in bytes, as the .proto files have them.
const (
	namespaceSizeMax  = 63
	nameSizeMax       = 256
	typeSizeMax       = 64
	keySizeMax        = 512
	contentTypeMax    = 128
	labelKeySizeMax   = 63
	labelValueSizeMax = 1024
	requestIDSizeMax  = 128
	pointIDSizeMax    = 128
	pathSizeMax       = 2048
	textSizeMax       = 4096
	labelsMax         = 64
	activitiesMax     = 1000
	mutationsMax      = 10000
	preconditionsMax  = 1000
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

// checks collects the first field that breaks a rule. The checks of a request are made in the
// server's order, so that it is the one that the server would name.
type checks struct {
	above string // The path of the message that is checked. Empty: the request itself.
	err   error
}

func (c *checks) broke(field, rule string) {
	if c.err != nil || rule == "" {
		return
	}
	if c.above != "" {
		field = c.above + "." + field
	}
	c.err = invalidField(field, rule)
}

func (c *checks) name(field, name string, sizeMin, sizeMax int) {
	if c.err == nil {
		c.broke(field, nameRule(name, sizeMin, sizeMax))
	}
}

func (c *checks) namespace(field, name string) {
	if c.err == nil {
		c.broke(field, namespaceRule(name))
	}
}

func (c *checks) text(field, text string, sizeMax int) {
	if c.err == nil {
		c.broke(field, textRule(text, sizeMax))
	}
}

func (c *checks) count(field string, count, countMin, countMax int) {
	switch {
	case c.err != nil:
	case count < countMin:
		c.broke(field, "must not be empty")
	case count > countMax:
		c.broke(field, fmt.Sprintf("must have at most %d elements", countMax))
	}
}

// at is the path of an element.
func at(field string, index int) string { return fmt.Sprintf("%s[%d]", field, index) }
