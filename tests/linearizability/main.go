// Checks that the real server is linearizable: see run.
package main

import (
	"crypto/rand"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type options struct {
	binary     string
	failures   string
	seconds    int
	seed       uint64
	operations int
	passed     int
}

func parse() options {
	var o options
	flag.StringVar(&o.binary, "binary", "", "the server to check (default: it is built)")
	flag.StringVar(&o.failures, "failures", ".", "the folder for what a failure leaves behind")
	flag.IntVar(&o.seconds, "seconds", 60, "for how long rounds are begun; set by run")
	flag.Uint64Var(&o.seed, "seed", 0, "the seed of the first round (default: drawn)")
	flag.IntVar(&o.operations, "operations", 8000, "how many operations a round has at most")
	flag.IntVar(&o.passed, "passed", 0, "tests that passed before; set by run")
	flag.Parse()
	if o.seed == 0 {
		o.seed = drawSeed()
	}
	return o
}

// drawSeed draws a short number, not 0.
func drawSeed() uint64 {
	var bytes [8]byte
	_, _ = rand.Read(bytes[:])
	return 1 + binary.LittleEndian.Uint64(bytes[:])%1_000_000_000
}

func main() {
	o := parse()
	folder, err := os.MkdirTemp("", "linearizability-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "linearizability:", err)
		os.Exit(1)
	}
	// Servers end with us: spawn saw to that.
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		_ = os.RemoveAll(folder)
		os.Exit(130)
	}()
	failed, err := check(o, folder)
	_ = os.RemoveAll(folder)
	if err != nil {
		fmt.Fprintln(os.Stderr, "linearizability:", err)
		os.Exit(1)
	}
	fmt.Printf("%d passed, %d failed\n", o.passed+int(claimsMax)-failed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

// check runs rounds until the time is over or one fails, and returns how many of the
// claims failed.
func check(o options, folder string) (int, error) {
	binary, err := copyBinary(o.binary, folder)
	if err != nil {
		return 0, err
	}
	fmt.Printf("linearizability: %d seconds from seed %d\n", o.seconds, o.seed)
	until := time.Now().Add(time.Duration(o.seconds) * time.Second)
	total := counts{answers: map[string]int{}}
	failed := 0
	rounds := 0
	for seed := o.seed; failed == 0 && (rounds == 0 || time.Now().Before(until)); seed++ {
		data := filepath.Join(folder, fmt.Sprint(seed))
		if err := os.Mkdir(data, 0o755); err != nil {
			return 0, err
		}
		round := newRound(seed, binary, data, o.failures)
		round.run(o.operations, until)
		failed = report(round, o)
		total.add(round.counts)
		rounds++
		if err := os.RemoveAll(data); err != nil {
			return 0, err
		}
	}
	fmt.Printf("%d rounds: %s\n", rounds, &total)
	return failed, nil
}

// copyBinary keeps the server as it is now: a build may replace it meanwhile.
func copyBinary(path, folder string) (string, error) {
	source, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer source.Close()
	name := filepath.Join(folder, "contextd")
	target, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return "", err
	}
	if _, err = io.Copy(target, source); err != nil {
		_ = target.Close()
		return "", err
	}
	return name, target.Close()
}

// report says what is wrong in a round, and returns how many claims it refutes.
func report(round *round, o options) int {
	failed := 0
	for claim, problems := range round.failed {
		if len(problems) == 0 {
			continue
		}
		failed++
		fmt.Printf("FAILED: %s\n", claimNames[claim])
		for i, problem := range problems {
			if i == 5 {
				fmt.Printf("  and %d more\n", len(problems)-i)
				break
			}
			fmt.Println("  " + strings.ReplaceAll(problem, "\n", "\n  "))
		}
	}
	if failed > 0 {
		fmt.Printf("what was done to the server:\n  %s\n",
			strings.Join(round.server.events, "\n  "))
		fmt.Printf("seed %d: tests/linearizability/run %d --seed %d --operations %d\n",
			round.seed, o.seconds, round.seed, o.operations)
	}
	return failed
}
