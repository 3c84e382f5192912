package netchan_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/handoff-go/handoff"
)

func init() {
	// swallow receives whatever comes.
	roles["swallow"] = func(url string) {
		in, err := handoff.OpenReceiver[[]byte](context.Background(), url)
		must(err)
		go func() {
			for {
				_, err := in.Recv(context.Background())
				must(err)
			}
		}()
	}
}

// TestLargeValuesAreCopiedOnce: a client copies a large value once, into the buffer that
// is written and, where a session can be resumed, kept until it is acknowledged. What it
// allocates for a value is therefore the value's size, whatever else runs: the home and
// the receiver are other processes.
func TestLargeValuesAreCopiedOnce(t *testing.T) {
	const size, values = 1 << 20, 16
	for _, way := range transports() {
		if way.once || way.name == "fifo" { // like inherited pipes once it is open
			continue
		}
		t.Run(way.name, func(t *testing.T) {
			home := way.away(t)
			ch, err := handoff.Open[[]byte](t.Context(), urlOf(home.here, "large")+"&slots=4&maxvalue=2097152")
			if err != nil {
				t.Fatal(err)
			}
			defer ch.Detach()
			child(t, "swallow", urlOf(home.there, "large"))
			v := make([]byte, size)
			send := func(n int) {
				for range n {
					if err := ch.Send(t.Context(), v); err != nil {
						t.Fatal(err)
					}
				}
			}
			send(4) // what is allocated once
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			send(values)
			runtime.ReadMemStats(&after)
			grown, objects := (after.TotalAlloc-before.TotalAlloc)/values, (after.Mallocs-before.Mallocs)/values
			t.Logf("%d bytes in %d objects for a value of %d", grown, objects, size)
			if most := uint64(size + size/4); grown > most {
				t.Errorf("%d bytes for a value of %d, more than %d", grown, size, most)
			}
		})
	}
}
