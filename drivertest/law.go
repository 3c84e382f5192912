package drivertest

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Law is one rule, with the means to find out whether a subject keeps it.
type Law struct {
	// Name is the law of docs/laws.md it belongs to and its own name.
	Name string
	// Says is the rule in one sentence: what the implementer of a subject that
	// broke it is told.
	Says string
	// Source names where the rule comes from: a law of the design, a number of
	// the 52 laws of the research note, a test of Go's own.
	Source string
	// Needs are the features without which the law has no meaning.
	Needs []Feature
	// Storm says that the law runs operations truly at once, in real time.
	Storm bool
	// Bubble says that who waits cannot be told from figures alone, so that the
	// law needs a synctest bubble.
	Bubble bool
	// Ends says that the law itself ends its context.
	Ends bool
	// Timed says that the law lets time pass and says what has happened by then.
	// Where time is real, a run that breaks it after the machine held the run up
	// is no verdict, and the law is tried again.
	Timed bool
	// Run finds out. It fails e when the rule is broken.
	Run func(e *Env)
}

// lacking returns what h lacks for the law.
func (l Law) lacking(h Harness) []string {
	missing := h.Has.missing(l.Needs)
	if l.Bubble && !h.InBubble {
		missing = append(missing, "a synctest bubble")
	}
	return missing
}

// selects reports whether the law is run again with the fake remote claimant.
func (l Law) selects() bool {
	for _, f := range l.Needs {
		if f == FeatureSelect || f == FeatureSelector {
			return true
		}
	}
	return false
}

// Laws returns the whole table, in the order in which it is run.
func Laws() []Law {
	var all []Law
	for _, part := range [][]Law{
		custodyLaws, payloadLaws, memoryModelLaws, programLaws,
		slotLaws, tryLaws, orderLaws, batchLaws, handoffLaws,
		closeLaws, closeRaceLaws,
		selectLaws, selectTableLaws, selectChoiceLaws, selectDefaultLaws, selectPairLaws, selectCallLaws,
		claimLaws, nativeCaseLaws, afterLaws, selectorLaws,
		cancelLaws, cancelSharedLaws, nilLaws, custodyReturnLaws, silenceLaws, wasteLaws,
		holdLaws, holdSlotLaws, holdEndLaws, holdTimeLaws, deadLetterLaws,
		stopLaws, attachmentLaws, sendTimeoutLaws,
		modelLaws, historyLaws,
	} {
		all = append(all, part...)
	}
	return all
}

// Options adjusts a run of the suite.
type Options struct {
	// Seed is where everything random comes from. 0 takes the one of the flag
	// -drivertest.seed, of HANDOFF_SEED, or a new one.
	Seed uint64
	// Check judges recorded histories. Without it the laws about histories are
	// refused. It is handed in so that no package users import needs a checker.
	Check Checker
	// Limit bounds a law in real time; 0 for a minute.
	Limit time.Duration
	// Share, if above 1, has laws that repeat something often do it that many
	// times less: for the second and third run of the suite over one medium, where
	// a repeat costs a message to another process.
	Share int
	// Only, if set, chooses among the laws.
	Only func(Law) bool
}

var seedFlag = flag.Uint64("drivertest.seed", 0, "seed of the randomized laws; 0 chooses one")

// NewSeed returns the seed asked for by flag or environment, or a new one.
func NewSeed() uint64 {
	if *seedFlag != 0 {
		return *seedFlag
	}
	if s := os.Getenv("HANDOFF_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			panic("drivertest: HANDOFF_SEED is not a number: " + s)
		}
		return n
	}
	return uint64(time.Now().UnixNano())
}

// Refusal is a law a subject was not asked to keep, and why.
type Refusal struct {
	Law   string
	Needs []string
}

func (r Refusal) String() string {
	return fmt.Sprintf("refused: %s: needs %s", r.Law, strings.Join(r.Needs, ", "))
}

// Refusals returns the laws that h cannot be asked to keep.
func Refusals(h Harness) []Refusal {
	var out []Refusal
	for _, l := range Laws() {
		if missing := l.lacking(h); len(missing) > 0 {
			out = append(out, Refusal{l.Name, missing})
		}
	}
	return out
}

