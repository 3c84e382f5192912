package commit

import (
	"slices"
	"testing"
)

// Every order of everything that can happen in small worlds, over the functions that
// homes and clients run: no state is unsafe, and none is stuck.
//
// Unsafe is a case that took effect beside another, a value with two who live, one
// that came from a select that did something else, or a send that ended well and
// whose value nobody has. Stuck is a state in which nothing happens by itself though
// somebody holds a ticket, has something parked or asked, or could meet another.

// next returns the worlds that follow w: by itself, or because somebody dies, gives
// up or closes, which need not happen.
func (w *world) next() (forced, free []*world) {
	must := func(do func(*world)) {
		c := w.clone()
		do(c)
		forced = append(forced, c)
	}
	may := func(do func(*world)) {
		c := w.clone()
		do(c)
		free = append(free, c)
	}
	for i := range w.sc.owners {
		for h := range w.sc.slots {
			if len(w.up[i][h]) > 0 {
				must(func(c *world) {
					m := c.up[i][h][0]
					c.up[i][h] = c.up[i][h][1:]
					c.told(h, uint8(i), m)
				})
			}
			if len(w.down[i][h]) > 0 {
				must(func(c *world) {
					m := c.down[i][h][0]
					c.down[i][h] = c.down[i][h][1:]
					c.hears(i, h, m)
				})
			}
			o := &w.owners[i]
			if o.parts[h].Parked != Nothing && o.w != claimedBy && o.how != deadHere {
				must(func(c *world) { c.retry(i, h) })
			}
			if w.sc.tires {
				if c := w.clone(); c.tire(i, h) {
					free = append(free, c)
				} else {
					c.drop()
				}
			}
		}
		if c := w.clone(); c.quit(i) {
			forced = append(forced, c)
		} else {
			c.drop()
		}
		o := &w.owners[i]
		if w.sc.local && o.w == waiting && o.how == open {
			may(func(c *world) { c.owners[i].w, c.owners[i].how = synced, byItself })
		}
		if o.how == byItself && slices.Contains(o.offered[:], true) {
			must(func(c *world) { c.over(i) })
		}
		if w.sc.cancels && o.how == open && !o.quits && (w.sc.quitters == 0 || i < w.sc.quitters) {
			may(func(c *world) { c.owners[i].quits = true })
		}
		if w.deaths < w.sc.kills && o.how != deadHere {
			w.kill(i, may)
		}
	}
	for h := range w.sc.slots {
		w.atHome(h, must, may)
	}
	return forced, free
}

// atHome is what may happen at home h beside messages.
func (w *world) atHome(h int, must, may func(func(*world))) {
	x := &w.homes[h]
	if x.dead {
		return
	}
	if slices.Contains(x.hand[:], plain) || x.fromSlot[plain] != nobody {
		must(func(c *world) {
			y := &c.homes[h]
			c.plainR[h], c.plainG[h] = received, y.fromSlot[plain]
			if c.plainG[h] == nobody {
				c.plainG[h] = uint8(slices.Index(y.hand[:], plain))
			}
			c.settled(h, plain, true)
			c.settle(h)
		})
		if w.sc.cancels {
			may(func(c *world) {
				c.plainR[h] = gaveUp
				c.settled(h, plain, false)
				c.settle(h)
			})
		}
	}
	if at(w.sc.closes, h) && !x.closed {
		may(func(c *world) {
			c.homes[h].closed = true
			c.settle(h)
		})
	}
	if w.sc.falls && !slices.ContainsFunc(w.homes[:], func(o home) bool { return o.dead }) {
		w.fall(h, may)
	}
}

// kill has owner i die. What it has said may be lost with it, from any message on.
func (w *world) kill(i int, may func(func(*world))) {
	most := 0
	for h := range w.sc.slots {
		most = max(most, len(w.up[i][h]))
	}
	for kept := range most + 1 {
		may(func(c *world) {
			c.deaths++
			c.owners[i].how = deadHere
			for h := range c.sc.slots {
				c.down[i][h] = nil
				c.up[i][h] = c.up[i][h][:min(kept, len(c.up[i][h]))]
				if !c.homes[h].dead {
					c.up[i][h] = append(c.up[i][h], msg{k: death})
				}
			}
		})
	}
}

