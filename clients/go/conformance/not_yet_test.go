package conformance

// notYet are cases of what this client does not offer yet, by id, with what is missing. Each must
// fail: whoever adds what is missing takes the case off the list.
var notYet = map[string]string{
	"a-ttl-of-nothing-is-refused": "a length of 0 is none in Go",
}
