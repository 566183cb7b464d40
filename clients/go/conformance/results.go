package conformance

import (
	"encoding/hex"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	contextd "github.com/contextd/contextd/clients/go"
	"google.golang.org/grpc/codes"
)

// The names of enumerations, in the words of the cases.
var enumerations = map[reflect.Type][]string{
	reflect.TypeFor[contextd.ResourceEventKind](): {"unknown", "acquired", "released", "reclaimed"},
	reflect.TypeFor[contextd.Presence]():          {"unknown", "active", "inactive", "non_existent"},
	reflect.TypeFor[contextd.PointOrigin](): {
		"unknown", "client", "policy", "safety", "session_loss",
	},
}

// Lengths of time that are absent where they are 0.
var absentLengths = map[string]bool{"keep_within": true, "point_every": true, "ttl": true}

// treeOf makes a tree of what the client gives: structs are maps of their fields.
func treeOf(value any) Tree {
	if value == nil {
		return nil
	}
	return treeOfValue(reflect.ValueOf(value))
}

func treeOfValue(value reflect.Value) Tree {
	switch made := value.Interface().(type) {
	case time.Time:
		if made.IsZero() {
			return nil
		}
		return made.UnixMicro()
	case time.Duration:
		return made.Seconds()
	case contextd.EventType:
		return strings.ToLower(made.String())
	case []byte:
		return valueTree(made)
	case contextd.Entry:
		return entryTree(made)
	}
	if names, is := enumerations[value.Type()]; is {
		return names[value.Int()]
	}
	return treeOfKind(value)
}

func treeOfKind(value reflect.Value) Tree {
	switch value.Kind() {
	case reflect.String:
		return value.String()
	case reflect.Bool:
		return value.Bool()
	case reflect.Int, reflect.Int32, reflect.Int64:
		return value.Int()
	case reflect.Uint32, reflect.Uint64:
		return int64(value.Uint())
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			return nil
		}
		return treeOfValue(value.Elem())
	case reflect.Slice:
		made := make([]any, value.Len())
		for i := range made {
			made[i] = treeOfValue(value.Index(i))
		}
		return made
	case reflect.Map:
		made := Map{}
		for _, key := range value.MapKeys() {
			made[key.String()] = treeOfValue(value.MapIndex(key))
		}
		return made
	case reflect.Struct:
		return fieldsOf(value)
	}
	panic("no tree is made of a " + value.Type().String())
}

// fieldsOf gives the fields of a struct, with those of the structs that are embedded in it.
func fieldsOf(value reflect.Value) Map {
	made := Map{}
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if field.Anonymous {
			if embedded := value.Field(i); embedded.Kind() == reflect.Struct {
				for name, one := range fieldsOf(embedded) {
					made[name] = one
				}
			}
		} else if field.IsExported() {
			name := snake(field.Name)
			made[name] = treeOfValue(value.Field(i))
			if seconds, is := made[name].(float64); is && seconds == 0 && absentLengths[name] {
				made[name] = nil
			}
		}
	}
	return made
}

var initials = regexp.MustCompile(`(ID|TTL)`)

// snake gives a field's name in the words of the cases: ContextID is context_id.
func snake(name string) string {
	name = initials.ReplaceAllStringFunc(name, func(found string) string {
		return found[:1] + strings.ToLower(found[1:])
	})
	var made strings.Builder
	for i, letter := range name {
		if unicode.IsUpper(letter) && i > 0 {
			made.WriteByte('_')
		}
		made.WriteRune(unicode.ToLower(letter))
	}
	return made.String()
}

func valueTree(value []byte) Tree {
	if utf8.Valid(value) {
		return string(value)
	}
	return Map{"hex": hex.EncodeToString(value)}
}

func entryTree(entry contextd.Entry) Map {
	return Map{
		"key": entry.Key, "value": valueTree(entry.Value),
		"content_type": entry.ContentType, "version": int64(entry.Version),
	}
}

// entryMap gives keys and their values.
func entryMap(entries []contextd.Entry) Map {
	made := Map{}
	for _, entry := range entries {
		made[entry.Key] = valueTree(entry.Value)
	}
	return made
}

