package shmchan

import (
	"sync"
	"testing"

	"github.com/handoff-go/handoff"
)

// TestManyComeAndGo: attachments that come and go all the time, several at once, take no seat
// from each other, and what the others do stays whole.
func TestManyComeAndGo(t *testing.T) {
	ctx, ch := opened[int](t, 3*patience, fresh(t)+"?slots=4&members=24&pool=65536")
	const visitors, visits = 12, 60
	var all sync.WaitGroup
	for range visitors {
		all.Go(func() {
			for i := range visits {
				mine, err := handoff.Open[int](ctx, fresh(t))
				if err != nil {
					t.Error(err)
					return
				}
				if err := mine.Send(ctx, i); err != nil {
					t.Error(err)
				}
				if _, err := mine.Recv(ctx); err != nil {
					t.Error(err)
				}
				mine.Detach()
			}
		})
	}
	all.Wait()
	if st := ch.Stats(); st.Sent != visitors*visits || st.Received != st.Sent || st.Len+st.Held+st.SendersWaiting+st.ReceiversWaiting != 0 ||
		st.Senders != 1 || st.Receivers != 1 {
		t.Errorf("%+v", st)
	}
}
