package shmchan

import (
	"context"
	"os"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/shm"
	"github.com/handoff-go/handoff/internal/shm/seg"
)

// sweep ends those of others, a few segments in the folder of this user, whose members are all
// dead. Nobody may ever open them again, and their memory would be lost until the machine starts anew.
func (s *system) sweep(ctx context.Context, others []seg.Where) {
	for _, where := range others {
		if ctx.Err() == nil && isDead(ctx, where) {
			s.reclaim(ctx, where)
		}
	}
}

// isDead reports whether the segment has members, and all of them are dead. It only looks.
func isDead(ctx context.Context, where seg.Where) bool {
	place, err := seg.At(where)
	if err != nil {
		return false
	}
	defer place.Close()
	memory, _, err := place.Open(ctx, 0, nil)
	if err != nil {
		return false
	}
	defer memory.Close()
	words, ok := shm.Words(memory.Bytes())
	if !ok {
		return false
	}
	segment, err := shm.Load(words)
	return err == nil && allDead(segment, place)
}

// reclaim ends a segment of the dead as who opens it would. Where that fails, the next one does it.
func (s *system) reclaim(ctx context.Context, where seg.Where) {
	ms, err := s.openAt(ctx, where, driver.CreateNo, shm.Params{})
	if err != nil {
		return
	}
	if !ms.reaper {
		ms.left(false) // somebody has come meanwhile, or another one has ended it
		return
	}
	m, err := ms.seg.Join(ms.id, os.Getpid(), true, shm.About{Name: ms.name, Title: ms.name, Over: ms.left})
	if err != nil {
		ms.left(shm.Ended(err))
		return
	}
	ms.begun(m) // that it has ended is its error
	m.Detach(ctx)
}
