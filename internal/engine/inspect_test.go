package engine

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		a := New[int](Config{Name: "a", Slots: 1}, nil)
		b := New[int](Config{Name: "b"}, nil)
		aa, ba := a.Attach(true, true), b.Attach(true, true)
		a.TrySend(aa, new(1), nil)
		a.Take(ctx, aa)
		go a.SendAll(ctx, aa, []int{2, 3}, nil, 0)
		synctest.Wait()
		v := 4
		go NewSelect([]Case{&SendCase[int]{C: a, A: aa, V: &v}, &RecvCase[int]{C: b, A: ba}}).Do(ctx, nil, false)
		synctest.Wait()

		s, r := a.Snapshot(), b.Snapshot()
		if s.Name != "a" || len(s.Waiting) != 2 || len(s.Held) != 1 || !s.Held[0].Slot || s.Held[0].Attempt != 1 {
			t.Fatalf("%+v", s)
		}
		if w := s.Waiting[0]; w.Op != "send" || w.Select || w.Left != 2 {
			t.Fatalf("%+v", w)
		}
		if len(r.Waiting) != 1 || r.Waiting[0].Op != "recv" || !r.Waiting[0].Select || r.Waiting[0].Ticket != s.Waiting[1].Ticket {
			t.Fatalf("%+v, %+v", s, r)
		}
		go b.RecvInto(ctx, ba, make([]int, 3))
		synctest.Wait()
		if w := b.Snapshot().Waiting[1]; w.Op != "recv" || w.Select || w.Left != 0 {
			t.Fatalf("%+v", w)
		}
		cancel()
		synctest.Wait()
		if s, r := a.Snapshot(), b.Snapshot(); len(s.Waiting)+len(r.Waiting) != 0 {
			t.Fatalf("%+v, %+v", s, r)
		}
	})
}

// TestRecordLivesWithItsChannel: a registry of records holds no channel, and can
// tell which are gone.
func TestRecordLivesWithItsChannel(t *testing.T) {
	var seen weak.Pointer[Record]
	OnMake(func(r *Record) { seen = weak.Make(r) })
	c := New[int](Config{Name: "seen"}, nil)
	OnMake(nil)
	runtime.GC()
	if r := seen.Value(); r == nil || r.Name != "seen" {
		t.Fatal("the record of a living channel is gone")
	}
	runtime.KeepAlive(c)
	c = nil
	runtime.GC()
	if seen.Value() != nil {
		t.Fatal("the record outlives its channel")
	}
}

func TestSnapshotShowsWhatRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[int](Config{Slots: 1}, nil)
		a := c.Attach(true, true)
		c.TrySend(a, new(1), nil)
		g, _ := c.TryTake(a)
		g.Hold.Return(time.Hour)
		s := c.Snapshot()
		if len(s.Held) != 1 || !s.Held[0].Resting || !s.Held[0].Slot || s.Stats.Held != 1 || s.Stats.Len != 0 {
			t.Fatalf("%+v", s)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := c.Snapshot(); len(s.Held) != 0 || s.Stats.Len != 1 {
			t.Fatalf("%+v", s)
		}
	})
}
