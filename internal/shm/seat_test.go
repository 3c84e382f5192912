package shm

import "testing"

// TestALateNoticeOfDeath: who is told of the death of one that sat in its own place before does not
// take itself for dead.
func TestALateNoticeOfDeath(t *testing.T) {
	a, b, ring := twoProcesses(t, Params{Slots: 4})
	dead := b.name()
	if err := a.Clear(dead); err != nil {
		t.Fatal(err)
	}
	heir, err := b.s.Join([16]byte{3}, 1, false, b.about)
	if err != nil || heir.index != dead.Index {
		t.Fatal(heir.index, err)
	}
	if err := heir.Clear(dead); err != nil {
		t.Fatal(err)
	}
	x := begin(heir, sends("v"))
	ring()
	if !x.over() || x.Err != nil || x.N != 1 {
		t.Fatalf("a living member cannot send: %v", x.Err)
	}
	if st := a.Stats(); st.Senders != 2 || st.Len != 1 {
		t.Fatalf("%+v", st)
	}
	if others, _ := heir.Others(0); len(others) != 1 || others[0] != a.name() {
		t.Fatalf("it knows %v", others)
	}
}
