package main

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"time"
)

// counts are what happened in rounds.
type counts struct {
	operations, unknown, busy      int
	kills, pauses, stops, restarts int
	segments                       int            // Of the log.
	lookedAt                       time.Duration  // What the checking took.
	answers                        map[string]int // By what they say.
}

func (c *counts) add(other counts) {
	c.operations += other.operations
	c.unknown += other.unknown
	c.busy += other.busy
	c.kills += other.kills
	c.pauses += other.pauses
	c.stops += other.stops
	c.restarts += other.restarts
	c.segments += other.segments
	c.lookedAt += other.lookedAt
	for name, count := range other.answers {
		c.answers[name] += count
	}
}

// String tells all counts, in two lines.
func (c *counts) String() string {
	answers := make([]string, 0, len(c.answers))
	for name, count := range c.answers {
		answers = append(answers, fmt.Sprintf("%s %d", name, count))
	}
	sort.Strings(answers)
	return fmt.Sprintf("%d operations (%d without an answer, %d refused as too many), "+
		"%d kills, %d pauses, %d orderly stops, %d restarts, %d segments; checked in %.1f s\nanswers: %s",
		c.operations, c.unknown, c.busy, c.kills, c.pauses, c.stops, c.restarts, c.segments,
		c.lookedAt.Seconds(), strings.Join(answers, ", "))
}

// nemesis does to the server what the world may do to it.
type nemesis struct {
	random   *rand.Rand
	server   *server
	progress *progress
	counts   counts
}

// run goes on until no client does. It ends with a server that serves, or fails.
func (n *nemesis) run() error {
	for n.progress.await(100 + n.random.IntN(900)) {
		var err error
		switch percent := n.random.IntN(100); {
		case percent < 40:
			n.pause()
		case percent < 80:
			err = n.kill()
		default:
			err = n.stop()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *nemesis) milliseconds(below int) time.Duration {
	return time.Duration(n.random.IntN(below)) * time.Millisecond
}

func (n *nemesis) pause() {
	n.counts.pauses++
	if life := n.server.await(); life != nil {
		n.server.pause(life, 20*time.Millisecond+n.milliseconds(280))
	}
}

// kill ends the server at once, in some cases out of a pause, and starts it again, in some
// cases with further kills while it starts.
func (n *nemesis) kill() error {
	frozen := n.random.IntN(4) == 0
	if life := n.server.await(); life != nil && frozen {
		n.counts.pauses++
		n.server.freeze(life)
		time.Sleep(n.milliseconds(100))
	}
	life, err := n.server.retire()
	if err != nil {
		return err
	}
	n.server.note("is killed")
	n.server.kill(life)
	n.counts.kills++
	return n.restart()
}

// stop asks the server to end, in some cases without the patience to wait for it.
func (n *nemesis) stop() error {
	life, err := n.server.retire()
	if err != nil {
		return err
	}
	n.counts.stops++
	if n.random.IntN(3) > 0 {
		n.server.note("is asked to stop")
		err = n.server.stop(life)
	} else {
		n.server.note("is asked to stop, and killed meanwhile")
		n.server.terminate(life)
		time.Sleep(n.milliseconds(5))
		n.server.kill(life)
		n.counts.kills++
	}
	if err != nil {
		return err
	}
	return n.restart()
}

func (n *nemesis) restart() error {
	for n.random.IntN(5) == 0 {
		n.counts.kills++
		n.counts.restarts++
		if err := n.server.startAndKill(n.milliseconds(40)); err != nil {
			return err
		}
	}
	n.counts.restarts++
	return n.server.start()
}
