//go:build !handoff_shmpoints

package shm

func (m *Member) point(Point) {}
