package shape

import "github.com/handoff-go/handoff/internal/bench/measure"

// The claims: what a channel must reach that is to be used in place of the
// language's. What each allows its shapes stands with them.
const (
	claimAlone    = "send+receive, one goroutine, cap 128"
	claimCrowds   = "1→1, 8→1, 1→8, 8→8, 100→100 at cap 0, 1, 128, 4096"
	claimPingPong = "ping-pong, cap 0"
	claimRunning  = "peer already running, cap 0: the receiver works 200 ns a value"
	claimReady    = "guarded by a context, ready"
	claimBlocking = "guarded by a context, blocking"
	claimSelect   = "reusable select: blocking with 2, 4, 8, 64 cases; with default, none ready"
	claimBoth     = "reusable select on both sides"
	claimDone     = "one shared done channel in every select, 2 to 64 goroutines"
	claimBatch    = "SendAll and RecvInto of 64, per value"
	claimClose    = "close with 10,000 waiters"
	claimPopular  = "1,000 waiters on one popular channel"
	claimMillion  = "a million parked senders"
	claimIdle     = "bytes of an idle channel"
	claimParked   = "bytes of a parked waiter, fast form"
	claimPayload  = "values of 0, 8, 64, 264 bytes, and pointers"
	claimHeap     = "a live heap of 1 GiB, collected meanwhile"
	claimCPU      = "no CPU time while all wait"
	claimWork     = "work inside the loop"
)

// Claims returns all, in the order of the summary.
func Claims() []measure.Claim {
	return []measure.Claim{
		{Name: claimAlone}, {Name: claimCrowds, Mean: 0.8}, {Name: claimPingPong}, {Name: claimRunning},
		{Name: claimReady}, {Name: claimBlocking}, {Name: claimSelect}, {Name: claimBoth}, {Name: claimDone}, {Name: claimBatch},
		{Name: claimClose}, {Name: claimPopular}, {Name: claimMillion}, {Name: claimIdle}, {Name: claimParked},
		{Name: claimPayload}, {Name: claimHeap}, {Name: claimCPU}, {Name: claimWork},
	}
}
