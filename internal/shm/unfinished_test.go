package shm

import (
	"encoding/binary"
	"testing"

	"github.com/handoff-go/handoff/driver"
)

// twoProcesses returns a member in each of two views of one memory: to each other they
// are in another process. Who is rung looks when ring is called.
func twoProcesses(t *testing.T, p Params) (a, b *Member, ring func()) {
	t.Helper()
	about := About{Send: true, Receive: true, Select: driver.SelectClaims, Over: func(bool) {}}
	p.Defaults()
	p.Founder.ID, p.Founder.About = [16]byte{1}, about
	words := memory(t, p)
	var rung []Name
	view := func() *Segment {
		s, err := Load(words)
		if err != nil {
			t.Fatal(err)
		}
		s.Ring = func(n Name) { rung = append(rung, n) }
		return s
	}
	a = view().Founded([16]byte{1}, about)
	b, err := view().Join([16]byte{2}, 1, false, about)
	if err != nil {
		t.Fatal(err)
	}
	members := map[[16]byte]*Member{a.id: a, b.id: b}
	return a, b, func() {
		for len(rung) > 0 {
			who := rung[0]
			rung = rung[1:]
			members[who.ID].Collect()
		}
	}
}

// What does not fit into one transaction is gone on with at once, and not when
// somebody comes by.
func TestALargeBatchMeetsALargeReceive(t *testing.T) {
	a, b, ring := twoProcesses(t, Params{Slots: 4096})
	const n = 64
	for round := range uint64(4) {
		var got []driver.Item
		receive := driver.NewOp(driver.OpRecv, func(op *driver.Op) { got = append(got, op.Got...) })
		receive.Max = n
		b.Start(receive)
		sent := false
		send := driver.NewOp(driver.OpSend, func(op *driver.Op) { sent = op.Err == nil && op.N == n })
		for i := range uint64(n) {
			send.Items = append(send.Items, driver.Item{Value: binary.NativeEndian.AppendUint64(nil, round*n+i)})
		}
		a.Start(send)
		ring()
		if !sent || len(got) == 0 {
			t.Fatalf("sent all: %v; received %d", sent, len(got))
		}
		for len(got) < n {
			more := driver.NewOp(driver.OpRecv, func(op *driver.Op) { got = append(got, op.Got...) })
			more.Max = n
			before := len(got)
			b.Start(more)
			ring()
			if len(got) == before {
				t.Fatalf("only %d of %d values are there", before, n)
			}
		}
		for i := range got {
			if v := binary.NativeEndian.Uint64(got[i].Value); v != round*n+uint64(i) {
				t.Fatalf("value %d came where %d was due", v, round*n+uint64(i))
			}
		}
	}
}
