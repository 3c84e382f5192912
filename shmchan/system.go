package shmchan

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"sync"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/shm"
	"github.com/handoff-go/handoff/internal/shm/seg"
)

func init() {
	driver.Register("shm", listing{medium{store: &system{mapped: map[[16]byte]*mapping{}}, survives: driver.SurvivesPeers, selects: driver.SelectClaims}})
}

// system is the store of the operating system: segments are files, or descriptors.
type system struct {
	mu     sync.Mutex // guards mapped and the refs of each
	mapped map[[16]byte]*mapping
}

// mapping is a segment as this process has it mapped, once for all its attachments.
type mapping struct {
	*shm.Segment
	memory *seg.Segment
	place  *seg.Place
	refs   int
	watch  watch
}

// open implements store.
func (s *system) open(ctx context.Context, u *url.URL, create driver.Create, p shm.Params) (ms membership, err error) {
	where, err := seg.Parse(u)
	if err != nil {
		return ms, err
	}
	if ms, err = s.openAt(ctx, where, create, p); err == nil && ms.founded {
		s.sweep(ctx, ms.others)
	}
	return ms, err
}

// openAt is open where it is known which segment.
func (s *system) openAt(ctx context.Context, where seg.Where, create driver.Create, p shm.Params) (ms membership, err error) {
	size, err := p.Size()
	if err != nil {
		return ms, err
	}
	place, err := seg.At(where)
	if err != nil {
		return ms, err
	}
	rand.Read(ms.id[:])
	p.Founder.ID = ms.id
	if p.Place, err = place.Key(); err != nil {
		place.Close()
		return ms, err
	}
	life, err := place.Join(ms.id)
	if err != nil {
		place.Close()
		return ms, err
	}
	var fill seg.Maker
	if create != driver.CreateNo {
		fill = maker(p)
	}
	memory, made, err := place.Open(ctx, size, fill)
	if err == nil {
		if ms.founded = made; made {
			ms.others = place.Others()
		}
		err = s.enter(&ms, place, memory, life, where.String())
	}
	if err != nil {
		life.Leave()
		place.Close()
		return ms, err
	}
	return ms, nil
}

// maker fills the memory of a segment for p.
func maker(p shm.Params) seg.Maker {
	return func(mem []byte) error {
		words, ok := shm.Words(mem)
		if !ok {
			return driver.Because(driver.ErrUnsupported, "memory that does not begin at a word")
		}
		return shm.Make(words, p)
	}
}

// enter fills in what ms is of the memory.
func (s *system) enter(ms *membership, place *seg.Place, memory *seg.Segment, life *seg.Life, name string) error {
	m, err := s.mapping(place, memory)
	if err != nil {
		memory.Close()
		return err
	}
	ms.seg, ms.name = m.Segment, name
	if !ms.founded {
		ms.reaper = allDead(m.Segment, m.place)
	}
	k := &keeper{m: m, place: place, life: life}
	ms.begun = func(member *shm.Member) error {
		if ms.reaper {
			return m.reap(member)
		}
		k.begin(member)
		return nil
	}
	ms.checked = m.watch.check
	ms.left = func(last bool) {
		k.end()
		s.release(m, last)
		if place != m.place {
			place.Close()
		}
	}
	return nil
}

// mapping returns what this process has of memory: what it has already, or this.
func (s *system) mapping(place *seg.Place, memory *seg.Segment) (*mapping, error) {
	words, ok := shm.Words(memory.Bytes())
	if !ok {
		return nil, driver.Because(driver.ErrConflict, "no segment of handoff")
	}
	segment, err := shm.Load(words)
	if err != nil {
		return nil, err
	}
	// Who is in another folder would see no bell, and take all others for dead.
	if key, err := place.Key(); err != nil || key != segment.Params().Place {
		return nil, driver.Because(driver.ErrConflict, "its members have their doorbells in another folder than this process, so they would be taken for dead")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	born := segment.Params().Born
	m := s.mapped[born]
	if m != nil {
		memory.Close()
	} else {
		m = &mapping{Segment: segment, memory: memory, place: place}
		m.watch.init(m)
		segment.Ring, segment.Clock = m.watch.ring, monotonic
		segment.Seat = func(i uint32) (func(), bool, error) {
			leave, ok, err := m.memory.Seat(i)
			if errors.Is(err, driver.ErrNotFound) {
				err = shm.ErrEnded // whoever has removed it has ended it before
			}
			return leave, ok, err
		}
		s.mapped[born] = m
	}
	m.refs++
	return m, nil
}

// release ends one use of m.
func (s *system) release(m *mapping, last bool) {
	if last {
		m.memory.Remove()
	}
	s.mu.Lock()
	m.refs--
	over := m.refs == 0
	if over {
		delete(s.mapped, m.Params().Born)
	}
	s.mu.Unlock()
	if over {
		m.watch.end()
		if !m.InUse() { // or a slice of it would lead nowhere
			m.memory.Close()
		}
		m.place.Close()
	}
}

// allDead reports whether the segment at place has members, and none of them lives.
func allDead(s *shm.Segment, place *seg.Place) bool {
	all, reapers := s.Joined()
	for _, name := range all {
		if s.IsHere(name) || place.Alive(name.ID) {
			return false
		}
	}
	return len(all)+reapers > 0
}

// reap ends a segment whose members are all dead, and says that it has ended.
func (m *mapping) reap(member *shm.Member) error {
	all, _ := m.Joined()
	for _, name := range all {
		if err := member.Clear(name); err != nil {
			return err
		}
		m.place.Forget(name.ID)
	}
	member.Alone()
	return shm.ErrEnded
}

// keeper is the goroutine that looks after one attachment: it hears its bell.
type keeper struct {
	m      *mapping
	place  *seg.Place
	life   *seg.Life
	member *shm.Member
	over   chan struct{} // closed when it has ended, nil if it never began
}

// begin has the others know of the member before it can do anything: who is killed afterwards
// is missed by them. (Who is killed before has nothing, and the next one who comes has it noticed.)
func (k *keeper) begin(member *shm.Member) {
	k.member, k.over = member, make(chan struct{})
	k.m.watch.greet(member)
	k.m.watch.look(member) // which clears away the dead: who is killed over that is known to the others
	go k.run()
}

// end ends the keeper, and the life of its member.
func (k *keeper) end() {
	k.life.Leave()
	if k.over != nil {
		<-k.over
	}
}
