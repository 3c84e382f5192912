package shmchan

import (
	"context"
	"crypto/rand"
	"net/url"
	"sync"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/shm"
)

// heap is a store of segments in the memory of this process, which the race detector sees,
// and where everything that waits, waits in this process.
type heap struct {
	mu    sync.Mutex // guards named
	named map[string]*piece
}

type piece struct {
	seg  *shm.Segment
	refs int
}

func init() {
	driver.Register("shmheap", medium{store: &heap{named: map[string]*piece{}}, selects: driver.SelectClaims})
}

func (h *heap) open(_ context.Context, u *url.URL, create driver.Create, p shm.Params) (ms membership, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := u.Opaque
	rand.Read(ms.id[:])
	p.Founder.ID = ms.id
	at := h.named[name]
	if name == "" {
		return ms, driver.Because(driver.ErrConflict, "no name")
	}
	if at == nil {
		if create == driver.CreateNo {
			return ms, driver.ErrNotFound
		}
		size, err := p.Size()
		if err != nil {
			return ms, err
		}
		words := make([]uint64, size/8)
		if err := shm.Make(words, p); err != nil {
			return ms, err
		}
		at = &piece{}
		if at.seg, err = shm.Load(words); err != nil {
			return ms, err
		}
		began := time.Now()
		at.seg.Clock = func() int64 { return int64(time.Since(began)) }
		h.named[name] = at
		ms.founded = true
	}
	at.refs++
	ms.seg, ms.name = at.seg, name
	ms.begun = func(*shm.Member) error { return nil }
	ms.left = func(bool) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if at.refs--; at.refs == 0 && h.named[name] == at {
			delete(h.named, name)
		}
	}
	return ms, nil
}
