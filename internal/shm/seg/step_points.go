//go:build handoff_shmpoints

package seg

// OnStep has f called at each named point of making, finding and removing a
// segment: folder, file, locked, reserved, filled, published, found, unlinked. It
// is for tests that kill the process there, and to be called before anything else.
func OnStep(f func(point string)) { step = f }
