package contextd

import (
	"strconv"
)

// The types of errors whose reasons have details. Each holds the *Failure.
type (
	// InvalidFieldError: a field breaks a rule of the API.
	InvalidFieldError struct {
		*Failure
		Field string // Its path, such as mutations[3].put_entry.key.
		Rule  string // The rule that it breaks.
	}

	// ContextNotFoundError: there is no such context.
	ContextNotFoundError struct {
		*Failure
		DeletedVersion uint64 // The last version, if it was deleted; else 0.
	}

	// EntryNotFoundError: the context has no such entry.
	EntryNotFoundError struct {
		*Failure
		Key string
	}

	// ContextExistsError: a create found one.
	ContextExistsError struct {
		*Failure
		Version uint64 // Of the one that exists.
	}

	// VersionConflictError: the context has another version than the write expected.
	VersionConflictError struct {
		*Failure
		CurrentVersion uint64 // 0: there is no context.
	}

	// EntryConflictError: the entry was set by another version than the write expected.
	EntryConflictError struct {
		*Failure
		Key            string
		CurrentVersion uint64 // 0: there is no entry.
	}

	// HeadMovedError: the context changed again and again while the server worked on it.
	HeadMovedError struct {
		*Failure
		CurrentVersion uint64
	}

	// StreamStalledError: nobody read the stream for too long.
	StreamStalledError struct {
		*Failure
		AfterKey string // The last key that the server sent.
		Cursor   string // Of a subscription: the last position that the server sent.
	}

	// StaleFenceError: the exclusive activation is not in force; nothing was written.
	StaleFenceError struct {
		*Failure
		CurrentFence uint64
	}

	// SizeMismatchError: an append found a value of another size.
	SizeMismatchError struct {
		*Failure
		Key         string
		CurrentSize uint64 // In bytes.
	}

	// HasChildrenError: contexts name this one as their parent.
	HasChildrenError struct {
		*Failure
		ChildCount uint64
	}

	// ParentNotFoundError: the parent does not exist.
	ParentNotFoundError struct {
		*Failure
		ParentID string
	}

	// SessionNotFoundError: there is no such session, or it has ended. Where it was the program's
	// own, errors.Is finds ErrSessionLost too.
	SessionNotFoundError struct {
		*Failure
		SessionID string
	}

	// ContextBusyError: another session has the context exclusively.
	ContextBusyError struct {
		*Failure
		SessionID string
		Owner     string // Who the session stands for, or empty.
	}

	// ResourceHeldError: another session holds the resource.
	ResourceHeldError struct {
		*Failure
		SessionID string
	}

	// ResourceNotHeldError: the session does not hold the resource that it gives back.
	ResourceNotHeldError struct {
		*Failure
		SessionID string // The one that holds it. Empty: none.
	}

	// RecoveryPointNotFoundError: there is no such point.
	RecoveryPointNotFoundError struct {
		*Failure
		OldestID string // The oldest point that there is. Empty: there is none.
	}

	// RecoveryPointExistsError: there is a point of this id already.
	RecoveryPointExistsError struct {
		*Failure
		Sequence uint64 // Of the one that exists.
	}

	// LimitReachedError: something has reached its limit.
	LimitReachedError struct {
		*Failure
		Limit string // The limit's name, such as value_size_max.
		Value uint64 // What the limit is set to.
	}

	// ResponseTooLargeError: the answer would outgrow a message. Read it in pieces.
	ResponseTooLargeError struct {
		*Failure
		Size  uint64 // The answer's size in bytes, at least.
		Limit uint64 // What fits, in bytes.
	}

	// StateNotRetainedError: the state is not kept any more, or not there yet.
	StateNotRetainedError struct {
		*Failure
		OldestVersion uint64
		NewestVersion uint64
	}

	// CursorCompactedError: what followed the position is not kept any more: events were missed.
	CursorCompactedError struct {
		*Failure
		OldestCursor string // The oldest position to begin at.
	}

	// DamagedError: what the server stored is damaged.
	DamagedError struct {
		*Failure
		File   string // On the server.
		Offset uint64 // In the file, in bytes.
	}

	// NotSupportedError: the server does not have this feature.
	NotSupportedError struct {
		*Failure
		Field string // The field that asks for it, or the method.
	}
)

func (f *Failure) number(name string) uint64 {
	value, err := strconv.ParseUint(f.Details[name], 10, 64)
	if err != nil {
		return 0
	}
	return value
}

// typed gives the failure as the type of its reason, with the details as fields.
func typed(f *Failure) error {
	text := f.Details
	switch f.kind {
	case nil:
		return f
	case ErrInvalidField:
		return &InvalidFieldError{f, text["field"], text["rule"]}
	case ErrContextNotFound:
		return &ContextNotFoundError{f, f.number("deleted_version")}
	case ErrContextExists:
		return &ContextExistsError{f, f.number("version")}
	case ErrVersionConflict:
		return &VersionConflictError{f, f.number("current_version")}
	case ErrEntryConflict:
		return &EntryConflictError{f, text["key"], f.number("current_version")}
	case ErrHeadMoved:
		return &HeadMovedError{f, f.number("current_version")}
	case ErrStreamStalled:
		return &StreamStalledError{f, text["after_key"], text["cursor"]}
	case ErrStaleFence:
		return &StaleFenceError{f, f.number("current_fence")}
	case ErrSizeMismatch:
		return &SizeMismatchError{f, text["key"], f.number("current_size")}
	case ErrHasChildren:
		return &HasChildrenError{f, f.number("child_count")}
	case ErrParentNotFound:
		return &ParentNotFoundError{f, text["parent_id"]}
	}
	return typedRest(f)
}

func typedRest(f *Failure) error {
	text := f.Details
	switch f.kind {
	case ErrSessionNotFound, ErrSessionLost:
		return &SessionNotFoundError{f, text["session_id"]}
	case ErrContextBusy:
		return &ContextBusyError{f, text["session_id"], text["owner"]}
	case ErrResourceHeld:
		return &ResourceHeldError{f, text["session_id"]}
	case ErrResourceNotHeld:
		return &ResourceNotHeldError{f, text["session_id"]}
	case ErrRecoveryPointNotFound:
		return &RecoveryPointNotFoundError{f, text["oldest_id"]}
	case ErrRecoveryPointExists:
		return &RecoveryPointExistsError{f, f.number("sequence")}
	case ErrLimitReached:
		return &LimitReachedError{f, text["limit"], f.number("value")}
	case ErrResponseTooLarge:
		return &ResponseTooLargeError{f, f.number("size"), f.number("limit")}
	case ErrStateNotRetained:
		return &StateNotRetainedError{f, f.number("oldest_version"), f.number("newest_version")}
	case ErrCursorCompacted:
		return &CursorCompactedError{f, text["oldest_cursor"]}
	case ErrDamaged:
		return &DamagedError{f, text["file"], f.number("offset")}
	case ErrNotSupported:
		return &NotSupportedError{f, text["field"]}
	}
	return f
}
