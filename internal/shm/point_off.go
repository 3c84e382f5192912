//go:build !handoff_shmpoints

package shm

// hasPoints says that values are written in two halves.
const hasPoints = false

func (m *Member) point(Point) {}
