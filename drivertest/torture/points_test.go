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

// envPoint tells a child where it kills itself, as name:passage.
const envPoint = "HANDOFF_SHM_POINT"

const (
	// pointKills is how many processes die at each point, at least.
	pointKills = 20
	// pointPatience is how long a member may take to come to its point. Not every role
	// comes by every point.
	pointPatience = 2 * time.Second
)

// atPoints has members kill themselves until enough have at every point, and prints
// how many did.
func (tr *torture) atPoints(ch [2]handoff.Chan[string]) {
	died := map[string]int{}
	holding := map[string]int{}
	useless := map[[2]string]bool{} // a role that does not come by a point
	next := func(role string) string {
		best := ""
		for _, p := range points {
			if !useless[[2]string{role, p}] && (best == "" || died[p] < died[best]) {
				best = p
			}
		}
		return best
	}
	for _, role := range tr.roles {
		tr.start(role, next(role))
	}
	least := func() int {
		n := died[points[0]]
		for _, p := range points {
			n = min(n, died[p])
		}
		return n
	}
	for least() < pointKills && !tr.t.Failed() {
		m := tr.endOfOne()
		if m.atPoint() {
			died[m.point]++
			if len(m.held) > 0 {
				holding[m.point]++
			}
		} else {
			useless[[2]string{m.role, m.point}] = true
		}
		tr.bury(m)
		tr.start(m.role, next(m.role))
		tr.slots(ch)
		if len(useless) == len(points)*len(tr.roles) {
			tr.t.Errorf("nobody comes by some points: %v", died)
		}
	}
	var table strings.Builder
	for _, p := range slices.Sorted(slices.Values(points)) {
		table.WriteString(fmt.Sprintf("\n%-24s %4d killed, %4d of them with values held", p, died[p], holding[p]))
	}
	tr.t.Log(table.String())
}

// endOfOne waits until a member has ended, and kills one that does not come to its
// point.
func (tr *torture) endOfOne() *member {
	tick := time.NewTicker(pointPatience / 20)
	defer tick.Stop()
	for {
		for _, m := range tr.crew {
			select {
			case <-m.ended:
				return m
			default:
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
