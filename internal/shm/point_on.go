//go:build handoff_shmpoints

package shm

const hasPoints = true

// AtPoint is called whenever a member passes a point.
var AtPoint func(Point)

func (m *Member) point(p Point) {
	if AtPoint != nil {
		AtPoint(p)
	}
}
