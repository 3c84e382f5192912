package between

import (
	"context"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

func TestMain(m *testing.M) {
	Play()
	os.Exit(m.Run())
}

// expected names what must run here, by commas: a row that says it cannot is then a
// failure. Elsewhere it is skipped with its reason.
const expected = "HANDOFF_EXPECT_RIVALS"

// Every party of every row starts, does what it is asked for twice, and all that
// was sent is seen to arrive: a party that finds it otherwise ends, and that the
// fleet tells.
func TestEverythingArrives(t *testing.T) {
	manyChannels, waitingChannels, restTime, settleTime = 20, 20, 100*time.Millisecond, 0
	t.Cleanup(func() {
		manyChannels, waitingChannels, restTime, settleTime = 10000, 2000, 10*time.Second, 10*time.Second
	})
	f := newFleet(t)
	names := map[string]bool{}
	for _, s := range All(f) {
		full := s.Group + ": " + s.Name
		if names[full] {
			t.Errorf("two shapes are called %q", full)
		}
		names[full] = true
		if !strings.HasPrefix(s.Group, group) {
			t.Errorf("%s is not of the group %q", full, group)
		}
		if s.Rivals[0].Body == nil {
			t.Errorf("%s has no base", full)
		}
		for _, c := range s.Contenders() {
			if c.Name == measure.Again {
				continue
			}
			t.Run(full+"/"+c.Name, func(t *testing.T) { arrives(t, s, c) })
		}
	}
}

func arrives(t *testing.T, s *measure.Shape, c measure.Contender) {
	if c.Body == nil {
		switch {
		case c.Why == "":
			t.Fatal("it cannot run and does not say why")
		case expects(c.Name):
			t.Fatalf("%s expects it: %s", expected, c.Why)
		}
		t.Skip(c.Why)
	}
	if c.Why != "" {
		t.Errorf("it runs, and says it cannot: %s", c.Why)
	}
	work, counts := c.Body(), []int{203, 7}
	if s.N > 0 {
		counts = []int{s.N}
	}
	for _, n := range counts {
		if got := work(n); !got.Elsewhere || got.Elapsed < 0 || s.Unit == "" && got.Elapsed == 0 {
			t.Errorf("%d operations: %+v", n, got)
		}
	}
}

// expects reports whether a rival must run here.
func expects(name string) bool {
	for want := range strings.SplitSeq(os.Getenv(expected), ",") {
		if want != "" && strings.HasPrefix(strings.ToLower(name), strings.ToLower(want)) {
			return true
		}
	}
	return false
}

func newFleet(t *testing.T) *Fleet {
	t.Helper()
	f, err := NewFleet(context.Background()) // t.Context ends before the fleet is stopped
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Stop(); err != nil {
			t.Error("a process did not end as it should: ", err)
		}
	})
	return f
}

// A row whose base cannot run is measured against the next that can, and then has
// no goal.
func TestRowWithoutItsBase(t *testing.T) {
	body := func() func(int) measure.Sample { return nil }
	s := row("name", "claim", 2, body, measure.Contender{Name: "gone", Why: "nobody has it"}, measure.Contender{Name: "floor", Body: body})
	if s.Rivals[0].Name != "floor" || s.Rivals[1].Why == "" || s.Goal != 0 || s.Claim != "" {
		t.Errorf("got %+v", s)
	}
}

// Messages that are lost, doubled or overtaken are found.
func TestNumber(t *testing.T) {
	var sent number
	messages := make([]message, 4)
	for i := range messages {
		sent.write(messages[i][:])
	}
	for name, order := range map[string][]int{"lost": {0, 2}, "doubled": {0, 1, 1}, "overtaken": {1, 0}, "right": {0, 1, 2, 3}} {
		found := func() (found bool) {
			defer func() { found = recover() != nil }()
			var came number
			for _, i := range order {
				came.see(messages[i][:])
			}
			return false
		}()
		if found == (name == "right") {
			t.Errorf("%s: found is %v", name, found)
		}
	}
}

// Frames are counted however the stream is cut.
func TestFrameCounter(t *testing.T) {
	stream := []byte("handoff\x01" + "\x03\x00\x00\x00type" + "abc" + "\x00\x00\x00\x00type" + "\x01\x00\x00\x00type" + "x")
	for cut := 1; cut <= len(stream); cut++ {
		c := &frameCounter{count: new(atomic.Int64)}
		for rest := stream; len(rest) > 0; {
			n := min(cut, len(rest))
			if got, err := c.Write(rest[:n]); got != n || err != nil {
				t.Fatalf("Write of %d = %d, %v", n, got, err)
			}
			rest = rest[n:]
		}
		if got := c.count.Load(); got != 3 {
			t.Errorf("cut into %d: %d frames, want 3", cut, got)
		}
	}
}

// A party that breaks down ends the run; nobody waits for it.
func TestBrokenParty(t *testing.T) {
	f, err := NewFleet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Stop() // it says how the broken one ended
	p := f.start("raw echo", unix, f.socket(), "64")
	p.cmd.Process.Kill()
	defer func() {
		if recover() == nil {
			t.Error("a sample of a dead process was taken")
		}
	}()
	crew{asked: []*process{p}}.sample(1)
}
