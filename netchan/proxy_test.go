package netchan_test

import (
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
