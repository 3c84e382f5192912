package commit

// This file is what an owner does: netchan's part of it, with a word in the place of
// a ticket.

// wordAt is the ticket of owner i, asked by home h.
type wordAt struct {
	w *world
	i int
}

func (a wordAt) state() *word { return &a.w.owners[a.i].w }

func (a wordAt) Claim() Answer { return a.move(claimedBy) }
func (a wordAt) Win() Answer   { return a.move(synced) }

func (a wordAt) move(to word) Answer {
	switch s := a.state(); *s {
	case waiting:
		*s = to
		return Won
	case claimedBy:
		return Busy
	}
	return Gone
}

func (a wordAt) Confirm() {
	if *a.state() != claimedBy {
		a.w.unsafe("owner %d: a claim is confirmed that is none", a.i)
	}
	*a.state() = synced
}

func (a wordAt) Release() {
	if *a.state() != claimedBy {
		a.w.unsafe("owner %d: a claim is released that is none", a.i)
	}
	*a.state() = waiting
}

func (a wordAt) Bind() { a.Confirm() }

func (w *world) tell(i, h int, k kind) {
	if !w.homes[h].dead {
		w.up[i][h] = append(w.up[i][h], msg{k: k})
	}
}

// hears has owner i handle m from home h.
func (w *world) hears(i, h int, m msg) {
	o := &w.owners[i]
	if o.how == deadHere || !o.offered[h] {
		return // a value goes back when the home reads CANCEL, or hears of the death
	}
	var r Reply
	switch m.k {
	case claim:
		o.parts[h], r = w.sc.rules.claimed(o.parts[h], wordAt{w, i})
		w.reply(i, h, r)
	case release:
		o.parts[h], r = w.sc.rules.released(o.parts[h], wordAt{w, i})
		if r == Invalid {
			w.unsafe("owner %d: released by home %d, which had not claimed", i, h)
		}
	case bind:
		if o.parts[h], r = w.sc.rules.binds(o.parts[h], wordAt{w, i}); r == Invalid {
			w.unsafe("owner %d: bound by home %d, which had not claimed", i, h)
		}
	case ended:
		w.unhand(i, h)
	case value:
		if o.asked == uint8(h) {
			w.unhand(i, h) // its home puts the value back when it reads CANCEL
			return
		}
		w.wants(i, h, m)
	case death:
		w.bereaved(i, h)
	default:
		w.wants(i, h, m)
	}
}

// unhand takes the ticket of i out of the hands of home h, which has ended the offer
// or is about to.
func (w *world) unhand(i, h int) {
	o := &w.owners[i]
	if o.parts[h].Held {
		o.parts[h], _ = w.sc.rules.released(o.parts[h], wordAt{w, i})
	}
	o.offered[h] = false
}

// reply answers a claim.
func (w *world) reply(i, h int, r Reply) {
	switch r {
	case Grant:
		w.tell(i, h, grant)
	case Refuse:
		w.withdraw(i, h)
	case Invalid:
		w.unsafe("owner %d: claimed out of turn by home %d", i, h)
	}
}

// wants has m, a try or the confirmation of a claim, take effect if it can.
func (w *world) wants(i, h int, m msg) {
	o := &w.owners[i]
	var r Reply
	o.parked[h] = m
	o.parts[h], r = w.sc.rules.tried(o.parts[h], wordAt{w, i})
	w.took(i, h, r)
}

func (w *world) took(i, h int, r Reply) {
	o := &w.owners[i]
	m := o.parked[h]
	switch r {
	case Later:
		return
	case Refuse:
		w.withdraw(i, h)
		return
	}
	if o.how != open {
		w.unsafe("owner %d: a second case takes effect", i)
	}
	o.at, o.offered[h], o.parked[h] = uint8(h), false, msg{}
	switch m.k {
	case done:
		o.how = sent
	case value:
		o.how, o.got = received, m.from
		w.tell(i, h, taken)
	case death:
		o.how = outcome(m.from)
	default:
		o.how = failed
	}
	w.over(i)
}

// withdraw takes back the offer at home h, and a value that came.
func (w *world) withdraw(i, h int) {
	o := &w.owners[i]
	if o.offered[h] {
		o.offered[h], o.parts[h], o.parked[h] = false, Part{}, msg{}
		w.tell(i, h, cancel)
	}
}

// over withdraws all offers: the select has ended.
func (w *world) over(i int) {
	for h := range w.sc.slots {
		w.withdraw(i, h)
	}
}

// bereaved is told that home h is dead.
func (w *world) bereaved(i, h int) {
	o := &w.owners[i]
	how := failed
	if o.asked == uint8(h) && !o.parts[h].Held {
		w.withdraw(i, h)
		return
	}
	if o.parts[h].Held && w.sc.owners[i][h] != rcv {
		how = inDoubt
	}
	w.wants(i, h, msg{death, uint8(how)})
}

// retry has what was parked for home h tried again, as the ticket was released.
func (w *world) retry(i, h int) {
	o := &w.owners[i]
	wanted := o.parts[h].Parked
	var r Reply
	o.parts[h], r = w.sc.rules.freed(o.parts[h], wordAt{w, i})
	switch wanted {
	case Claim:
		w.reply(i, h, r)
	case Aside:
		if r == StandBack {
			w.tell(i, h, back)
		}
	default:
		w.took(i, h, r)
	}
}

// tire is owner i not keeping the value of home h any longer, which waits for a ticket
// that another has claimed.
func (w *world) tire(i, h int) bool {
	o := &w.owners[i]
	if o.how == deadHere || o.parked[h].k != value {
		return false
	}
	var r Reply
	if o.parts[h], r = w.sc.rules.tired(o.parts[h]); r != StandAside {
		return false
	}
	o.parked[h] = msg{}
	w.tell(i, h, aside)
	return true
}

// quit is owner i going on with giving up.
func (w *world) quit(i int) bool {
	o := &w.owners[i]
	if !o.quits || o.how != open {
		return false
	}
	if o.w == waiting {
		o.w, o.how = aborted, gaveUp
		w.over(i)
		return true
	}
	if o.w == aborted || o.asked != nobody {
		return false
	}
	for h := range w.sc.slots {
		if !o.parts[h].Held {
			continue
		}
		if w.sc.owners[i][h] == rcv { // nothing takes effect that it does not take
			o.parts[h], _ = w.sc.rules.released(o.parts[h], wordAt{w, i})
			w.withdraw(i, h)
			return true
		}
		o.asked = uint8(h)
		w.tell(i, h, cancel)
		return true
	}
	return false
}
