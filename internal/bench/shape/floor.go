package shape

import (
	"sync/atomic"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// floorWord is no channel: one word that holds a value or nothing, and two
// goroutines that spin. It keeps one law of a channel without slots, that no value
// is written over, and nothing that works on two cores can be faster.
func floorWord(receiver int) measure.Body {
	return func() func(int) measure.Sample {
		var word struct {
			atomic.Int64 // 0, or a value
			_            [120]byte
		}
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for i := range n {
					for word.Load() != 0 {
					}
					word.Store(int64(i + 1))
				}
			}, func() {
				for range n {
					work(receiver)
					for word.Load() == 0 {
					}
					word.Store(0)
				}
			})
		}
	}
}