// fall has home h die, in the same way.
func (w *world) fall(h int, may func(func(*world))) {
	most := 0
	for i := range w.sc.owners {
		most = max(most, len(w.down[i][h]))
	}
	for kept := range most + 1 {
		may(func(c *world) {
			c.homes[h].dead = true
			for i := range c.sc.owners {
				c.up[i][h] = nil
				c.down[i][h] = append(c.down[i][h][:min(kept, len(c.down[i][h]))], msg{k: death})
			}
		})
	}
}

// check finds what is unsafe in w.
func (w *world) check() {
	var has [stored + 1]int
	takes := func(from uint8, h int) {
		if from == nobody {
			return
		}
		if has[from]++; has[from] > 1 && from != stored {
			w.unsafe("the value of %d was received twice", from)
		}
		if from < maxOwners {
			s := &w.owners[from]
			if s.how == gaveUp || s.how == byItself || s.how == received || s.how == failed || s.how == sent && int(s.at) != h {
				w.unsafe("the value of %d was received, and its select did something else", from)
			}
		}
	}
	for i := range w.sc.owners {
		if o := &w.owners[i]; o.how == received {
			takes(o.got, int(o.at))
			if o.got == uint8(i) {
				w.unsafe("select %d met itself", i)
			}
		}
	}
	for h := range w.sc.slots {
		if w.plainR[h] == received {
			takes(w.plainG[h], h)
		}
	}
	if w.deaths > 0 || w.sc.falls {
		return // a value may be with the dead
	}
	for i := range w.sc.owners {
		o := &w.owners[i]
		if o.how == sent && has[i] == 0 && !w.stores(int(o.at), uint8(i)) {
			w.unsafe("select %d has sent, and nobody has its value", i)
		}
	}
}

// stores reports whether the value of i has a slot at home h, or is on its way from
// there.
func (w *world) stores(h int, i uint8) bool {
	x := &w.homes[h]
	return slices.Contains(x.ring, i) || slices.Contains(x.fromSlot[:], i)
}

// stuck says what should go on in w, in which nothing happens by itself.
func (w *world) stuck() string {
	for i := range w.sc.owners {
		o := &w.owners[i]
		if o.how == deadHere {
			continue
		}
		if o.w == claimedBy {
			return "a ticket stays claimed"
		}
		for h := range w.sc.slots {
			if o.parts[h].Parked != Nothing {
				return "something stays parked"
			}
		}
		if o.quits && o.how == open && !w.isBound(i) {
			return "a select cannot give up"
		}
	}
	for h := range w.sc.slots {
		x := &w.homes[h]
		if x.dead {
			continue
		}
		for i := range parties {
			if x.hand[i] != nobody {
				return "a value stays on its way"
			}
			if x.aside[i] && !x.over[i] {
				return "an offer stands aside for ever"
			}
		}
		if x.s != nobody {
			return "a match stays open"
		}
		for _, s := range x.sq {
			if first, _ := w.partner(h, s); first != Nobody && x.asleep(s) {
				return "two that could meet do not"
			}
		}
	}
	return ""
}

// isBound reports whether owner i has sent for good, and waits for a receiver in the
// place of one that died, as any send does.
func (w *world) isBound(i int) bool {
	return slices.ContainsFunc(w.homes[:], func(x home) bool { return x.bound[i] })
}

// verdict is what an exploration has found.
type verdict struct {
	states, unsafe, stuck int
	why                   map[string]int
}

// explore looks at every world of sc.
func explore(sc *scenario, most int) verdict {
	v := verdict{why: map[string]int{}}
	if sc.rules.first == nil {
		sc.rules = theRules()
	}
	first := sc.begin()
	seen := map[string]bool{string(first.key()): true}
	for todo := []*world{first}; len(todo) > 0 && v.states < most; {
		w := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		v.states++
		if w.check(); w.bad != "" {
			v.unsafe++
			v.why[w.bad]++
			continue
		}
		forced, free := w.next()
		if len(forced) == 0 {
			if why := w.stuck(); why != "" {
				v.stuck++
				v.why[why]++
			}
		}
		for _, n := range append(forced, free...) {
			if n.bad != "" {
				todo = append(todo, n)
			} else if k := n.key(); !seen[string(k)] {
				seen[string(k)] = true
				todo = append(todo, n)
			} else {
				n.drop()
			}
		}
		w.drop()
	}
	return v
}

