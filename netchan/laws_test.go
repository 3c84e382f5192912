package netchan_test

import (
	"maps"
	"testing"

	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/apart"
	"github.com/handoff-go/handoff/internal/testproc"
)

// harness is the suite's subject: channels at URLs that urlOf makes of names.
func harness(name string, urlOf func(name string) string) drivertest.Harness {
	fresh := func(*drivertest.Env) string { return urlOf(drivertest.FreshName()) }
	h := drivertest.Medium(name, fresh)
	// A home's events are told where it is: see here.
	h.Has = h.Has.Without(drivertest.FeatureEvents).With(drivertest.FeaturePayloads, drivertest.FeatureHuge)
	h.Empty = drivertest.Opened[struct{}](fresh)
	h.Text = drivertest.Opened[string](fresh)
	h.Bytes = drivertest.Opened[[]byte](fresh)
	h.Big = drivertest.Opened[drivertest.Big](fresh)
	h.Huge = drivertest.Opened[drivertest.Huge](fresh)
	return h
}

// harnessAt is the harness of a home.
func harnessAt(name, at string) drivertest.Harness {
	return harness(name, func(name string) string { return urlOf(at, name) })
}

// here is h of a home in this process, which hears what it tells.
func here(h drivertest.Harness) drivertest.Harness {
	h.Has = h.Has.With(drivertest.FeatureEvents)
	return h
}

// options leaves out the laws that do not hold, and says so.
func options(t *testing.T, otherwise ...map[string]string) drivertest.Options {
	left := map[string]string{}
	for _, laws := range otherwise {
		maps.Copy(left, laws)
	}
	return drivertest.Options{Only: func(l drivertest.Law) bool {
		why, not := left[l.Name]
		if not {
			t.Logf("left out: %s: %s", l.Name, why)
		}
		return !not
	}}
}

// otherwise are the laws that do not hold over a wire, with the reason.
var otherwise = map[string]string{
	"L3/batches-agree-with-the-obvious-channel": "a plain receive is confirmed when its home has heard of it, and a waiting SendAll offers " +
		"its next value only then, so that a RecvInto may find fewer values there than it would in one process",
}

// otherwiseApart are those that do not hold where sender and receiver are two
// processes.
var otherwiseApart = map[string]string{
	"L8/completed-by-a-slot-is-never-reported-as-cancelled": "a sender whose value has a slot has ended, while the value may still be on its way to " +
		"the receiver, who can cancel until it has come: it goes back to its slot unseen",
}

// less is what the runs after the first repeat of what the first does.
const less = 20

// TestLaws runs the suite with home, sender and receiver in this process.
func TestLaws(t *testing.T) {
	if testproc.Apart(t) {
		return
	}
	_, at := serve(t, plenty)
	drivertest.Run(t, here(harnessAt("unix", at)), options(t, otherwise))
}

// TestLawsInTwoProcesses runs it with the home in another process.
func TestLawsInTwoProcesses(t *testing.T) {
	if testproc.Apart(t) {
		return
	}
	o := options(t, otherwise)
	o.Share = less
	drivertest.Run(t, harnessAt("unix, two processes", awayUnix(t).here), o)
}

// newCrew starts the child that receives, of a home that is away.
func newCrew(t testing.TB, home away) *apart.Crew {
	t.Helper()
	open(t, home.here, "keep", both) // and with it the link, which cannot be had again over inherited pipes
	return apart.New(t, func(name string) string { return urlOf(home.here, name) }, "receiver", home.there, testproc.Options{Files: home.files})
}

// TestLawsInThreeProcesses runs it with home, sender and receiver in one process
// each. A named pipe is left out: once it is open it is like inherited ones.
func TestLawsInThreeProcesses(t *testing.T) {
	for _, way := range transports() {
		if way.name == "fifo" {
			continue
		}
		t.Run(way.name, func(t *testing.T) {
			if testproc.Apart(t) {
				return
			}
			c := newCrew(t, way.away(t))
			o := options(t, otherwise, otherwiseApart)
			o.Share = less
			if way.name != "unix" { // which has them: they wait for long, and tell transports apart least
				o = withoutTime(t, withoutWaiting(t, o))
			}
			drivertest.Run(t, harness(way.name+", three processes", c.URL), o)
		})
	}
}

// TestSeam asks the medium to keep what the laws cannot see from above.
func TestSeam(t *testing.T) {
	over(t, func(t *testing.T, serve server) {
		_, at := serve(t, hub.Options{})
		open(t, at, "keep", both) // and with it the link
		drivertest.Seam(t, func() string { return urlOf(at, drivertest.FreshName()) })
	})
}
