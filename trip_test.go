package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
)

// moody is a medium that ends an operation when it likes: while it is started, from
// another goroutine, or not before it is cancelled. A receive gets what the channel's
// source says; what is sent is checked when the operation ends.
type moody struct {
	mood func() int
	sent func(value []byte)
	next func() []byte
}

const (
	atOnce = iota
	soon
	whenCancelled
	moods
)

func (m *moody) Open(context.Context, *url.URL, driver.Config) (driver.Channel, error) { return m, nil }

func (m *moody) Info() driver.Info { return driver.Info{Name: "moody", Slots: 1} }

func (m *moody) Start(op *driver.Op) {
	end := func() {
		switch op.Kind {
		case driver.OpSend:
			for _, it := range op.Items {
				m.sent(slices.Clone(it.Value))
			}
			op.N = len(op.Items)
		case driver.OpRecv:
			op.Got = append(op.Got, driver.Item{Value: m.next(), Attempt: 1})
		}
		op.Finish()
	}
	switch m.mood() {
	case atOnce:
		end()
	case soon:
		go end()
	case whenCancelled:
		op.Note = op
	}
}

func (m *moody) Cancel(op *driver.Op, why error) {
	if op.Note == op {
		op.Note, op.Err = nil, why
		op.Finish()
	}
}

func (m *moody) Stats() driver.Stats { return driver.Stats{} }

func (m *moody) Detach(context.Context) error { return nil }

var moodyMedium = &moody{}

func init() { driver.Register("moody", moodyMedium) }

func moodySeed(t *testing.T) uint64 {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("HANDOFF_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("HANDOFF_SEED=%d", seed)
	return seed
}

// Whenever an operation ends, it is the one that was begun that has its outcome, and
// what it was made of is nobody else's until then.
func TestOperationsOnAMediumEndWhenItLikes(t *testing.T) {
	var mu sync.Mutex // guards the rest
	rng := rand.New(rand.NewPCG(moodySeed(t), 0))
	sent, given := map[string]int{}, 0
	*moodyMedium = moody{
		mood: func() int { mu.Lock(); defer mu.Unlock(); return rng.IntN(moods) },
		sent: func(v []byte) { mu.Lock(); defer mu.Unlock(); sent[string(v)]++ },
		next: func() []byte { mu.Lock(); defer mu.Unlock(); given++; return fmt.Appendf(nil, "%d", given) },
	}
	ch, err := handoff.Open[string](t.Context(), "moody:x")
	if err != nil {
		t.Fatal(err)
	}
	const workers, rounds = 8, 400
	cause := errors.New("enough")
	received := make([][]string, workers)
	done, cancelled := make([][]string, workers), make([][]string, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range rounds {
				// Nobody who waits for what never comes waits longer than for this.
				ctx, cancel := context.WithCancelCause(context.Background())
				stop := time.AfterFunc(time.Millisecond, func() { cancel(cause) })
				v := fmt.Sprintf("%d of %d", i, w)
				switch err := ch.Send(ctx, v); {
				case err == nil:
					done[w] = append(done[w], v)
				case errors.Is(err, cause):
					cancelled[w] = append(cancelled[w], v)
				default:
					t.Error(err)
				}
				if v, err := ch.Recv(ctx); err == nil {
					received[w] = append(received[w], v)
				} else if !errors.Is(err, cause) {
					t.Error(err)
				}
				stop.Stop()
				cancel(nil)
			}
		})
	}
	all.Wait()
	for _, v := range slices.Concat(done...) {
		if sent[v] != 1 {
			t.Errorf("%q was sent, and arrived %d times", v, sent[v])
		}
		delete(sent, v)
	}
	if len(sent) > 0 {
		t.Errorf("arrived, and never was sent: %v", sent)
	}
	got := slices.Concat(received...)
	slices.Sort(got)
	if len(slices.Compact(got)) != given {
		t.Errorf("%d values were given, %d different ones received", given, len(got))
	}
	if len(slices.Concat(cancelled...)) == 0 || len(got) == 0 {
		t.Error("nothing was cancelled, or nothing received")
	}
}
