package contextd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

const noUTF8 = "a\xff"

// unsent are fields of requests that this package never sets to what a program gave.
var unsent = []protoreflect.FullName{
	"contextd.v1.Activity.resource", "contextd.v1.Activity.session_id",
	"contextd.v1.Mutation.splice_entry",
}

func isUnsent(field protoreflect.FieldDescriptor) bool {
	return field.Name() == "page_token" || slices.Contains(unsent, field.FullName())
}

// step is one step of a path to a text. key: it is the key of a map.
type step struct {
	field protoreflect.FieldDescriptor
	key   bool
}

// textPaths gives the paths to all texts in messages of a type.
func textPaths(of protoreflect.MessageDescriptor) [][]step {
	var paths [][]step
	for i := range of.Fields().Len() {
		field := of.Fields().Get(i)
		switch {
		case isUnsent(field):
		case field.IsMap():
			paths = append(paths, []step{{field, true}})
			if field.MapValue().Kind() == protoreflect.StringKind {
				paths = append(paths, []step{{field, false}})
			}
		case field.Kind() == protoreflect.StringKind:
			paths = append(paths, []step{{field, false}})
		case field.Kind() == protoreflect.MessageKind:
			for _, rest := range textPaths(field.Message()) {
				paths = append(paths, append([]step{{field, false}}, rest...))
			}
		}
	}
	return paths
}

// filler makes requests in which nothing is wrong but one text.
type filler struct{ texts int }

func (f *filler) text(field protoreflect.FieldDescriptor) string {
	if field.Name() == "currency" {
		return "EUR"
	}
	f.texts++ // No two are the same.
	return fmt.Sprint("x", f.texts)
}

// fill sets all texts, and messages with texts, of a message; the last of the path to what is wrong.
func (f *filler) fill(message protoreflect.Message, path []step) {
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if here := len(path) > 0 && path[0].field == field; here {
			f.set(message, field, path)
		} else if of := field.ContainingOneof(); of == nil ||
			(of.Fields().Get(0) == field && (len(path) == 0 || path[0].field.ContainingOneof() != of)) {
			f.set(message, field, nil)
		}
	}
}

// set sets a field. path is nil, or begins with it.
func (f *filler) set(
	message protoreflect.Message, field protoreflect.FieldDescriptor, path []step,
) {
	text := protoreflect.ValueOfString(noUTF8)
	if len(path) == 0 {
		text = protoreflect.ValueOfString(f.text(field))
	}
	switch {
	case isUnsent(field):
	case field.IsMap():
		key, value := text, field.MapValue().Default()
		if len(path) > 0 && !path[0].key {
			key, value = protoreflect.ValueOfString("k"), text
		}
		message.Mutable(field).Map().Set(key.MapKey(), value)
	case field.Kind() == protoreflect.StringKind && field.IsList():
		message.Mutable(field).List().Append(text)
	case field.Kind() == protoreflect.StringKind:
		message.Set(field, text)
	case field.Kind() == protoreflect.Uint64Kind:
		message.Set(field, protoreflect.ValueOfUint64(1))
	case field.Kind() != protoreflect.MessageKind ||
		field.Message().ParentFile().Package() == "google.protobuf":
	case field.IsList():
		part := message.Mutable(field).List().AppendMutable()
		f.fill(part.Message(), rest(path))
	default:
		f.fill(message.Mutable(field).Message(), rest(path))
	}
}

func rest(path []step) []step {
	if len(path) == 0 {
		return nil
	}
	return path[1:]
}

// inputs are the requests of all methods, but of those that take streams, or are not called here.
func inputs(t *testing.T) []protoreflect.MessageType {
	t.Helper()
	var found []protoreflect.MessageType
	for _, name := range []protoreflect.FullName{
		"contextd.v1.ContextManager", "contextd.v1.Tracker", "contextd.v1.Recovery",
	} {
		service, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
		if err != nil {
			t.Fatal(err)
		}
		methods := service.(protoreflect.ServiceDescriptor).Methods()
		for i := range methods.Len() {
			if methods.Get(i).IsStreamingClient() {
				continue
			}
			kind, err := protoregistry.GlobalTypes.FindMessageByName(methods.Get(i).Input().FullName())
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, kind)
		}
	}
	return found
}

func TestNoTextThatIsNotUTF8IsSent(t *testing.T) {
	texts := 0
	for _, kind := range inputs(t) {
		for _, path := range textPaths(kind.Descriptor()) {
			texts++
			made := kind.New()
			(&filler{}).fill(made, path)
			request := made.Interface()
			if _, err := proto.Marshal(request); err == nil {
				t.Fatalf("%s can be sent: the test is wrong", show(request))
			}
			var refused *InvalidFieldError
			if err := checkRequest(request, ""); !errors.As(err, &refused) ||
				!strings.Contains(refused.Field, string(path[len(path)-1].field.Name())) {
				t.Errorf("%T with %s is not refused for it: %v", request, describe(path), err)
			}
		}
	}
	t.Logf("%d texts", texts)
}

func TestARequestInWhichNothingIsWrongPasses(t *testing.T) {
	for _, kind := range inputs(t) {
		made := kind.New()
		(&filler{}).fill(made, nil)
		if err := checkRequest(made.Interface(), ""); err != nil {
			t.Errorf("%s: %v", show(made.Interface()), err)
		}
	}
}

func describe(path []step) string {
	var names []string
	for _, step := range path {
		names = append(names, string(step.field.Name()))
	}
	return strings.Join(names, ".")
}
