package drivertest

// The programs of memoryModelLaws touch a plain variable from two goroutines
// that only the channel orders. They check values everywhere; under -race they
// are reported if the channel does not give the order it promises.
var memoryModelLaws = []Law{
	{
		Name:   "L1/a-send-happens-before-its-receive",
		Says:   "what the sender wrote before the send is seen by whoever received the value",
		Source: "research 34; race/testdata/chan_test.go",
		Needs:  []Feature{FeatureSharedHeap},
		Storm:  true,
		Run:    lawSendBeforeReceive,
	}, {
		Name:   "L1/a-receive-happens-before-the-send-it-makes-room-for",
		Says:   "what a receiver wrote before the k-th receive is seen after the k+capacity-th send: a channel is a lock of capacity n",
		Source: "research 34; race/testdata/chan_test.go; BenchmarkChanSem",
		Needs:  []Feature{FeatureSharedHeap},
		Storm:  true,
		Run:    lawReceiveBeforeSend,
	}, {
		Name:   "L1/a-close-happens-before-the-receive-that-sees-it",
		Says:   "what was written before Close is seen by whoever got ErrClosed",
		Source: "research 34; race/testdata/chan_test.go",
		Needs:  []Feature{FeatureSharedHeap},
		Storm:  true,
		Run:    lawCloseBeforeZero,
	}, {
		Name:   "L1/a-rendezvous-orders-both-ways",
		Says:   "without slots, what the receiver wrote before its receive is seen when the send has returned",
		Source: "research 3, 34; race/testdata/chan_test.go",
		Needs:  []Feature{FeatureRendezvous, FeatureSharedHeap},
		Storm:  true,
		Run:    lawRendezvousOrders,
	}, {
		Name:   "L1/select-orders-as-plain-operations-do",
		Says:   "a value sent or received by a select orders memory as a plain send or receive does",
		Source: "research 34; race/testdata/select_test.go",
		Needs:  []Feature{FeatureSelect, FeatureSharedHeap},
		Storm:  true,
		Run:    lawSelectOrders,
	},
}

func lawSendBeforeReceive(e *Env) {
	e.each([]int{0, 1, 10}, func(slots int) {
		ch := e.Chan(slots)
		n := e.Scale(2000)
		cells := make([]int, n) // ordered by the channel alone
		e.Together(2, func(who int) {
			for i := range n {
				if who == 0 {
					cells[i] = i + 1
					if ch.Send(e.Ctx, i) != nil {
						return
					}
					continue
				}
				v, err := ch.Recv(e.Ctx)
				if err != nil || cells[v] != v+1 {
					e.Errorf("received %d (error %v), and the cell holds %d", v, err, cells[v])
					return
				}
			}
		})
	})
}

func lawReceiveBeforeSend(e *Env) {
	e.each([]int{1, 3}, func(slots int) {
		sem := e.Chan(slots)
		turns := e.Scale(2000)
		count := make([]int, slots+1)
		e.Together(4, func(int) {
			for range turns {
				if sem.Send(e.Ctx, 0) != nil {
					return
				}
				if slots == 1 {
					count[0]++ // guarded by the one slot
				}
				if _, err := sem.Recv(e.Ctx); err != nil {
					e.Errorf("Recv: %v", err)
				}
			}
		})
		if slots == 1 && count[0] != 4*turns {
			e.Fatalf("a channel of one slot let two in at once: counted %d of %d", count[0], 4*turns)
		}
	})
}

func lawCloseBeforeZero(e *Env) {
	for range e.Scale(500) {
		ch := e.Chan(1)
		cell := 0
		e.Together(4, func(who int) {
			if who == 0 {
				cell = 1
				ch.Close()
				return
			}
			if _, err := ch.Recv(e.Ctx); err == nil || cell != 1 {
				e.Errorf("closed seen (error %v) before what was written ahead of it: %d", err, cell)
			}
		})
	}
}

func lawRendezvousOrders(e *Env) {
	ch := e.Chan(0)
	n := e.Scale(2000)
	cells := make([]int, n)
	e.Together(2, func(who int) {
		for i := range n {
			if who == 0 {
				cells[i] = i + 1
				if _, err := ch.Recv(e.Ctx); err != nil {
					return
				}
				continue
			}
			if err := ch.Send(e.Ctx, i); err != nil || cells[i] != i+1 {
				e.Errorf("send %d returned (error %v) before its receiver came", i, err)
				return
			}
		}
	})
}

func lawSelectOrders(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		a, b := e.Chan(slots), e.Chan(slots)
		n := e.Scale(1000)
		cells := make([]int, n)
		e.Together(2, func(who int) {
			for i := range n {
				var err error
				if who == 0 {
					cells[i] = i + 1
					_, err = e.Select(e.Ctx, a.OnSend(i, nil), b.OnSend(i, nil))
				} else {
					look := func(v int, _ bool) {
						if cells[v] != v+1 {
							e.Errorf("received %d, and the cell holds %d", v, cells[v])
						}
					}
					_, err = e.Select(e.Ctx, a.OnRecv(look), b.OnRecv(look))
				}
				if err != nil {
					e.Errorf("Select: %v", err)
					return
				}
			}
		})
	})
}
