package shm

import (
	"fmt"
	"strings"
)

// Dump is what the segment says, for whoever looks for a mistake.
func (s *Segment) Dump() string {
	var b strings.Builder
	v := func(off uint32) uint32 { return uint32(s.load(off)) }
	fmt.Fprintf(&b, "head %x tail %d ready %d noslot %d sent %d received %d buried %d closed %d sweep %d dirty %d tries %d senders %d receivers %d held %d\n", s.load(headAt),
		v(gTail), v(gReady), v(gNoSlot), v(gSent), v(gReceived), v(gBuried), v(gClosed), v(gSweep), v(gDirty), v(gTries), v(gSenders), v(gReceivers), v(gHeld))
	for e := v(gTail); e != 0; e = v(s.geometry.recordAt + e*recordWords + ePrev) {
		at := s.geometry.recordAt + e*recordWords
		fmt.Fprintf(&b, "record %d state %x from %d prev %d next %d tries %x\n", e, v(at), v(at+eFrom), v(at+ePrev), v(at+eNext), v(at+eTries))
	}
	for w := uint32(1); w <= s.waiters; w++ {
		at := s.waiterWord(w)
		if v(at) == 0 {
			continue
		}
		fmt.Fprintf(&b, "waiter %d kind %d phase %d member %d record %d most %d count %d stage %d result %d more %d offer %x next %d prev %d done %d\n", w, v(at)&0xff, v(at)>>8&0xff, v(at)>>16,
			v(at+wRecord), v(at+wMost), v(at+wCount), v(at+wStage), v(at+wResult), v(at+wMore), v(at+wOffer), v(at+wNext), v(at+wPrev), v(at+wDone))
	}
	fmt.Fprintf(&b, "takers %d..%d\n", v(gTakers), v(gTakersTail))
	for i := range s.members {
		if at := s.memberWord(i); v(at) != 0 {
			fmt.Fprintf(&b, "member %d state %x done %d..%d looking %d rung %d stack %d\n", i, v(at), v(at+mDone), v(at+mDoneTail), s.load(at+mLooking), s.load(at+mRung), v(at+mStack))
		}
	}
	return b.String()
}
