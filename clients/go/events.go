package contextd

import (
	"strings"
	"time"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// EventType says what happened.
type EventType int

// The types of events. EventUnknown is one that this version does not know; the last two are only
// positions, handed out to those who ask for Progress.
const (
	EventUnknown              EventType = EventType(pb.EventType_EVENT_TYPE_UNSPECIFIED)
	EventCreated              EventType = EventType(pb.EventType_EVENT_TYPE_CREATED)
	EventUpdated              EventType = EventType(pb.EventType_EVENT_TYPE_UPDATED)
	EventDeleted              EventType = EventType(pb.EventType_EVENT_TYPE_DELETED)
	EventExpired              EventType = EventType(pb.EventType_EVENT_TYPE_EXPIRED)
	EventRestored             EventType = EventType(pb.EventType_EVENT_TYPE_RESTORED)
	EventForked               EventType = EventType(pb.EventType_EVENT_TYPE_FORKED)
	EventMerged               EventType = EventType(pb.EventType_EVENT_TYPE_MERGED)
	EventActivity             EventType = EventType(pb.EventType_EVENT_TYPE_ACTIVITY)
	EventActivated            EventType = EventType(pb.EventType_EVENT_TYPE_ACTIVATED)
	EventDeactivated          EventType = EventType(pb.EventType_EVENT_TYPE_DEACTIVATED)
	EventRecoveryPointCreated EventType = EventType(pb.EventType_EVENT_TYPE_RECOVERY_POINT_CREATED)
	EventRecoveryPointDeleted EventType = EventType(pb.EventType_EVENT_TYPE_RECOVERY_POINT_DELETED)
	EventRecoveryPointUpdated EventType = EventType(pb.EventType_EVENT_TYPE_RECOVERY_POINT_UPDATED)
	EventSnapshot             EventType = EventType(pb.EventType_EVENT_TYPE_SNAPSHOT)
	EventSessionStarted       EventType = EventType(pb.EventType_EVENT_TYPE_SESSION_STARTED)
	EventSessionEnded         EventType = EventType(pb.EventType_EVENT_TYPE_SESSION_ENDED)
	EventSessionLost          EventType = EventType(pb.EventType_EVENT_TYPE_SESSION_LOST)
	EventSessionSwitched      EventType = EventType(pb.EventType_EVENT_TYPE_SESSION_SWITCHED)
	EventHistoryTrimmed       EventType = EventType(pb.EventType_EVENT_TYPE_HISTORY_TRIMMED)

	// EventCaughtUp: what had happened was told, what follows is live.
	EventCaughtUp EventType = -1
	// EventProgress: there was nothing to tell up to here.
	EventProgress EventType = -2
)

// String gives the name of the API, such as RECOVERY_POINT_CREATED.
func (t EventType) String() string {
	switch t {
	case EventCaughtUp:
		return "CAUGHT_UP"
	case EventProgress:
		return "PROGRESS"
	case EventUnknown:
		return "UNKNOWN"
	}
	return strings.TrimPrefix(pb.EventType(t).String(), "EVENT_TYPE_")
}

// Event is what one change did to one context or session. A change of several contexts makes several
// events of the same revision.
type Event struct {
	Type      EventType
	Namespace string
	Cursor    string // The position right behind it: store it with what you make of the event.
	Revision  uint64
	Time      time.Time
	Context   *ContextInfo // After the change; before it, for a delete. nil: of a session.
	Steps     []Step       // What was done, as it was applied. One that is unknown is nil.
	Entries   []Entry      // Of a snapshot.
	Reset     bool         // What was done is not told: read the context anew.
	SessionID string       // Who did it; of an activation, whose it is.
	Session   *SessionInfo // Of events of sessions.

	Activation      *ActivationInfo // Of activations; of one that ended, just the context.
	RecoveryPointID string          // Of events of points, and of a restore.
	Trimmed         []SequenceRange // Of a history that was made smaller.
}

// SequenceRange is activities that are gone, both ends included.
type SequenceRange struct{ First, Last uint64 }

// ContextID is the context's id. Empty for events of sessions.
func (e *Event) ContextID() string {
	if e.Context == nil {
		return ""
	}
	return e.Context.ID
}

func eventOf(event *pb.Event) Event {
	made := Event{
		Namespace:       event.GetNamespace(),
		Cursor:          event.GetCursor(),
		Revision:        event.GetRevision(),
		Time:            timeOf(event.GetTime()),
		Reset:           event.GetReset_(),
		SessionID:       event.GetSessionId(),
		RecoveryPointID: event.GetRecoveryPointId(),
	}
	if _, known := pb.EventType_name[int32(event.GetType())]; known {
		made.Type = EventType(event.GetType())
	}
	if event.GetContext() != nil {
		info := infoOf(event.GetContext())
		made.Context = &info
	}
	if len(event.GetMutations()) > 0 {
		made.Steps = make([]Step, len(event.GetMutations()))
		for i, mutation := range event.GetMutations() {
			made.Steps[i] = stepOf(mutation)
		}
	}
	if len(event.GetEntries()) > 0 {
		made.Entries = entriesOf(event.GetEntries())
	}
	if event.GetSession() != nil {
		session := sessionInfoOf(event.GetSession())
		made.Session = &session
	}
	if event.GetActivation() != nil {
		activation := activationInfoOf(event.GetActivation())
		made.Activation = &activation
	}
	for _, gone := range event.GetTrimmed() {
		made.Trimmed = append(made.Trimmed, SequenceRange{gone.GetFirst(), gone.GetLast()})
	}
	return made
}
