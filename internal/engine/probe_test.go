package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/handoff-go/handoff/internal/fault"
)

// TestEveryReadyKindIsChosen: a select that goes on finding a case ready passes
// none over that is ready in another way: a send, a stop, the end of a channel, a
// value given back, an attachment that is gone.
func TestEveryReadyKindIsChosen(t *testing.T) {
	const turns = 6000
	ctx := context.Background()
	values, va := newTest(1)
	room, ra := newTest(1)
	stopped, sa := newTest(0)
	closed, ca := newTest(0)
	back, ba := newTest(1)
	gone, ga := newTest(1)
	stopped.Stop(sa, "enough")
	closed.Close(ca)
	gone.Detach(ga, "")
	v := 1
	s := NewSelect([]Case{
		&RecvCase[int]{C: values, A: va},
		&SendCase[int]{C: room, A: ra, V: &v},
		&StopCase[int]{C: stopped, A: sa},
		&RecvCase[int]{C: closed, A: ca},
		&RecvCase[int]{C: back, A: ba},
		&RecvCase[int]{C: gone, A: ga},
	})
	counts := make([]int, 6)
	for range turns {
		if values.Len() == 0 {
			values.Send(ctx, va, 1, nil, 0)
		}
		if room.Len() == 1 {
			room.Recv(ctx, ra)
		}
		if back.Len() == 0 {
			back.Send(ctx, ba, 1, nil, 0)
			g := back.Take(ctx, ba)
			g.Hold.Return(0)
		}
		i, err := s.Do(ctx, nil, false)
		if i < 0 || err != nil && !(i == 5 && errors.Is(err, fault.ErrDetached)) {
			t.Fatalf("Do = %d, %v", i, err)
		}
		counts[i]++
	}
	for i, n := range counts {
		if mean := turns / len(counts); n < mean*3/4 || n > mean*5/4 {
			t.Errorf("case %d was chosen %d times of %d, want about %d: %v", i, n, turns, mean, counts)
		}
	}
}
