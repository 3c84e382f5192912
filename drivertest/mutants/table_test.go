package mutants

// mutant is one changed line of the engine.
type mutant struct {
	law  string // the law of docs/laws.md it breaks
	name string
	file string // in the root of the module
	old  string // found exactly once in file
	new  string
	// killers are laws of the suite that should notice. They are run first;
	// the whole suite is run if none of them does.
	killers []string
	// race says that it shows only when two goroutines meet at one instant, so
	// that the killers are run at full length, and again if need be.
	race bool
}

const (
	match  = "internal/engine/match.go"
	hold   = "internal/engine/hold.go"
	ops    = "internal/engine/ops.go"
	plain  = "internal/engine/plain.go"
	turn   = "internal/engine/selectturn.go"
	waiter = "internal/engine/waiter.go"
	record = "internal/engine/record.go"
	watch  = "internal/engine/watch.go"
	tick   = "internal/ticket/ticket.go"
)

var table = []mutant{
	{
		law: "L1", name: "a cancelled send stays in the line", file: ops,
		old:     "	case p == nil:\n		w.remove()\n",
		new:     "	case p == nil:\n",
		killers: []string{"L8/cancel-ends-a-blocked-operation"},
	}, {
		law: "L1", name: "a value is taken and left in its slot", file: match,
		old:     "	c.n--\n	return h",
		new:     "	return h",
		killers: []string{"L1/every-value-exactly-once", "L3/slots-are-first-in-first-out"},
	}, {
		law: "L2", name: "false full", file: match,
		old:     "	if c.used < c.slots && !c.lined() {\n		c.put(&v, h)\n		return true",
		new:     "	if c.used+1 < c.slots && !c.lined() {\n		c.put(&v, h)\n		return true",
		killers: []string{"L2/capacity-is-exact"},
	}, {
		law: "L2", name: "capacity rounded up to even", file: "internal/engine/chan.go",
		old:     "	c.slots = cfg.Slots\n",
		new:     "	cfg.Slots += cfg.Slots & 1; c.slots = cfg.Slots\n",
		killers: []string{"L2/capacity-is-exact"},
	}, {
		law: "L2", name: "a slot is free when its value is taken", file: match,
		old:     "		h := c.pop(&v)\n		c.handOut(c.wrap(v, h, nil), a, g, o)\n",
		new:     "		h := c.pop(&v)\n		c.handOut(c.wrap(v, h, nil), a, g, o); c.freeSlot(o)\n",
		killers: []string{"L2/a-slot-is-free-when-its-value-is-confirmed"},
	}, {
		law: "L2", name: "a try gives up when the lock is taken", file: plain,
		old:     "	c.mu.Lock()\n	if !a.gone {\n		var h Header\n",
		new:     "	if !c.mu.state.CompareAndSwap(0, 1) { return false, nil }\n	if !a.gone {\n		var h Header\n",
		killers: []string{"L2/try-is-never-falsely-empty", "L2/try-is-never-falsely-full"},
	}, {
		law: "L3", name: "last come, first served", file: waiter,
		old:     "	w.in, w.next, w.prev = q, nil, q.tail\n",
		new:     "	if q.head != nil { w.in, w.next, w.prev = q, q.head, nil; q.head.prev, q.head = w, w; q.len++; return }; w.in, w.next, w.prev = q, nil, q.tail\n",
		killers: []string{"L3/blocked-senders-are-served-in-order"},
	}, {
		law: "L3", name: "a returned value goes behind those in slots", file: match,
		old:     "	if p := c.back.head; p != nil {\n		c.back.remove(p)\n		c.pullParcel",
		new:     "	if p := c.back.head; p != nil && c.n == 0 {\n		c.back.remove(p)\n		c.pullParcel",
		killers: []string{"L3/returned-goes-before-what-was-never-handed-out"},
	}, {
		law: "L3", name: "a batch keeps its turn", file: match,
		old:     "		w.advance()\n		c.sendq.push(w) // its turn is over\n		return\n",
		new:     "		w.advance()\n		c.sendq.push(w); for w.prev != nil { x := w.prev; x.remove(); c.sendq.push(x) }\n		return\n",
		killers: []string{"L3/two-batches-share-fairly"},
	}, {
		law: "L4", name: "only the first of several is woken", file: "internal/engine/chan.go",
		old:     "	for w := o.first; w != nil; {\n		next := w.next\n",
		new:     "	for w := o.first; w != nil; {\n		next := (*waiter[T])(nil)\n",
		killers: []string{"L5/close-wakes-receivers"},
	}, {
		law: "L4", name: "a freed slot is left to the woken sender", file: hold,
		old:     "	if c.bare.head != nil || c.sendq.head != nil {\n		c.promote(o)\n",
		new:     "	if c.bare.head != nil {\n		c.promote(o)\n",
		killers: []string{"L4/the-unblocker-completes-the-send", "L2/capacity-is-exact"},
	}, {
		law: "L5", name: "closed seen while a held value could return", file: match,
		old:     "	if c.closed && c.used == 0 {\n		hb.Acquire(&c.closed)\n		return drained\n",
		new:     "	if c.closed && c.n == 0 {\n		hb.Acquire(&c.closed)\n		return drained\n",
		killers: []string{"L5/not-closed-while-a-value-could-return"},
	}, {
		law: "L5", name: "blocked senders sleep through close", file: match,
		old:     "		c.sendq.fail(fault.ErrClosed, nil, o)\n",
		new:     "		_ = fault.ErrClosed\n",
		killers: []string{"L5/close-returns-blocked-values"},
	}, {
		law: "L6", name: "a default after two sweeps", file: turn,
		old:     "	s.lockAll()\n	i, v := -1, unready\n	if s.hinted() {\n",
		new:     "	if s.hasDefault() { for range 2 { for _, i := range s.order { if l := s.ours[i]; l != nil { l.lock(); v := l.try(s); l.unlock(); l.flush(); if v == committed { return int(i), v } } } }; return s.fallback.i, committed }; s.lockAll(); i, v := -1, unready\n	if s.hinted() {\n",
		killers: []string{"L6/default-token-dance", "L6/default-hole-dance"},
	}, {
		law: "L6", name: "the first ready case is preferred", file: turn,
		old:     "		j := k + s.roll(n)\n",
		new:     "		j := k + s.roll(n); j = k\n",
		killers: []string{"L6/choice-is-uniform"},
	}, {
		law: "L6", name: "the case that was chosen is tried first", file: turn,
		old:     "		s.draw(k)\n		i := s.order[k]\n		if l := s.ours[i]; l != nil && l.hints() {\n",
		new:     "		i := s.order[k]\n		if l := s.ours[i]; l != nil && l.hints() {\n",
		killers: []string{"L6/a-selector-chooses-uniformly-in-every-turn"},
	}, {
		law: "L6", name: "a loser stays registered", file: "internal/engine/selectcase.go",
		old:     "	c.mu.Lock()\n	x.w.remove()\n",
		new:     "	c.mu.Lock()\n",
		killers: []string{"L6/selector-selects-again-and-again"},
	}, {
		law: "L6", name: "the short way takes a claimed select for a free one", file: plain,
		old:     "			case ticket.Busy:\n				return nil\n",
		new:     "			case ticket.Busy:\n",
		killers: []string{"L6/a-claimed-select-is-passed-over"},
	}, {
		law: "L6", name: "the short way meets a select that is over", file: plain,
		old:     "				q.shift()\n				continue\n",
		new:     "",
		killers: []string{"L6/selector-selects-again-and-again", "L6/one-case-takes-effect"},
	}, {
		law: "L6", name: "a claimed ticket is won all the same", file: tick,
		old:     "	if !t.state.CompareAndSwap(uint32(Waiting), uint32(Synced)) {\n",
		new:     "	if was := t.state.Load(); was >= uint32(Synced) || !t.state.CompareAndSwap(was, uint32(Synced)) {\n",
		killers: []string{"L6/a-claimed-select-is-passed-over"},
	}, {
		law: "L6", name: "a released select does not look again", file: "internal/engine/selectwait.go",
		old:     "		s.reconsider()\n",
		new:     "",
		killers: []string{"L6/a-claimed-select-is-passed-over"},
	}, {
		law: "L7", name: "a native value is consumed beside another winner", file: tick,
		old:     "		case fired:\n			return false\n",
		new:     "		case fired:\n			return true\n",
		killers: []string{"L7/native-and-own-in-a-storm", "L7/native-sends-in-a-storm"},
	}, {
		law: "L7", name: "native cases stay armed while claimed", file: tick,
		old:     "	if t.State() == Waiting {\n		return true\n	}\n	t.arms.Store(disarmed)\n",
		new:     "	if t.State() <= Claimed {\n		return true\n	}\n	t.arms.Store(disarmed)\n",
		killers: []string{"L6/native-cases-are-disarmed-while-claimed"},
	}, {
		law: "L8", name: "the end of a watched context is told to nobody", file: watch,
		old:     "			w.finish(&o)\n",
		new:     "			_ = w\n",
		killers: []string{"L8/one-context-ends-all-that-wait-under-it"},
	}, {
		law: "L8", name: "the end of a watched context takes its waiters out of no queue", file: watch,
		old:     "			c.giveUpOpen(w, cause, &o)\n",
		new:     "			w.err = cause\n",
		killers: []string{"L8/one-context-ends-all-that-wait-under-it"},
	}, {
		law: "L8", name: "a selector is not told of the end of its context", file: "internal/engine/selectwatch.go",
		old:     "		w.over.Store(true)\n",
		new:     "",
		killers: []string{"L8/a-selector-ends-with-the-context-it-is-under"},
	}, {
		law: "L8", name: "a selector ends with a context it was under before", file: "internal/engine/selectwatch.go",
		old:     "return s.atDoor && s.told && s.watch.over.Load() }",
		new:     "return s.atDoor && s.watch != nil && s.watch.over.Load() }",
		killers: []string{"L8/a-selector-ends-with-the-context-it-is-under"},
		race:    true,
	}, {
		law: "L8", name: "cancel reported after completion", file: ops,
		old:     "	c.free()\n	<-w.tk.Bell()\n",
		new:     "	c.free()\n	<-w.tk.Bell(); w.err = cause\n",
		killers: []string{"L8/cancel-and-completion-agree", "L1/an-error-means-the-sender-still-has-it"},
		race:    true,
	}, {
		law: "L8", name: "an ended context starts operations", file: ops,
		old:     "	if ctx.Err() != nil {\n		return fault.Cancelled(ctx)\n",
		new:     "	if false {\n		return fault.Cancelled(ctx)\n",
		killers: []string{"L8/ended-context-never-starts"},
	}, {
		law: "L8", name: "the cause is lost", file: "internal/fault/fault.go",
		old:     "		return &both{err, cause}\n",
		new:     "		return err\n",
		killers: []string{"L8/cancel-ends-a-blocked-operation"},
	}, {
		law: "L9", name: "the nil channel does not wait", file: "handoff.go",
		old:     "	<-ctx.Done()\n	return fault.Cancelled(ctx)\n",
		new:     "	return fault.Cancelled(ctx)\n",
		killers: []string{"L9/nil-blocks-for-ever"},
	}, {
		law: "L10", name: "detach keeps what it holds", file: "internal/engine/close.go",
		old:     "	c.detachHeld(a, why)\n",
		new:     "",
		killers: []string{"L10/detach-returns-what-is-held"},
	}, {
		law: "L10", name: "the attempt is not raised", file: match,
		old:     "	p.attempt++\n",
		new:     "	p.attempt = 1\n",
		killers: []string{"L13/attempts-are-counted", "L10/detach-returns-what-is-held"},
	}, {
		law: "L11", name: "a dropped value is not told", file: hold,
		old:     "	c.tell(&o, event.Event{Kind: kind, Op: \"reject\", Reason: reason, Attempt: attempt})\n",
		new:     "	_, _ = kind, attempt\n",
		killers: []string{"L11/events-tell-what-no-error-can"},
	}, {
		law: "L11", name: "errors do not say where", file: "errors.go",
		old:     "	return &OpError{op, at.title(), err}\n",
		new:     "	return err\n",
		killers: []string{"L11/errors-name-operation-and-channel"},
	}, {
		law: "L12", name: "a slot keeps its value", file: match,
		old:     "	c.buf[i] = zero\n",
		new:     "	_ = zero\n",
		killers: []string{"L12/no-reference-is-kept"},
	}, {
		law: "L12", name: "an allocation for every value", file: match,
		old:     "	c.buf[i] = *v\n",
		new:     "	x := make([]T, 1, c.slots+1); x[0] = *v; c.buf[i] = x[0]\n",
		killers: []string{"L12/plain-operations-allocate-nothing"},
	}, {
		law: "L12", name: "waiter records are not used again", file: record,
		old:     "	if w == nil || w.over.Load() != w.turn {\n",
		new:     "	if w != nil {\n		r.last, w = nil, nil\n	}\n	if w == nil {\n",
		killers: []string{"L12/plain-operations-allocate-nothing"},
	}, {
		law: "L13", name: "a returned value is lost", file: hold,
		old:     "	p.where = inBack\n	c.back.add(p)\n	c.serve(o)\n",
		new:     "	p.where = inBack\n	c.serve(o)\n",
		killers: []string{"L13/return-offers-again"},
	}, {
		law: "L13", name: "a delivery is settled twice", file: hold,
		old:     "	if p.gen != h.gen || p.where != inHand && p.where != orphaned {\n",
		new:     "	if p.where != inHand && p.where != orphaned {\n",
		killers: []string{"L13/a-delivery-is-settled-once"},
	}, {
		law: "L13", name: "a rejected send succeeds", file: hold,
		old:     "		c.sendHome(p, fault.Because(fault.ErrRejected, \"%s\", reason), &o)\n",
		new:     "		c.sendHome(p, nil, &o)\n",
		killers: []string{"L13/reject-ends-the-send"},
	}, {
		law: "L13", name: "a cancel during a hold is no doubt", file: ops,
		old:     "		w.err = fault.Doubtful(cause)\n",
		new:     "		w.err = cause\n",
		killers: []string{"L13/cancel-during-a-hold-is-doubt"},
	},
}
