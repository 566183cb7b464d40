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

// buildElsewhere builds a program in a folder of its own, which uses the module as the README says, and
// gives where it is.
func buildElsewhere(t *testing.T, text string) string {
	t.Helper()
	module, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("go.sum") // No network is needed with them.
	if err != nil {
		t.Fatal(err)
	}
	const path = "github.com/contextd/contextd/clients/go"
	uses := "module program\n\ngo 1.23\n\nrequire " + path + " v0.0.0\n\n" +
		"replace " + path + " => " + module + "\n"
	folder := t.TempDir()
	for name, content := range map[string]string{
		"main.go": text, "go.mod": uses, "go.sum": string(sums),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(folder, "program")
	command := exec.Command("go", "build", "-mod=mod", "-ldflags=-s -w", "-o", program, ".")
	command.Dir = folder
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return program
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
	want := map[string]string{
		"chat":    "assistant: In Italy.\nuser: Where is Rome?\n",
		"workers": "fence 1 is not in force: 2 is\ndone by fast\n",
		"view":    "SNAPSHOT\nUPDATED\nUPDATED\nHello, world!\n",
		"branch":  "by: bus or train\nto Rome by train\n",
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
	if printed := run(t, buildElsewhere(t, text)); printed != output {
		t.Errorf("the README's program prints\n%s", printed)
	}
}
