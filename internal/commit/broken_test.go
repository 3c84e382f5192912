package commit

import (
	"strings"
	"testing"
)

// broken is one decision made wrong, and what comes of it in the world where it
// shows.
type broken struct {
	name   string
	sc     scenario
	wreck  func(*rules)
	unsafe bool   // else stuck
	why    string // what is found
}

// senderFirst is the protocol without an order of tickets: the sender is claimed
// first, whoever it is.
func senderFirst(r *rules) {
	r.first = func(s, r Party) Who {
		if First(s, r) == Nobody {
			return Nobody
		}
		return Sender
	}
	r.may = func(s, r Party) bool { return First(s, r) != Nobody }
}

func brokenOnes() []broken {
	quitting := scenario{owners: mirrored, slots: make([]uint8, 2), cancels: true}
	three := scenario{owners: ring(3), slots: make([]uint8, 3)}
	taking := scenario{owners: [][]role{{rcv, rcv}}, slots: []uint8{1, 1}, full: []uint8{1, 1}, local: true}
	tiring := scenario{owners: mirrored, slots: make([]uint8, 2), plainS: []bool{true}, tires: true, cancels: true}
	return []broken{
		{
			name: "three in a ring without an order", why: "a ticket stays claimed",
			sc: three, wreck: senderFirst,
		}, {
			name: "four in a ring without an order", why: "a ticket stays claimed",
			sc: scenario{owners: ring(4), slots: make([]uint8, 4)}, wreck: senderFirst,
		}, {
			name: "a try takes effect though the ticket is claimed", sc: three, unsafe: true,
			wreck: func(r *rules) {
				r.tried = func(p Part, w Word) (Part, Reply) {
					p, a := Part.Tried(p, w)
					if a == Later {
						return Part{}, Taken
					}
					return p, a
				}
			},
		}, {
			name: "a try takes effect though the select is over", sc: taking, unsafe: true,
			wreck: func(r *rules) {
				r.tried = func(p Part, w Word) (Part, Reply) {
					p, a := Part.Tried(p, w)
					if a == Refuse {
						return Part{}, Taken
					}
					return p, a
				}
			},
		}, {
			name: "what is parked is forgotten", sc: three, why: "stays",
			wreck: func(r *rules) { r.freed = func(Part, Word) (Part, Reply) { return Part{}, Later } },
		}, {
			name: "a receiver that promised is not let go", sc: quitting, why: "a ticket stays claimed",
			wreck: func(r *rules) {
				r.gone = func(m Match) (Match, Step) { return Match{Asked: m.Asked}, End }
			},
		}, {
			name: "a release is not heeded", sc: quitting, why: "a ticket stays claimed",
			wreck: func(r *rules) { r.released = func(Part, Word) (Part, Reply) { return Part{}, Later } },
		}, {
			name: "who stands aside does not come back", sc: tiring, why: "aside for ever",
			wreck: func(r *rules) {
				r.freed = func(p Part, w Word) (Part, Reply) {
					if p.Parked == Aside {
						return Part{}, Later
					}
					return Part.Freed(p, w)
				}
			},
		}, {
			name: "who sends a value back keeps it as well", sc: tiring, why: "aside for ever",
			wreck: func(r *rules) {
				r.tired = func(p Part) (Part, Reply) {
					_, a := Part.Tired(p)
					return p, a
				}
			},
		}, {
			name: "a claim is granted though another has the ticket", sc: quitting, unsafe: true,
			wreck: func(r *rules) {
				r.claimed = func(p Part, w Word) (Part, Reply) {
					p, a := Part.Claimed(p, w)
					if a == Later {
						return Part{Held: true}, Grant
					}
					return p, a
				}
			},
		},
	}
}

// A check that cannot fail says nothing: each decision made wrong is found, and an
// order of tickets is what keeps a ring from standing still.
func TestBrokenDecisionsAreFound(t *testing.T) {
	for _, b := range brokenOnes() {
		sc := b.sc
		sc.rules = theRules()
		b.wreck(&sc.rules)
		v := explore(&sc, 300_000)
		t.Logf("%-50s %8d states, %d unsafe, %d stuck: %v", b.name, v.states, v.unsafe, v.stuck, v.why)
		found := v.stuck
		if b.unsafe {
			found = v.unsafe
		}
		if found == 0 {
			t.Errorf("%s: not found", b.name)
		}
		said := b.why == ""
		for why := range v.why {
			said = said || strings.Contains(why, b.why)
		}
		if !said {
			t.Errorf("%s: found %v, want %q", b.name, v.why, b.why)
		}
	}
}
