package contextd

import "testing"

func TestATypeOfEventsThatIsUnknownHasANameToo(t *testing.T) {
	for of, name := range map[EventType]string{
		EventHistoryTrimmed: "HISTORY_TRIMMED", EventProgress: "PROGRESS", 99: "99", -7: "-7",
	} {
		if of.String() != name {
			t.Errorf("%d is %s", int(of), of)
		}
	}
}
