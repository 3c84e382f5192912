package netchan_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/handoff-go/handoff/internal/badline"
)

// through starts a bad line to the home at target, which ends with the test.
func through(t testing.TB, target string, plan badline.Plan) *badline.Line {
	t.Helper()
	p, err := badline.New(target, plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// cutsAfter cuts every connection after least bytes of either direction, and fewer than spread more.
func cutsAfter(r *rand.Rand, least, spread int) badline.Plan {
	var mu sync.Mutex // guards r: lines ask on goroutines of their own
	return func(int) (int, int) {
		mu.Lock()
		defer mu.Unlock()
		return least + r.IntN(spread), least + r.IntN(spread)
	}
}
