// Package realserver starts the server of $CONTEXTD_BINARY for tests: on a free port of loopback,
// always the same one for one server.
package realserver

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BinaryVariable names the environment variable with the server's path.
const BinaryVariable = "CONTEXTD_BINARY"

const (
	startMax = 60 * time.Second
	pollTime = 5 * time.Millisecond
)

// Server is a process on one data directory.
type Server struct {
	t       testing.TB
	binary  string
	folder  string
	flags   []string
	address string
	process *exec.Cmd
	output  *os.File
}

// Start starts a server that ends with the test. The test is skipped where there is no binary.
func Start(t testing.TB, flags ...string) *Server {
	t.Helper()
	binary := os.Getenv(BinaryVariable)
	if binary == "" {
		t.Skipf("%s names no server", BinaryVariable)
	}
	server := &Server{
		t: t, binary: binary, folder: t.TempDir(), flags: flags, address: freeAddress(),
	}
	output, err := os.Create(filepath.Join(server.folder, "output"))
	if err != nil {
		t.Fatal(err)
	}
	server.output = output
	t.Cleanup(func() {
		server.Kill()
		_ = output.Close()
	})
	server.Restart()
	return server
}

// freeAddress has a port that nobody gets for a connection while the server is away: systems hand out
// ports from 32768 on, or higher ones.
func freeAddress() string {
	for {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if probe, err := net.Listen("tcp", address); err == nil {
			_ = probe.Close()
			return address
		}
	}
}

// Address is where it serves.
func (s *Server) Address() string { return s.address }

// Restart starts the process, which must not run, and waits until it serves.
func (s *Server) Restart() {
	s.t.Helper()
	portFile := filepath.Join(s.folder, "port")
	_ = os.Remove(portFile) // One that was killed leaves it behind.
	arguments := []string{
		"--listen", s.address, "--data-dir", filepath.Join(s.folder, "data"), "--port-file", portFile,
	}
	process := exec.Command(s.binary, append(arguments, s.flags...)...)
	process.Stdout, process.Stderr = s.output, s.output
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "CONTEXTD_") { // Those are settings of the server.
			process.Env = append(process.Env, variable)
		}
	}
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.process = process
	for deadline := time.Now().Add(startMax); time.Now().Before(deadline); time.Sleep(pollTime) {
		port, err := os.ReadFile(portFile)
		if err == nil && len(bytes.TrimSpace(port)) > 0 {
			return
		}
	}
	said, _ := os.ReadFile(s.output.Name())
	s.t.Fatalf("the server is not ready:\n%s", said)
}

// Kill ends the process with SIGKILL.
func (s *Server) Kill() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		s.process = nil
	}
}

// Stop ends the process with SIGTERM, and fails where it does not end as it should.
func (s *Server) Stop() error {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	err := s.process.Wait()
	s.process = nil
	return err
}

// SetFlags sets the flags of the next start.
func (s *Server) SetFlags(flags ...string) { s.flags = flags }

// Pause stops the process until Resume.
func (s *Server) Pause() { _ = s.process.Process.Signal(syscall.SIGSTOP) }

// Resume has a paused process go on.
func (s *Server) Resume() { _ = s.process.Process.Signal(syscall.SIGCONT) }
