package contextd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Failure is what every error of a call holds, whatever its type. errors.As finds it in each
// of them; reasons that this version does not know come as a plain *Failure.
type Failure struct {
	// Message says what happened, for people.
	Message string

	// Code is gRPC's status.
	Code codes.Code

	// Reason is the server's, such as VERSION_CONFLICT. Empty: the failure is not the server's own.
	Reason string

	// Details are what the server told with the reason, as it came.
	Details map[string]string

	// RetryDelay says when the server wants to be asked again. 0: it did not say.
	RetryDelay time.Duration

	// RequestID is the id of the write that failed: the same write with it is safe to repeat, and
	// tells what became of it. Empty for a read.
	RequestID string

	kind  *kind
	cause error
}

// Error says the reason, or the kind of failure where there is none, and the message.
func (f *Failure) Error() string {
	name := f.Reason
	if name == "" && f.kind != nil {
		name = f.kind.name
	}
	if name == "" {
		name = f.Code.String()
	}
	return "contextd: " + name + ": " + f.Message
}

// Is makes errors.Is find the sentinels of the reason, and of what stands above it.
func (f *Failure) Is(target error) bool {
	wanted, ok := target.(*kind)
	for known := f.kind; ok && known != nil; known = known.above {
		if known == wanted {
			return true
		}
	}
	return false
}

// As makes errors.As find a *Failure in each type of error.
func (f *Failure) As(target any) bool {
	if found, ok := target.(**Failure); ok {
		*found = f
		return true
	}
	return false
}

// Unwrap gives what caused the failure, such as context.DeadlineExceeded, or nil.
func (f *Failure) Unwrap() error { return f.cause }

// GRPCStatus gives code and message as gRPC has them.
func (f *Failure) GRPCStatus() *status.Status { return status.New(f.Code, f.Message) }

func (f *Failure) failure() *Failure { return f }

// failed is any error that holds a Failure: those of this package.
type failed interface {
	error
	failure() *Failure
}

// kind is a sentinel for errors.Is, and the name of a reason.
type kind struct {
	name  string
	above *kind
}

func (k *kind) Error() string { return "contextd: " + k.name }

func newKind(name string, above *kind) *kind { return &kind{name: name, above: above} }

func kindOf(err error) *kind {
	if failed, ok := err.(failed); ok {
		return failed.failure().kind
	}
	return nil
}

// is tells whether a failure is of a kind, or of one below it.
func is(err error, wanted *kind) bool {
	for known := kindOf(err); known != nil; known = known.above {
		if known == wanted {
			return true
		}
	}
	return false
}

var (
	errConflict              = newKind("CONFLICT", nil)
	errUnavailable           = newKind("UNAVAILABLE", nil)
	errSessionNotFound       = newKind("SESSION_NOT_FOUND", nil)
	errClientClosed          = newKind("CLIENT_CLOSED", nil)
	errInvalidField          = newKind("INVALID_FIELD", nil)
	errInvalidValue          = newKind("INVALID_VALUE", nil)
	errNewerServer           = newKind("NEWER_SERVER", nil)
	errWrongServer           = newKind("WRONG_SERVER", nil)
	errDeadlineExceeded      = newKind("DEADLINE_EXCEEDED", nil)
	errCancelled             = newKind("CANCELLED", nil)
	errCertificateRejected   = newKind("CERTIFICATE_REJECTED", errUnavailable)
	errSessionLost           = newKind("SESSION_LOST", errSessionNotFound)
	errEntryNotFound         = newKind("ENTRY_NOT_FOUND", nil)
	errMergeConflicts        = newKind("MERGE_CONFLICTS", nil)
	errOverloaded            = newKind("OVERLOADED", nil)
	errResponseTooLarge      = newKind("RESPONSE_TOO_LARGE", nil)
	errStreamStalled         = newKind("STREAM_STALLED", nil)
	errNotSupported          = newKind("NOT_SUPPORTED", nil)
	errContextNotFound       = newKind("CONTEXT_NOT_FOUND", nil)
	errStateNotRetained      = newKind("STATE_NOT_RETAINED", nil)
	errRecoveryPointNotFound = newKind("RECOVERY_POINT_NOT_FOUND", nil)
)

