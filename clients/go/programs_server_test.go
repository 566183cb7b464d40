package contextd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	contextd "github.com/contextd/contextd/clients/go"
	"github.com/contextd/contextd/clients/go/internal/realserver"
)

// build builds programs of this module at once, and gives the folder where they are.
func build(t *testing.T, packages ...string) string {
	t.Helper()
	folder := t.TempDir()
	arguments := []string{"build", "-ldflags=-s -w", "-o", folder + "/"} // Without symbols: faster.
	said, err := exec.Command("go", append(arguments, packages...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", packages, err, said)
	}
	return folder
}

// run gives what a program prints.
func run(t *testing.T, program string, arguments ...string) string {
	t.Helper()
	command := exec.Command(program, arguments...)
	var said strings.Builder
	command.Stderr = &said
	printed, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, said.String())
	}
	return string(printed)
}

// readme gives the README's program, for a server at an address, and what it should print.
func readme(t *testing.T, address string) (program, output string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	first := regexp.MustCompile("(?s)<!-- program: first -->\n```go\n(.*?)```").FindSubmatch(text)
	printed := regexp.MustCompile("(?s)<!-- output: first -->\n```\n(.*?)```").FindSubmatch(text)
	return strings.Replace(string(first[1]), contextd.DefaultAddress, address, 1), string(printed[1])
}

func TestTheProgramsPrintWhatTheyShould(t *testing.T) {
	address := realserver.Start(t).Address()
	text, output := readme(t, address)
	// In the module, so that the program finds the package; the name keeps it out of builds.
	folder, err := os.MkdirTemp("examples", "_readme")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		filepath.Base(folder): output,
		"chat":                "assistant: In Italy.\nuser: Where is Rome?\n",
		"workers":             "fence 1 is not in force: 2 is\ndone by fast\n",
		"view":                "SNAPSHOT\nUPDATED\nUPDATED\nHello, world!\n",
		"branch":              "by: bus or train\nto Rome by train\n",
	}
	var packages []string
	for program := range want {
		packages = append(packages, "./examples/"+program)
	}
	built := build(t, packages...)
	for program, output := range want {
		if printed := run(t, filepath.Join(built, program), address); printed != output {
			t.Errorf("%s prints\n%s", program, printed)
		}
	}
}