func infoTree(info contextd.ContextInfo) Map {
	made := treeOf(info).(Map)
	if forked, is := made["forked_from"].(Map); is {
		rename(forked, "point_id", "point")
	}
	return made
}

func rename(fields Map, from, to string) {
	fields[to] = fields[from]
	delete(fields, from)
}

// The classes of failures, those below others first.
var classes = []struct {
	name     string
	sentinel error
}{
	{"SessionLost", contextd.ErrSessionLost},
	{"NotReady", contextd.ErrNotReady},
	{"Stopping", contextd.ErrStopping},
	{"StorageFailed", contextd.ErrStorageFailed},
	{"InvalidField", contextd.ErrInvalidField},
	{"ContextNotFound", contextd.ErrContextNotFound},
	{"SessionNotFound", contextd.ErrSessionNotFound},
	{"ContextExists", contextd.ErrContextExists},
	{"VersionConflict", contextd.ErrVersionConflict},
	{"EntryConflict", contextd.ErrEntryConflict},
	{"StaleFence", contextd.ErrStaleFence},
	{"ContextBusy", contextd.ErrContextBusy},
	{"NotActive", contextd.ErrNotActive},
	{"ResourceHeld", contextd.ErrResourceHeld},
	{"ResourceNotHeld", contextd.ErrResourceNotHeld},
	{"SizeMismatch", contextd.ErrSizeMismatch},
	{"HasChildren", contextd.ErrHasChildren},
	{"ParentNotFound", contextd.ErrParentNotFound},
	{"RequestIdReused", contextd.ErrRequestIDReused},
	{"RecoveryPointNotFound", contextd.ErrRecoveryPointNotFound},
	{"NoRecoveryPoints", contextd.ErrNoRecoveryPoints},
	{"RecoveryPointExists", contextd.ErrRecoveryPointExists},
	{"RecoveryPointPinned", contextd.ErrRecoveryPointPinned},
	{"NoCommonAncestor", contextd.ErrNoCommonAncestor},
	{"LimitReached", contextd.ErrLimitReached},
	{"ResponseTooLarge", contextd.ErrResponseTooLarge},
	{"Overloaded", contextd.ErrOverloaded},
	{"StateNotRetained", contextd.ErrStateNotRetained},
	{"CursorCompacted", contextd.ErrCursorCompacted},
	{"NotSupported", contextd.ErrNotSupported},
	{"CertificateRejected", contextd.ErrCertificateRejected},
	{"WrongServer", contextd.ErrWrongServer},
	{"ClientClosed", contextd.ErrClientClosed},
	{"InvalidValue", contextd.ErrInvalidValue},
	{"EntryNotFound", contextd.ErrEntryNotFound},
	{"MergeConflicts", contextd.ErrMergeConflicts},
	{"Unavailable", contextd.ErrUnavailable},
	{"DeadlineExceeded", contextd.ErrDeadlineExceeded},
}

// failureTree gives a failure, with the typed fields of its type. false: it is none of the client's.
func failureTree(err error) (Map, bool) {
	var failure *contextd.Failure
	if !errors.As(err, &failure) {
		return nil, false
	}
	made := Map{}
	if value := reflect.Indirect(reflect.ValueOf(err)); value.Type() != reflect.TypeFor[contextd.Failure]() {
		made = fieldsOf(value)
	}
	above := []any{}
	for _, class := range classes {
		if !errors.Is(err, class.sentinel) {
			continue
		}
		if made["class"] == nil {
			made["class"] = class.name
		} else {
			above = append(above, class.name)
		}
	}
	if made["class"] == nil {
		made["class"] = "Contextd" // Of no class but the base.
	}
	if made["deleted_version"] == int64(0) {
		made["deleted_version"] = nil
	}
	made["is"], made["reason"], made["message"] = above, failure.Reason, failure.Message
	made["status"], made["details"] = statusName(failure.Code), treeOf(failure.Details)
	if made["request_id"] = failure.RequestID; failure.RequestID == "" {
		made["request_id"] = nil
	}
	return made, true
}

// statusName gives gRPC's status as the API writes it: NOT_FOUND.
func statusName(code codes.Code) string {
	if code == codes.Canceled {
		return "CANCELLED"
	}
	return strings.ToUpper(snake(code.String()))
}