// The sentinels for errors.Is: one for each reason of the server, and those of the client. What
// has details has a type for errors.As too.
var (
	// ErrMalformedRequest: the server could not read the request.
	ErrMalformedRequest error = newKind("MALFORMED_REQUEST", nil)
	// ErrInvalidField: a field breaks a rule of the API. See InvalidFieldError.
	ErrInvalidField error = errInvalidField
	// ErrInvalidValue: a value cannot be written, or is not what was asked for.
	ErrInvalidValue error = errInvalidValue
	// ErrContextNotFound: there is no such context. See ContextNotFoundError.
	ErrContextNotFound error = errContextNotFound
	// ErrEntryNotFound: the context has no such entry. See EntryNotFoundError.
	ErrEntryNotFound error = errEntryNotFound
	// ErrContextExists: a create found one. See ContextExistsError.
	ErrContextExists error = newKind("CONTEXT_EXISTS", nil)
	// ErrConflict: somebody else was faster. It is above the next three.
	ErrConflict error = errConflict
	// ErrVersionConflict: the context has another version. See VersionConflictError.
	ErrVersionConflict error = newKind("VERSION_CONFLICT", errConflict)
	// ErrEntryConflict: the entry was set by another version. See EntryConflictError.
	ErrEntryConflict error = newKind("ENTRY_CONFLICT", errConflict)
	// ErrHeadMoved: the context kept changing while the server worked on it. See HeadMovedError.
	ErrHeadMoved error = newKind("HEAD_MOVED", errConflict)
	// ErrStreamStalled: nobody read the stream. See StreamStalledError.
	ErrStreamStalled error = errStreamStalled
	// ErrStaleFence: the exclusive activation is not in force. See StaleFenceError.
	ErrStaleFence error = newKind("STALE_FENCE", nil)
	// ErrSizeMismatch: an append found another size. See SizeMismatchError.
	ErrSizeMismatch error = newKind("SIZE_MISMATCH", nil)
	// ErrHasChildren: only a recursive delete deletes what has children. See HasChildrenError.
	ErrHasChildren error = newKind("HAS_CHILDREN", nil)
	// ErrParentNotFound: the parent does not exist. See ParentNotFoundError.
	ErrParentNotFound error = newKind("PARENT_NOT_FOUND", nil)
	// ErrRequestIDReused: the request id was used for another request.
	ErrRequestIDReused error = newKind("REQUEST_ID_REUSED", nil)
	// ErrRecoveryPointNotFound: there is no such point. See RecoveryPointNotFoundError.
	ErrRecoveryPointNotFound error = errRecoveryPointNotFound
	// ErrNoRecoveryPoints: the context has no point.
	ErrNoRecoveryPoints error = newKind("NO_RECOVERY_POINTS", nil)
	// ErrRecoveryPointExists: there is a point of this id. See RecoveryPointExistsError.
	ErrRecoveryPointExists error = newKind("RECOVERY_POINT_EXISTS", nil)
	// ErrRecoveryPointPinned: a pinned point is not replaced.
	ErrRecoveryPointPinned error = newKind("RECOVERY_POINT_PINNED", nil)
	// ErrNoCommonAncestor: a merge does not know what to compare with.
	ErrNoCommonAncestor error = newKind("NO_COMMON_ANCESTOR", nil)
	// ErrMergeConflicts: both sides changed the same; nothing was merged. See MergeConflictsError.
	ErrMergeConflicts error = errMergeConflicts
	// ErrSessionNotFound: there is no such session, or it has ended. See SessionNotFoundError.
	ErrSessionNotFound error = errSessionNotFound
	// ErrSessionLost: this program's own session was not renewed in time.
	ErrSessionLost error = errSessionLost
	// ErrContextBusy: another session has it exclusively. See ContextBusyError.
	ErrContextBusy error = newKind("CONTEXT_BUSY", nil)
	// ErrNotActive: the session does not have the context active.
	ErrNotActive error = newKind("NOT_ACTIVE", nil)
	// ErrResourceHeld: another session holds the resource. See ResourceHeldError.
	ErrResourceHeld error = newKind("RESOURCE_HELD", nil)
	// ErrResourceNotHeld: the session does not hold the resource. See ResourceNotHeldError.
	ErrResourceNotHeld error = newKind("RESOURCE_NOT_HELD", nil)
	// ErrLimitReached: a configured limit. See LimitReachedError.
	ErrLimitReached error = newKind("LIMIT_REACHED", nil)
	// ErrResponseTooLarge: the answer does not fit into a message. See ResponseTooLargeError.
	ErrResponseTooLarge error = errResponseTooLarge
	// ErrStorageFull: the server's disk has no room. Reads go on.
	ErrStorageFull error = newKind("STORAGE_FULL", nil)
	// ErrOverloaded: too much at once, until the deadline; nothing was changed.
	ErrOverloaded error = errOverloaded
	// ErrStateNotRetained: so old a state is not kept. See StateNotRetainedError.
	ErrStateNotRetained error = errStateNotRetained
	// ErrCursorCompacted: events were missed. See CursorCompactedError.
	ErrCursorCompacted error = newKind("CURSOR_COMPACTED", nil)
	// ErrDamaged: stored bytes are damaged. See DamagedError.
	ErrDamaged error = newKind("DAMAGED", nil)
	// ErrNotSupported: the server does not have this feature. See NotSupportedError.
	ErrNotSupported error = errNotSupported
	// ErrUnavailable: nobody answered until the deadline. It is above the next four.
	ErrUnavailable error = errUnavailable
	// ErrNotReady: the server is starting.
	ErrNotReady error = newKind("NOT_READY", errUnavailable)
	// ErrStopping: the server is stopping.
	ErrStopping error = newKind("STOPPING", errUnavailable)
	// ErrStorageFailed: the server's disk failed, and it ends. A write may have been made.
	ErrStorageFailed error = newKind("STORAGE_FAILED", errUnavailable)
	// ErrCertificateRejected: one side did not accept the other's certificate, or speaks no TLS.
	ErrCertificateRejected error = errCertificateRejected
	// ErrWrongServer: what answers is not contextd.
	ErrWrongServer error = errWrongServer
	// ErrNewerServer: the answer holds something that this version must not leave out.
	ErrNewerServer error = errNewerServer
	// ErrClientClosed: the client, the session or the subscription was closed.
	ErrClientClosed error = errClientClosed
	// ErrDeadlineExceeded: no answer in time; a write may have been made. Also a
	// context.DeadlineExceeded.
	ErrDeadlineExceeded error = errDeadlineExceeded
	// ErrCancelled: the program cancelled the call; a write may have been made. Also a
	// context.Canceled.
	ErrCancelled error = errCancelled
)

