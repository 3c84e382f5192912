package hub

import (
	"testing"
	"time"
)

// TestPace: so many a second, and after a quiet second so many at once.
func TestPace(t *testing.T) {
	p, now := newPace(10), time.Unix(1000, 0)
	for i := range 10 {
		if wait := p.take(now); wait != 0 {
			t.Errorf("number %d waits %v", i, wait)
		}
	}
	for i := range 5 {
		if wait, want := p.take(now), time.Duration(i+1)*100*time.Millisecond; wait != want {
			t.Errorf("number %d more waits %v, want %v", i, wait, want)
		}
	}
	if wait := p.take(now.Add(time.Hour)); wait != 0 {
		t.Errorf("after an hour: %v", wait)
	}
	never := newPace(-1)
	for range 100_000 {
		if never.take(now) != 0 {
			t.Fatal("no bound waits")
		}
	}
}

// TestAttackAcceptFlood: connections come in at their pace and no faster.
func TestAttackAcceptFlood(t *testing.T) {
	_, address := startTCP(t, TCP{}, Options{MaxAcceptRate: 20})
	began := time.Now()
	for range 30 {
		call(t, address).greet().Close()
	}
	// 20 at once, the others every 50 ms; the last is taken by then.
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("30 connections within %v", took)
	}
}