// Run asks h to keep every law. Each law is a subtest; a refused one is a
// skipped subtest that says what is missing.
func Run(t *testing.T, h Harness, o Options) {
	if o.Seed == 0 {
		o.Seed = NewSeed()
	}
	if o.Limit == 0 {
		o.Limit = limitReal
	}
	claims := claimsSeen.Load()
	t.Logf("%s: seed %d (repeat with -drivertest.seed=%d)", h.Name, o.Seed, o.Seed)
	for _, l := range Laws() {
		if o.Only != nil && !o.Only(l) {
			continue
		}
		if missing := l.lacking(h); len(missing) > 0 {
			t.Run(l.Name, func(t *testing.T) { t.Skip(Refusal{l.Name, missing}) })
			continue
		}
		runLaw(t, h, l, o, claimsNone)
		if l.selects() && h.Has[FeatureClaims] {
			runLaw(t, h, l, o, claimsRelease)
			runLaw(t, h, l, o, claimsConfirm)
		}
	}
	if h.Has[FeatureClaims] && o.Only == nil && wholeRun() && claimsSeen.Load() == claims {
		t.Errorf("%s: no ticket was ever claimed: the runs with claimants proved nothing", h.Name)
	}
}

// wholeRun reports whether the laws to run were not narrowed by -run.
func wholeRun() bool {
	f := flag.Lookup("test.run")
	return f == nil || !strings.Contains(f.Value.String(), "/")
}

// limitReal and limitVirtual bound a law: after it the operations of the law
// are cancelled, so that a lost wake fails one law and not the whole run.
const (
	limitReal    = time.Minute
	limitVirtual = 24 * time.Hour
)

func runLaw(t *testing.T, h Harness, l Law, o Options, mode claimMode) {
	name := l.Name
	if mode != claimsNone {
		name += "," + mode.String()
	}
	body := func(t *testing.T) {
		e := newEnv(t, h, l, o, mode)
		defer e.close()
		l.Run(e)
	}
	t.Run(name, func(t *testing.T) {
		defer func() {
			if t.Failed() {
				t.Logf("BROKEN %s (%s) by %s, seed %d\n\tthe law: %s", name, l.Source, h.Name, o.Seed, l.Says)
			}
		}()
		switch {
		case h.InBubble && !l.Storm:
			synctest.Test(t, body)
		case l.Timed:
			runTimed(t, func() *Env { return newEnv(t, h, l, o, mode) })
		default:
			body(t)
		}
	})
}

const (
	// maxTimed is how often a law about time is tried on a machine that holds it
	// up: the last verdict counts, whatever the machine did.
	maxTimed = 5
	// heldUp is how far the time of a run may be from what the law let pass.
	heldUp = 25 * time.Millisecond
)

// runTimed runs a law about time in real time.
func runTimed(t testing.TB, newEnv func() *Env) {
	for try := 1; ; try++ {
		e := newEnv()
		e.draft = &draft{}
		done := make(chan struct{})
		go func() { // of its own, for Fatalf ends it
			defer close(done)
			defer e.close()
			e.law.Run(e)
		}()
		<-done
		broken, late := e.draft.failures, e.late()
		switch {
		case len(broken) == 0:
			return
		case late > heldUp && try < maxTimed:
			t.Logf("tried again, as the machine held this run up for %v: %s", late, broken[0])
		default:
			for _, text := range broken {
				t.Error(text)
			}
			return
		}
	}
}

// draft is what a run found, before it counts.
type draft struct {
	mu       sync.Mutex // guards failures
	failures []string
}

func (d *draft) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failures = append(d.failures, fmt.Sprintf(format, args...))
}

func newEnv(t *testing.T, h Harness, l Law, o Options, mode claimMode) *Env {
	hash := fnv.New64a()
	hash.Write([]byte(l.Name))
	e := &Env{
		TB: t, H: h, law: l, check: o.Check, share: o.Share, claims: mode, seed: o.Seed,
		bubble: h.InBubble && !l.Storm, limit: o.Limit,
		Rand:  rand.New(rand.NewPCG(o.Seed, hash.Sum64()+uint64(mode))),
		seeds: rand.New(rand.NewPCG(hash.Sum64()+uint64(mode), o.Seed)),
	}
	e.began = time.Now()
	e.renew()
	return e
}
