package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// How long the server may take to do what it must do at all. No measure of speed: beyond
// it, it hangs.
const hangs = 2 * time.Minute

// clock tells the nanoseconds since a round began.
type clock struct{ start time.Time }

func (c clock) now() int64 { return time.Since(c.start).Nanoseconds() }

// life is one process of the server, from its start to its end.
type life struct {
	number      int
	connections []*grpc.ClientConn
	process     *os.Process
	ended       chan struct{} // Closed when the process is gone.
	status      string        // How it ended; to be read after that.
}

// server is the real server on one data directory, one life after the other. Each has a
// port and connections of its own, so that nothing sent to one can reach another.
//
// Threads: the nemesis starts and ends lives; any goroutine may wait for one.
type server struct {
	binary      string
	folder      string
	settings    []string
	connections int
	clock       clock

	mutex   sync.Mutex
	changed chan struct{} // Closed when `current` or `stopped` changes.
	current *life         // That serves. nil: none.
	stopped bool          // None will come any more.
	ends    []int64       // When each life was over.
	events  []string      // What was done to it, for the report.
}

func newServer(binary, folder string, connections int, settings []string, clock clock) *server {
	return &server{
		binary:      binary,
		folder:      folder,
		settings:    settings,
		connections: connections,
		clock:       clock,
		changed:     make(chan struct{}),
	}
}

// note adds to what is reported.
func (s *server) note(format string, values ...any) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	line := fmt.Sprintf("%10.3f ms  server %d: ", float64(s.clock.now())/1e6, len(s.ends))
	s.events = append(s.events, line+fmt.Sprintf(format, values...))
}

func (s *server) set(current *life, stopped bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.current = current
	s.stopped = stopped
	close(s.changed)
	s.changed = make(chan struct{})
}

// await returns the life that serves, or nil when none will any more.
func (s *server) await() *life {
	for {
		s.mutex.Lock()
		current, stopped, changed := s.current, s.stopped, s.changed
		s.mutex.Unlock()
		if current != nil || stopped {
			return current
		}
		<-changed
	}
}

// end tells when a life was over.
func (s *server) end(number int) int64 {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.ends[number]
}

// spawn starts the process. The line that says where it serves is sent to the channel,
// which is closed when there is none.
func (s *server) spawn() (*life, <-chan string, error) {
	arguments := append([]string{
		"--listen", "127.0.0.1:0", "--data-dir", filepath.Join(s.folder, "data"),
	}, s.settings...)
	command := exec.Command(s.binary, arguments...)
	command.Env = environment()
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	output, err := command.StderrPipe()
	if err != nil {
		return nil, nil, err
	}
	life := &life{number: len(s.ends), ended: make(chan struct{})}
	started := make(chan error)
	address := make(chan string, 1)
	go func() {
		// The signal at our end comes when the thread ends that started the process.
		runtime.LockOSThread()
		err := command.Start()
		life.process = command.Process
		started <- err
		if err != nil {
			return
		}
		s.read(output, address)
		_ = command.Wait()
		life.status = command.ProcessState.String()
		close(life.ended)
	}()
	return life, address, <-started
}

// environment is ours without what would set up the server.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "CONTEXTD_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// read copies what the server says into its log until it is gone.
func (s *server) read(output io.Reader, address chan<- string) {
	defer close(address)
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer log.Close()
	scanner := bufio.NewScanner(output)
	for scanner.Scan() {
		line := scanner.Text()
		fmt.Fprintln(log, line)
		if _, rest, found := strings.Cut(line, "serving address="); found {
			address <- strings.Fields(rest)[0]
		}
	}
}

func (s *server) log() string { return filepath.Join(s.folder, "server.log") }

// start begins a life, and returns when it serves.
func (s *server) start() error {
	life, addresses, err := s.spawn()
	if err != nil {
		return err
	}
	select {
	case address := <-addresses:
		if address == "" {
			<-life.ended
			s.bury(life)
			return fmt.Errorf("the server did not start: %s\n%s", life.status, s.tail())
		}
		if life.connections, err = connect(address, s.connections); err != nil {
			return err
		}
		s.note("serves as process %d on %s", life.process.Pid, address)
		s.set(life, false)
		return nil
	case <-time.After(hangs):
		s.kill(life)
		return fmt.Errorf("the server hangs at its start\n%s", s.tail())
	}
}

// startAndKill begins a life that is killed after a while, whether or not it serves then.
func (s *server) startAndKill(after time.Duration) error {
	life, _, err := s.spawn()
	if err != nil {
		return err
	}
	select {
	case <-life.ended:
		s.bury(life)
		return fmt.Errorf("the server did not start: %s\n%s", life.status, s.tail())
	case <-time.After(after):
	}
	s.note("is killed while it starts")
	s.kill(life)
	return nil
}

// retire lets nobody begin to use the life that serves, and returns it. Fails when it is
// gone by itself.
func (s *server) retire() (*life, error) {
	life := s.await()
	s.set(nil, false)
	select {
	case <-life.ended:
		s.bury(life)
		return nil, fmt.Errorf("the server ended by itself: %s\n%s", life.status, s.tail())
	default:
		return life, nil
	}
}

// kill ends a process at once, and waits for that.
func (s *server) kill(life *life) {
	_ = life.process.Signal(syscall.SIGKILL)
	<-life.ended
	s.bury(life)
}

// bury closes what led to a process that is gone: nothing that was sent to it can have an
// effect from now on.
func (s *server) bury(life *life) {
	for _, connection := range life.connections {
		_ = connection.Close()
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.ends = append(s.ends, s.clock.now())
}

// terminate asks a process to end in order.
func (s *server) terminate(life *life) { _ = life.process.Signal(syscall.SIGTERM) }

// freeze stops a process where it is, until it is killed.
func (s *server) freeze(life *life) {
	s.note("is paused for ever")
	_ = life.process.Signal(syscall.SIGSTOP)
}

// stop asks a process to end in order, and waits for that.
func (s *server) stop(life *life) error {
	s.terminate(life)
	select {
	case <-life.ended:
		s.bury(life)
	case <-time.After(hangs):
		s.kill(life)
		return fmt.Errorf("the server hangs at its end\n%s", s.tail())
	}
	if life.status != "exit status 0" {
		return fmt.Errorf("asked to stop, the server ended with %s\n%s", life.status, s.tail())
	}
	return nil
}

// pause stops the process for a while.
func (s *server) pause(life *life, duration time.Duration) {
	s.note("is paused for %s", duration)
	_ = life.process.Signal(syscall.SIGSTOP)
	time.Sleep(duration)
	_ = life.process.Signal(syscall.SIGCONT)
}

// tail is the end of what the server said.
func (s *server) tail() string {
	log, _ := os.ReadFile(s.log())
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// connect makes connections to the server, ready for use.
func connect(address string, count int) ([]*grpc.ClientConn, error) {
	connections := make([]*grpc.ClientConn, 0, count)
	for i := 0; i < count; i++ {
		connection, err := grpc.NewClient("passthrough:///"+address,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithNoProxy(), grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(),
			grpc.WithUserAgent("linearizability/"+strconv.Itoa(i)))
		if err != nil {
			return nil, err
		}
		connection.Connect()
		connections = append(connections, connection)
	}
	return connections, nil
}

// abandon ends what still runs, and lets nobody wait for more.
func (s *server) abandon() {
	s.mutex.Lock()
	life := s.current
	s.mutex.Unlock()
	s.set(nil, true)
	if life != nil {
		s.kill(life)
	}
}
