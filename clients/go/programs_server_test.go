package contextd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/contextd/contextd/clients/go/internal/realserver"
)

// run runs a Go program in this module, and gives what it prints.
func run(t *testing.T, arguments ...string) string {
	t.Helper()
	command := exec.Command("go", append([]string{"run"}, arguments...)...)
	var said strings.Builder
	command.Stderr = &said
	printed, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", arguments, err, said.String())
	}
	return string(printed)
}

func TestTheReadmesProgramPrintsWhatItSays(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile("(?s)<!-- program: first -->\n```go\n(.*?)```").FindSubmatch(readme)
	output := regexp.MustCompile("(?s)<!-- output: first -->\n```\n(.*?)```").FindSubmatch(readme)
	address := realserver.Start(t).Address()
	text := strings.Replace(string(program[1]), "127.0.0.1:7420", address, 1)
	// In the module, so that the program finds the package; the name keeps it out of builds.
	folder, err := os.MkdirTemp("examples", "_readme")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	file := filepath.Join(folder, "main.go")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if printed := run(t, "./"+file); printed != string(output[1]) {
		t.Errorf("it prints\n%s", printed)
	}
}

func TestTheExamplesPrintWhatTheyShould(t *testing.T) {
	address := realserver.Start(t).Address()
	for example, want := range map[string]string{
		"chat":    "assistant: In Italy.\nuser: Where is Rome?\n",
		"workers": "fence 1 is not in force: 2 is\ndone by fast\n",
		"view":    "SNAPSHOT\nUPDATED\nUPDATED\nHello, world!\n",
		"branch":  "by: bus or train\nto Rome by train\n",
	} {
		if printed := run(t, "./examples/"+example, address); printed != want {
			t.Errorf("%s prints\n%s", example, printed)
		}
	}
}
