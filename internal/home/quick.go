package home

import (
	"sync"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
)

// This file is for what is done again and again: it keeps its memory.

// The most that is kept.
const (
	keepIdle = 8       // receives of an attachment
	keepRoom = 256     // values of one
	mostRoom = 4 << 10 // and the most that one waits for
)

// batches are rooms for items on their way into a channel.
var batches = sync.Pool{New: func() any { return new([]item) }}

// Post implements driver.Poster.
func (at *attachment) Post(items []driver.Item) (ok bool, then func()) {
	if len(items) == 0 {
		return true, nil
	}
	room := batches.Get().(*[]item)
	batch := (*room)[:0]
	for i := range items {
		batch = append(batch, item{items[i].Value, items[i].Header})
	}
	ok, then = at.ch.c.SendNow(&at.a, batch)
	clear(batch)
	if *room = batch; cap(batch) <= keepRoom {
		batches.Put(room)
	}
	return ok, then
}

// receive is an OpRecv on its way.
type receive struct {
	at   *attachment
	x    *engine.Async[item]
	op   *driver.Op
	room []item
}

// receive begins an OpRecv.
func (at *attachment) receive(op *driver.Op) {
	at.mu.Lock()
	var r *receive
	if n := len(at.idle); n > 0 {
		r, at.idle = at.idle[n-1], at.idle[:n-1]
	} else {
		r = &receive{at: at}
		r.x = at.ch.c.NewAsync(&at.a, r.ended)
	}
	r.op = op
	at.ops[op] = turn{r.x, r.x.Turn()}
	at.mu.Unlock()
	if op.Max < 2 || op.Try {
		r.x.BeginRecv(op.Max, op.Try)
		return
	}
	if n := min(op.Max, mostRoom); cap(r.room) < n {
		r.room = make([]item, n)
	} else {
		r.room = r.room[:n]
	}
	r.x.BeginRecvInto(r.room, false)
}

// ended is told by the engine.
func (r *receive) ended() {
	at, op := r.at, r.op
	if values := r.x.Values(); values == nil {
		at.result(op, r.x)
	} else {
		_, op.Err = r.x.Sent()
		for _, v := range values {
			op.Got = append(op.Got, driver.Item{Value: v.value, Header: v.header, Attempt: 1})
		}
		clear(values)
	}
	r.op = nil
	if cap(r.room) > keepRoom {
		r.room = nil
	}
	r.x.Again()
	at.mu.Lock()
	delete(at.ops, op)
	if len(at.idle) < keepIdle {
		at.idle = append(at.idle, r)
	}
	at.mu.Unlock()
	op.Finish()
}
