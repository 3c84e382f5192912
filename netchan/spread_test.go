package netchan_test

import (
	"os"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/internal/badline"
	"github.com/handoff-go/handoff/internal/testproc"
)

// spread runs the laws about selects that only chooses, with their channels in turn
// at each of over.
func spread(t *testing.T, name string, share int, only func(drivertest.Law) bool, over ...drivertest.Harness) {
	o := options(t, otherwise)
	o.Share = share
	listed := o.Only
	o.Only = func(l drivertest.Law) bool { return l.Selects() && only(l) && listed(l) }
	drivertest.Run(t, drivertest.Spread(name, over...), o)
}

func all(drivertest.Law) bool { return true }

// decidedHere is h with what only a select that its owner decides can have: native
// channels in it and, if HANDOFF_CLAIMS is set, the suite's claimant besides, which wants
// the ticket of every select. That takes three times as long: CI has a step of its own for it.
func decidedHere(h drivertest.Harness) drivertest.Harness {
	h.Has = h.Has.With(drivertest.FeatureNative)
	if os.Getenv("HANDOFF_CLAIMS") != "" {
		h.Has = h.Has.With(drivertest.FeatureClaims)
	}
	return h
}

// TestLawsOverTwoHomes runs the laws about selects with every other channel at
// another home.
func TestLawsOverTwoHomes(t *testing.T) {
	if testproc.Apart(t) {
		return
	}
	_, one := serve(t, plenty)
	_, two := serve(t, plenty)
	open(t, one, "keep", both) // and with it the link
	open(t, two, "keep", both)
	spread(t, "two homes", 2, all, decidedHere(harnessAt("unix", one)), decidedHere(harnessAt("unix", two)))
}

// TestLawsOverTwoTransports runs them with one home behind a Unix socket and another
// behind TCP.
func TestLawsOverTwoTransports(t *testing.T) {
	if testproc.Apart(t) {
		return
	}
	_, one := serve(t, plenty)
	_, two := serveTCP(t, plenty)
	open(t, one, "keep", both)
	tcp := harness("tcp", func(name string) string { return tcpURL(two, name, "") })
	if _, err := handoff.Open[int](t.Context(), tcpURL(two, "keep", "")); err != nil {
		t.Fatal(err)
	}
	spread(t, "unix and tcp", less, all, decidedHere(harnessAt("unix", one)), decidedHere(tcp))
}

// TestLawsOverTwoHomesCut runs them with the line to the second home cut all the time:
// what a select has claimed, promised or offered at that home has to get through, in
// whatever frame the connection ends, while the other home goes on.
func TestLawsOverTwoHomesCut(t *testing.T) {
	if testproc.Apart(t) {
		return
	}
	r := randomly(t)
	_, one := serve(t, plenty)
	_, two := serveTCP(t, plenty)
	p := through(t, two, cutsAfter(r, 400, 4000))
	open(t, one, "keep", both) // and with it the link
	mustOpenURL(t, tcpURL(p.Address(), "keep", "resume=30s"), both)
	cut := harness("tcp, cut", func(name string) string { return tcpURL(p.Address(), name, "resume=30s") })
	quick := withoutWaiting(t, drivertest.Options{Only: all}).Only
	spread(t, "two homes, one cut", 2, quick, decidedHere(harnessAt("unix", one)), decidedHere(cut))
	// All channels are on one link, which never ends here: every connection but the
	// first is one that resumed it.
	connections, moved := p.Figures()
	t.Logf("%d connections, %d bytes up and %d down", connections, moved[badline.Up], moved[badline.Down])
	if connections < 100 {
		t.Errorf("the line was cut %d times", connections-1)
	}
}

// TestLawsOverAHomeAndThisProcess runs them with every other channel in this
// process.
func TestLawsOverAHomeAndThisProcess(t *testing.T) {
	if testproc.Apart(t) {
		return
	}
	_, at := serve(t, plenty)
	open(t, at, "keep", both)
	spread(t, "a home and this process", 2, all, drivertest.Mem(), decidedHere(harnessAt("unix", at)))
}
