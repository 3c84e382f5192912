package drivertest

import "sync/atomic"

// Spread returns the harness of a subject whose channels lie in turn with each of
// over: at several homes, or at a home and in this process. A law that selects over
// more than one channel then selects across them. It has the features that all of
// them have, but for dead letters, which are at the home of their channel, and for
// payloads other than int. All of over must be channels of package handoff.
func Spread(name string, over ...Harness) Harness {
	h := over[0]
	h.Name, h.Several = name, true
	for _, other := range over[1:] {
		for f := range h.Has {
			if !other.Has[f] {
				h.Has = h.Has.Without(f)
			}
		}
		h.InBubble = h.InBubble && other.InBubble
		h.NeverEnding = h.NeverEnding && other.NeverEnding
		h.Far = h.Far || other.Far
	}
	h.Has = h.Has.Without(FeatureDeadLetter, FeaturePayloads, FeatureHuge, FeatureAny, FeatureSharedHeap)
	var made atomic.Uint64
	h.Int = func(e *Env, s Spec, n int) []Chan[int] {
		return over[made.Add(1)%uint64(len(over))].Int(e, s, n)
	}
	return h
}

// Selects reports whether the law is about selects: one to be run with a Spread.
func (l Law) Selects() bool {
	for _, f := range l.Needs {
		switch f {
		case FeatureSelect, FeatureSelector, FeatureSelectFirst, FeatureDefault, FeatureNative, FeatureAfter:
			return true
		}
	}
	return false
}
