package shm

import (
	"testing"

	"github.com/handoff-go/handoff/driver"
)

// BenchmarkSendReceive is a send into a slot and a receive, on one goroutine, with all that
// is shared: what the transactions themselves cost.
func BenchmarkSendReceive(b *testing.B) {
	about := About{Name: "bench", Send: true, Receive: true}
	p := Params{Slots: 64, Waiters: 16, Members: 4, Pool: 16 * pageBytes, Founder: Founder{ID: [16]byte{1}, About: about}}
	words := memory(b, p)
	s, err := Load(words)
	if err != nil {
		b.Fatal(err)
	}
	m := s.Founded([16]byte{1}, about)
	value := make([]byte, 64)
	send := driver.Op{Kind: driver.OpSend, Items: []driver.Item{{Value: value}}}
	recv := driver.Op{Kind: driver.OpRecv, Max: 1}
	send.OnFinish(func(*driver.Op) {})
	recv.OnFinish(func(*driver.Op) {})
	b.ReportAllocs()
	for b.Loop() {
		m.Start(&send)
		m.Start(&recv)
		if recv.Err != nil {
			b.Fatal(recv.Err)
		}
	}
}

// BenchmarkBatch is the same by 64: an iteration is one value.
func BenchmarkBatch(b *testing.B) {
	about := About{Name: "bench", Send: true, Receive: true}
	p := Params{Slots: 4096, Waiters: 16, Members: 4, Pool: 16 * pageBytes, Founder: Founder{ID: [16]byte{1}, About: about}}
	s, err := Load(memory(b, p))
	if err != nil {
		b.Fatal(err)
	}
	m := s.Founded([16]byte{1}, about)
	value := make([]byte, 64)
	items := make([]driver.Item, 64)
	for i := range items {
		items[i].Value = value
	}
	send := driver.Op{Kind: driver.OpSend, Items: items}
	recv := driver.Op{Kind: driver.OpRecv, Max: 64}
	send.OnFinish(func(*driver.Op) {})
	recv.OnFinish(func(*driver.Op) {})
	b.ReportAllocs()
	for i := 0; i < b.N; i += 64 {
		m.Start(&send)
		m.Start(&recv)
		if recv.Err != nil {
			b.Fatal(recv.Err)
		}
	}
}
