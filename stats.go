package handoff

import (
	"time"

	"github.com/handoff-go/handoff/driver"
)

// Stats are the figures of a channel. In a process they are of one moment;
// remotely they are the last known. Len + Held is Slots when the channel is full
// and no value is held without a slot.
type Stats = driver.Stats

func (at *attachment[T]) stats() Stats {
	if at == nil || at.bad() != nil {
		return Stats{AsOf: time.Now()}
	}
	if at.c == nil {
		return at.far.stats()
	}
	return at.c.Stats()
}
