package shm

// Point is a place in the code at which a process may be killed or stopped by a test.
type Point uint8

// The points, in the order in which an operation passes them.
const (
	PointBuilt     Point = iota // a transaction is written down, not committed
	PointCommitted              // it is committed, and not applied
	PointApplied                // it is applied, and the head still says pending
	PointFetched                // records were taken for a send
	PointHalf                   // half of a value is written
	PointWritten                // the value is written
	PointWake                   // others have to be woken
	PointWoken                  // they were
	PointTaken                  // values are on the stack, and not read yet
	PointHeard                  // what was handed over is confirmed
	PointJoined
	PointLeaving
	PointCleaning
	PointClaimed  // the ticket of a select is claimed, and nothing is written
	PointPromised // it has promised, or its case has taken effect, and its ticket does not say so
	PointBuried   // a value is in the dead letter, and in its place still
	PointInterred // it is in the dead letter only, which remembers it
	Points
)

// String is the name of p.
func (p Point) String() string {
	return [...]string{"built", "committed", "applied", "fetched", "payload-half", "payload-full", "before-wake", "woken", "taken",
		"heard", "joined", "leaving", "cleaning", "claimed", "promised", "buried", "interred", "?"}[min(p, Points)]
}
