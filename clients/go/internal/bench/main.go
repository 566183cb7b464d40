// Command bench measures the client against a running server, beside the bare generated stubs:
//
//	bench --address 127.0.0.1:7420 SECONDS ROUNDS
//
// What is compared takes turns in slices of SECONDS, ROUNDS times; the one line that it prints has the
// medians: of the rates' ratios, and of the CPU time of one get in microseconds. The server should
// keep nothing of worth: a namespace of the bench's own is written to.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"strconv"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
)

func main() {
	address := flag.String("address", contextd.DefaultAddress, "where the server is")
	profile := flag.String("profile", "", "write a CPU profile of all slices to this file")
	flag.Parse()
	seconds, err := strconv.ParseFloat(flag.Arg(0), 64)
	rounds, failed := strconv.Atoi(flag.Arg(1))
	if err != nil || failed != nil || seconds <= 0 || rounds < 1 || flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: bench [--address HOST:PORT] SECONDS ROUNDS")
		os.Exit(2)
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(file)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
	line, err := measure(*address, time.Duration(seconds*float64(time.Second)), rounds)
	pprof.StopCPUProfile()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	fmt.Println(line)
}

// measure takes all measurements, and gives the line to print.
func measure(address string, slice time.Duration, rounds int) (string, error) {
	bench, err := newBench(address)
	if err != nil {
		return "", err
	}
	defer bench.close()
	var unary, put, coalescing, events, bareCPU, clientCPU []float64
	for range rounds {
		bareGet, clientGet, err := both(slice, bench.bareGet, bench.clientGet)
		if err != nil {
			return "", err
		}
		unary = append(unary, clientGet.rate/bareGet.rate)
		bareCPU, clientCPU = append(bareCPU, bareGet.cpu), append(clientCPU, clientGet.cpu)
		barePut, clientPut, err := both(slice, bench.barePut, bench.clientPut)
		if err != nil {
			return "", err
		}
		put = append(put, clientPut.rate/barePut.rate)
		alone, together, err := both(slice, bench.manyAlone, bench.manyTogether)
		if err != nil {
			return "", err
		}
		coalescing = append(coalescing, together.rate/alone.rate)
		bareEvents, clientEvents, err := both(slice, bench.bareEvents, bench.clientEvents)
		if err != nil {
			return "", err
		}
		events = append(events, clientEvents.rate/bareEvents.rate)
		fmt.Fprintf(os.Stderr, "gets %.0f and %.0f, puts %.0f and %.0f, with 64 callers %.0f and %.0f, "+
			"events %.0f and %.0f a second\n", bareGet.rate, clientGet.rate, barePut.rate,
			clientPut.rate, alone.rate, together.rate, bareEvents.rate, clientEvents.rate)
	}
	return fmt.Sprintf("client=go unary_ratio=%.2f put_ratio=%.2f coalescing_ratio=%.2f "+
		"events_ratio=%.2f cpu_us_bare=%.1f cpu_us_client=%.1f", median(unary), median(put),
		median(coalescing), median(events), median(bareCPU), median(clientCPU)), nil
}

func median(of []float64) float64 {
	slices.Sort(of)
	if middle := len(of) / 2; len(of)%2 == 0 {
		return (of[middle-1] + of[middle]) / 2
	}
	return of[len(of)/2]
}

// rate is what a slice came to.
type rate struct {
	rate float64 // A second.
	cpu  float64 // Microseconds of this process for each.
}

// work does something again and again until the context ends, and gives how often.
type work func(ctx context.Context) (int, error)

// turns is how often two that are compared take turns in a slice.
const turns = 4

// both has two things take turns, so that what disturbs the machine disturbs both.
func both(slice time.Duration, one, two work) (first, second rate, err error) {
	var sums [2]struct {
		done      int
		time, cpu time.Duration
	}
	for turn := range 2 * turns {
		which := (turn + turn/2) % 2 // 0 1 1 0 0 1 1 0
		ctx, cancel := context.WithTimeout(context.Background(), slice/turns)
		begun, cpu := time.Now(), cpuTime()
		done, err := []work{one, two}[which](ctx)
		cancel()
		if err != nil {
			return first, second, err
		}
		sum := &sums[which]
		sum.done += done
		sum.time += time.Since(begun)
		sum.cpu += cpuTime() - cpu
	}
	rates := make([]rate, 2)
	for i, sum := range sums {
		done := float64(max(sum.done, 1))
		rates[i] = rate{done / sum.time.Seconds(), float64(sum.cpu.Microseconds()) / done}
	}
	return rates[0], rates[1], nil
}
