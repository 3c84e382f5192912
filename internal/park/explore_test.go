package park

import (
	"fmt"
	"testing"
)

// This file looks at a door in every order in which its steps can happen: the
// owner of a select that has parked, one who releases a claim, and one who ends
// the turn. It is a model of Door and of Select.heard, a step for each access of
// a word that others see.

// world is everything that can be seen at one moment.
type world struct {
	word     uint8 // of the door: quiet, rung, or the owner waits there
	over     bool  // the turn has ended
	released bool  // a claim was released, and the owner has not looked since
	buffered bool  // the owner's store of quiet is on its way
	asleep   bool  // the owner is parked
	owner    uint8 // what it does next
	ringers  [2]uint8
}

const (
	doorQuiet uint8 = iota
	doorRung
	doorOwner
)

// What the owner does next. It begins where Begin ends: parking.
const (
	ownerLoads uint8 = iota // the word, in Wait
	ownerParks              // the compare-and-swap on the scheduler's stack
	ownerWakes
	ownerAsks // whether it is over
	ownerHushes
	ownerAsksAgain
	ownerLooks // at its cases
	ownerDone
)

// protocol is how the owner goes on after a ring.
type protocol struct {
	lookFirst bool // and hushes the door then
	plain     bool // hushes by a store that later loads may overtake
}

// steps returns the worlds that can come after w.
func (p protocol) steps(w world) []world {
	var after []world
	if n, ok := p.ownerStep(w); ok {
		after = append(after, n)
	}
	if w.buffered { // the store may become visible at any time
		n := w
		n.buffered, n.word = false, doorQuiet
		after = append(after, n)
	}
	for i, at := range w.ringers {
		if at == 2 {
			continue
		}
		n := w
		n.ringers[i]++
		switch {
		case at == 0 && i == 0:
			n.released = true
		case at == 0:
			n.over = true
		default: // Ring: a swap
			if n.word == doorOwner {
				n.asleep, n.owner = false, ownerWakes
			}
			n.word = doorRung
		}
		after = append(after, n)
	}
	return after
}

// sees is the word as the owner loads it: its own store first.
func (w world) sees() uint8 {
	if w.buffered {
		return doorQuiet
	}
	return w.word
}

func (p protocol) ownerStep(w world) (world, bool) {
	if w.asleep || w.owner == ownerDone {
		return w, false
	}
	n := w
	then := func(next uint8) { n.owner = next }
	switch w.owner {
	case ownerLoads:
		if then(ownerAsks); w.sees() == doorQuiet {
			then(ownerParks)
		}
	case ownerParks: // an instruction with a lock waits for the stores before it
		if n.buffered {
			n.buffered, n.word = false, doorQuiet
		}
		if then(ownerAsks); n.word == doorQuiet {
			n.word, n.asleep = doorOwner, true
		}
	case ownerWakes:
		then(ownerAsks)
	case ownerAsks:
		switch {
		case w.over:
			then(ownerDone)
		case p.lookFirst:
			then(ownerLooks)
		default:
			then(ownerHushes)
		}
	case ownerHushes:
		if n.word = doorQuiet; p.plain {
			n.word, n.buffered = w.word, true
		}
		if then(ownerAsksAgain); p.lookFirst {
			then(ownerLoads)
		}
	case ownerAsksAgain:
		if then(ownerLooks); w.over {
			then(ownerDone)
		}
	case ownerLooks:
		n.released = false
		if then(ownerLoads); p.lookFirst {
			then(ownerHushes)
		}
	}
	return n, true
}

// explore returns how many worlds there are, and the first way to one from which
// nothing goes on though the owner sleeps.
func (p protocol) explore() (worlds int, stuck []world) {
	seen := map[world]bool{}
	var way []world
	var visit func(w world)
	visit = func(w world) {
		if seen[w] || stuck != nil {
			return
		}
		seen[w] = true
		way = append(way, w)
		after := p.steps(w)
		if len(after) == 0 && w.owner != ownerDone {
			stuck = append([]world(nil), way...)
		}
		for _, n := range after {
			visit(n)
		}
		way = way[:len(way)-1]
	}
	visit(world{})
	return len(seen), stuck
}

// TestDoorInEveryOrder: whatever the order, the owner hears of the end. The same
// look finds the two mistakes that are easily made: to look before the door is
// hushed, and to hush it by a plain store.
func TestDoorInEveryOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		p     protocol
		right bool
	}{
		{"hush, then look", protocol{}, true},
		{"look, then hush", protocol{lookFirst: true}, false},
		{"hush by a plain store", protocol{plain: true}, false},
	} {
		worlds, stuck := c.p.explore()
		t.Logf("%s: %d worlds, %d of them on a way to where nothing goes on", c.name, worlds, len(stuck))
		if right := stuck == nil; right != c.right {
			way := ""
			for _, w := range stuck {
				way += fmt.Sprintf("\n\t%+v", w)
			}
			t.Errorf("%s: never stops is %v, want %v%s", c.name, right, c.right, way)
		}
	}
}
