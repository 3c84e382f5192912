package drivertest_test

import (
	"slices"
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

func TestNative(t *testing.T) {
	drivertest.Run(t, drivertest.Native(), drivertest.Options{Check: linearizable})
}

// TestNativeRefusals holds the adapter of Go's chan to what Go's chan lacks: a
// feature that is dropped from it would take laws with it unseen.
func TestNativeRefusals(t *testing.T) {
	lacks := []string{
		"attachments", "batch", "claims", "close races", "dead letter", "detach", "events", "header", "hold",
		"hold time", "huge values", "no allocation: hold", "no allocation: selector", "op errors", "select first",
		"send timeout", "senders gone", "stats", "stop", "wait counts",
	}
	refused := drivertest.Refusals(drivertest.Native())
	for _, r := range refused {
		for _, f := range r.Needs {
			if !slices.Contains(lacks, f) {
				t.Errorf("%v, which Go's chan has", r)
			}
		}
	}
	all := len(drivertest.Laws())
	t.Logf("%d laws; Go's chan is refused %d and keeps %d", all, len(refused), all-len(refused))
	if kept := all - len(refused); kept < 75 {
		t.Errorf("only %d laws are proven against Go's chan", kept)
	}
}

// TestLawsAreNamed checks the table itself.
func TestLawsAreNamed(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range drivertest.Laws() {
		if seen[l.Name] {
			t.Errorf("two laws are called %s", l.Name)
		}
		seen[l.Name] = true
		if l.Says == "" || l.Source == "" || l.Run == nil {
			t.Errorf("%s does not say what it says, where it comes from or how it is checked", l.Name)
		}
	}
}

func BenchmarkNative(b *testing.B) { drivertest.Bench(b, drivertest.Native()) }
func BenchmarkMake(b *testing.B)   { drivertest.Bench(b, drivertest.Make()) }
