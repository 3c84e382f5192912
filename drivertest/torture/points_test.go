//go:build unix

package torture

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/handoff-go/handoff"
)

// points are the places at which a process kills itself, of a build that has them
// (-tags handoff_shmpoints): between any two steps of what crosses the segment.
var points []string

// armPoint has a child kill itself at its point.
var armPoint = func() {}

// envPoint tells a child where it kills itself, as name:passage.
const envPoint = "HANDOFF_SHM_POINT"

const (
	// pointKills is how many processes die at each point while values are held, at least; and, in a run
	// that is long enough, while they hold values themselves.
	pointKills = 20
	// pointPatience is how long a member may take to come to its point. Not every role
	// comes by every point.
	pointPatience = 2 * time.Second
	// pointTries is how often a role may fail to come to a point before it is not sent
	// there any more.
	pointTries = 5
)

// rare are the points that a process comes by a few times in its life. At others it passes
// up to common times first.
var rare = map[string]bool{"joined": true, "leaving": true, "cleaning": true}

const common = 20

// passages is at which time a process that is started for point kills itself there.
func (tr *torture) passages(point string) int {
	if rare[point] {
		return 1 + tr.dice.IntN(3)
	}
	return 1 + tr.dice.IntN(common)
}

// pointTally is what has happened at one point.
type pointTally struct {
	killed, holding, held int            // of them while they held values, while anybody did
	vain                  map[string]int // by role: how often it did not come by
}

// atPoints has members kill themselves until enough have at every point, and others are killed
// or stopped at any instant in between, until there were enough in all. It prints how many.
func (tr *torture) atPoints(ch [2]handoff.Chan[string]) {
	tally := map[string]*pointTally{}
	for _, p := range points {
		tally[p] = &pointTally{vain: map[string]int{}}
	}
	next := func(role string) string {
		best := ""
		for _, p := range points {
			if tally[p].vain[role] < pointTries && (best == "" || tally[p].wanted(role) < tally[best].wanted(role)) {
				best = p
			}
		}
		return best
	}
	for _, role := range tr.roles {
		tr.start(role, next(role))
	}
	anywhere := 0
	for (tr.tally.killed < *kills || !enough(tally)) && !tr.t.Failed() {
		if tr.dice.IntN(4) == 0 { // more of those die at their point than before they come to it
			before := tr.tally.killed
			tr.strike(ch, next)
			anywhere += tr.tally.killed - before
			continue
		}
		m := tr.endOfOne()
		switch at := tally[m.point]; {
		case m.atPoint():
			at.killed++
			if len(m.held) > 0 {
				at.holding++
			}
			if tr.anyHolds() {
				at.held++
			}
			delete(at.vain, m.role)
		case m.point != "":
			at.vain[m.role]++
			anywhere++
		}
		tr.bury(m)
		tr.start(m.role, next(m.role))
		tr.slots(ch)
		tr.possible(tally)
	}
	tr.t.Log(tableOf(tally, anywhere))
	for _, m := range slices.Clone(tr.crew) { // who ends it must not die of its own
		tr.replace(m, "")
	}
}

// anyHolds reports whether somebody of the crew holds values.
func (tr *torture) anyHolds() bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.ContainsFunc(tr.crew, func(m *member) bool { return len(m.held) > 0 })
}

// wanted is the figure of which role makes more: that of those who hold values themselves, if it may.
func (at *pointTally) wanted(role string) int {
	if strings.Contains(role, "take") {
		return at.holding
	}
	return at.held
}

// enough reports whether enough have died at every point.
func enough(tally map[string]*pointTally) bool {
	for _, at := range tally {
		if at.held < pointKills || at.holding < min(pointKills, *kills/100) {
			return false
		}
	}
	return true
}

// possible judges that some role comes by each point that has not had enough.
func (tr *torture) possible(tally map[string]*pointTally) {
	for _, p := range points {
		some := tally[p].held >= pointKills
		for _, role := range tr.roles {
			some = some || tally[p].vain[role] < pointTries
		}
		if !some {
			tr.t.Errorf("nobody comes by %s, where %d were killed", p, tally[p].killed)
		}
	}
}

// tableOf is what docs/faults.md shows.
func tableOf(tally map[string]*pointTally, anywhere int) string {
	var table strings.Builder
	table.WriteString("\n| killed at | times | while values were held | by itself |\n|---|---:|---:|---:|")
	var all pointTally
	for _, p := range points {
		at := tally[p]
		fmt.Fprintf(&table, "\n| %s | %d | %d | %d |", p, at.killed, at.held, at.holding)
		all.killed, all.held, all.holding = all.killed+at.killed, all.held+at.held, all.holding+at.holding
	}
	fmt.Fprintf(&table, "\n| **all points** | %d | %d | %d |\n| any instant | %d | | |", all.killed, all.held, all.holding, anywhere)
	return table.String()
}

// endOfOne waits until a member has ended, and kills one that does not come to its
// point.
func (tr *torture) endOfOne() *member {
	tick := time.NewTicker(pointPatience / 20)
	defer tick.Stop()
	for {
		for _, m := range tr.crew {
			if m.hasEnded() {
				return m
			}
			if time.Since(m.since) > pointPatience {
				tr.mu.Lock()
				m.dead = true
				tr.mu.Unlock()
				m.cmd.Process.Signal(syscall.SIGKILL)
				<-m.ended
				return m
			}
		}
		select {
		case <-tick.C:
		case <-tr.ends:
		}
	}
}
