package drivertest

import "sort"

// Feature is something a subject can do, said as data. A law names the features
// it needs; a subject that lacks one is refused that law by name.
type Feature string

// The features.
const (
	FeatureRendezvous  Feature = "rendezvous"   // capacity 0
	FeatureCancel      Feature = "cancel"       // operations end with their context
	FeatureWaitCounts  Feature = "wait counts"  // Stats knows who waits
	FeatureStats       Feature = "stats"        // Stats counts values
	FeatureCloseRace   Feature = "close races"  // a close may race with a send; Go's race detector objects on its own channels
	FeatureOpError     Feature = "op errors"    // errors name operation and channel
	FeatureBatch       Feature = "batch"        // SendAll, RecvInto
	FeatureHold        Feature = "hold"         // Take, Done, Return, Reject
	FeatureHoldTime    Feature = "hold time"    // MaxHold, Extend, ReturnAfter
	FeatureDeadLetter  Feature = "dead letter"  // DeadLetter, MaxAttempts
	FeatureSendTimeout Feature = "send timeout" // SendTimeout
	FeatureStop        Feature = "stop"         // Stop, OnStop
	FeatureDetach      Feature = "detach"       // Detach
	FeatureAttachments Feature = "attachments"  // several attachments to one channel
	FeatureSendersGone Feature = "senders gone" // CloseWhenSendersGone
	FeatureEvents      Feature = "events"       // losses and doubts are told
	FeatureHeader      Feature = "header"       // headers travel with values

	FeatureSelect      Feature = "select"       // OnSend, OnRecv; cases over several channels
	FeatureDefault     Feature = "default"      // exact default
	FeatureSelectFirst Feature = "select first" // choice in order
	FeatureSelector    Feature = "selector"     // reusable select
	FeatureNative      Feature = "native cases" // native channels in the same select
	FeatureAfter       Feature = "after"        // timer cases
	FeatureClaims      Feature = "claims"       // a fake remote claimant can take part

	FeaturePayloads    Feature = "payloads"      // Empty, Text, Bytes and Big are there
	FeatureHuge        Feature = "huge values"   // values above 64 KiB by value
	FeatureAny         Feature = "interfaces"    // Any is there: interfaces, functions, channels travel
	FeatureSharedHeap  Feature = "shared heap"   // pointers travel as they are
	FeatureNoAlloc     Feature = "no allocation" // plain operations
	FeatureNoAllocHold Feature = "no allocation: hold"
	FeatureNoAllocSel  Feature = "no allocation: selector"
	FeatureCollected   Feature = "collected" // nothing keeps a received value or a dropped channel
)

// Features is a set of features.
type Features map[Feature]bool

// With returns the set with more added.
func (f Features) With(more ...Feature) Features {
	out := Features{}
	for k, v := range f {
		out[k] = v
	}
	for _, k := range more {
		out[k] = true
	}
	return out
}

// Without returns the set with some removed.
func (f Features) Without(some ...Feature) Features {
	out := f.With()
	for _, k := range some {
		delete(out, k)
	}
	return out
}

// missing returns what of needs is not in the set, in order of name.
func (f Features) missing(needs []Feature) []string {
	var out []string
	for _, n := range needs {
		if !f[n] {
			out = append(out, string(n))
		}
	}
	sort.Strings(out)
	return out
}