// ring has each of n selects send at its own home and receive at the next.
func ring(n int) [][]role {
	var owners [][]role
	for i := range n {
		roles := make([]role, n)
		roles[i], roles[(i+1)%n] = snd, rcv
		owners = append(owners, roles)
	}
	return owners
}

var mirrored = [][]role{{snd, rcv}, {rcv, snd}}

func scenarios() []*scenario {
	none := func(n int) []uint8 { return make([]uint8, n) }
	return []*scenario{
		{name: "two mirrored selects", owners: mirrored, slots: none(2)},
		{name: "two mirrored selects that may give up", owners: mirrored, slots: none(2), cancels: true},
		{name: "two mirrored selects, either may die", owners: mirrored, slots: none(2), kills: 1},
		{name: "two mirrored selects, both may die", owners: mirrored, slots: none(2), kills: 2},
		{name: "two mirrored selects, a home may die", owners: mirrored, slots: none(2), falls: true},
		{name: "two mirrored selects that may give up, or die", owners: mirrored, slots: none(2), cancels: true, kills: 1},
		{name: "two mirrored selects that may give up, a home may die", owners: mirrored, slots: none(2), cancels: true, falls: true},
		{name: "two mirrored selects, one and a home may die", owners: mirrored, slots: none(2), kills: 1, falls: true},
		{name: "two mirrored selects, slots and close", owners: mirrored, slots: []uint8{1, 0}, closes: []bool{true, true}, cancels: true},
		{name: "two mirrored selects with a case in their process", owners: mirrored, slots: none(2), local: true, kills: 1},
		{name: "three in a ring with a case in their process", owners: ring(3), slots: none(3), local: true},
		{name: "a select that could meet itself", owners: [][]role{{both}, {both}}, slots: none(1), cancels: true},
		{name: "two selects beside a plain sender and a plain receiver", owners: mirrored, slots: none(2), plainS: []bool{true}, plainR: []bool{false, true}, cancels: true},
		{name: "two receivers, a value in a slot", owners: [][]role{{rcv, rcv}, {rcv, rcv}}, slots: []uint8{1, 1}, full: []uint8{1, 0}, cancels: true, kills: 1},
		{name: "two senders, one slot", owners: [][]role{{snd, snd}, {snd, no}}, slots: []uint8{1, 0}, plainR: []bool{false, true}, cancels: true, closes: []bool{true}},
		{name: "three in a ring", owners: ring(3), slots: none(3)},
		{name: "three in a ring, one may give up", owners: ring(3), slots: none(3), cancels: true, quitters: 1},
		{name: "three in a ring, one may die", owners: ring(3), slots: none(3), kills: 1},
		{name: "three in a ring, a home may die", owners: ring(3), slots: none(3), falls: true},
		{name: "four in a ring", owners: ring(4), slots: none(4)},
		{name: "two mirrored selects that lose patience, beside a plain sender", owners: mirrored, slots: none(2), plainS: []bool{true}, tires: true, cancels: true},
		{name: "two mirrored selects that lose patience, or die", owners: mirrored, slots: none(2), plainS: []bool{true}, tires: true, kills: 1},
		{name: "two mirrored selects that lose patience, a home may die", owners: mirrored, slots: none(2), plainS: []bool{true}, tires: true, falls: true},
		{name: "two receivers that lose patience, a value in a slot", owners: [][]role{{rcv, rcv}, {rcv, snd}}, slots: []uint8{1, 0}, full: []uint8{1, 0}, tires: true, cancels: true, kills: 1},
		{name: "three in a ring that lose patience", owners: ring(3), slots: none(3), tires: true, plainS: []bool{true}},
		{name: "two mirrored pairs on two homes", owners: append(slices.Clone(mirrored), mirrored...), slots: none(2)},
	}
}

func TestEveryOrderOfEverything(t *testing.T) {
	const most = 1_000_000
	for _, sc := range scenarios() {
		v := explore(sc, most)
		t.Logf("%-62s %8d states, %d unsafe, %d stuck", sc.name, v.states, v.unsafe, v.stuck)
		if v.unsafe+v.stuck > 0 || v.states >= most {
			t.Errorf("%s: %v", sc.name, v.why)
		}
	}
}