// reasons are the kinds that the server names.
var reasons = func() map[string]*kind {
	found := make(map[string]*kind)
	for _, sentinel := range []error{
		ErrMalformedRequest, ErrInvalidField, ErrContextNotFound, ErrContextExists,
		ErrVersionConflict, ErrEntryConflict, ErrHeadMoved, ErrStreamStalled, ErrStaleFence,
		ErrSizeMismatch, ErrHasChildren, ErrParentNotFound, ErrRequestIDReused,
		ErrRecoveryPointNotFound, ErrNoRecoveryPoints, ErrRecoveryPointExists,
		ErrRecoveryPointPinned, ErrNoCommonAncestor, ErrSessionNotFound, ErrContextBusy,
		ErrNotActive, ErrResourceHeld, ErrResourceNotHeld, ErrLimitReached, ErrResponseTooLarge,
		ErrStorageFull, ErrOverloaded, ErrStateNotRetained, ErrCursorCompacted, ErrDamaged,
		ErrNotSupported, ErrNotReady, ErrStopping, ErrStorageFailed,
	} {
		known := sentinel.(*kind)
		found[known.name] = known
	}
	return found
}()

// newFailure makes a failure of the client's own.
func newFailure(known *kind, code codes.Code, format string, values ...any) *Failure {
	return &Failure{Message: fmt.Sprintf(format, values...), Code: code, kind: known}
}

func invalidValue(format string, values ...any) error {
	return newFailure(errInvalidValue, codes.InvalidArgument, format, values...)
}

func newerServer(what string) error {
	return newFailure(errNewerServer, codes.Unimplemented,
		"the server told %s, which this version of the client does not know: use a newer one", what)
}

func closedFailure() *Failure {
	return newFailure(errClientClosed, codes.Canceled, "the client was closed")
}

// cancelled is the failure of a call whose context was cancelled, and tells why where that was told.
func cancelled(cause error) *Failure {
	failure := newFailure(errCancelled, codes.Canceled, "the call was cancelled")
	failure.cause = context.Canceled
	if cause != nil && !errors.Is(cause, context.Canceled) {
		failure.Message += ": " + cause.Error()
		failure.cause = errors.Join(context.Canceled, cause)
	}
	return failure
}

func deadlineExceeded(message string) *Failure {
	failure := newFailure(errDeadlineExceeded, codes.DeadlineExceeded, "%s", message)
	failure.cause = context.DeadlineExceeded
	return failure
}

func entryNotFound(key string) error {
	return &EntryNotFoundError{
		newFailure(errEntryNotFound, codes.NotFound, "there is no entry %q", key), key,
	}
}

func stateReplaced(version uint64) error {
	return typed(newFailure(errStateNotRetained, codes.OutOfRange,
		"the recovery point was replaced while version %d of it was read", version))
}
