package shm

import "github.com/handoff-go/handoff/codec"

// TypeOf is the fingerprint of values of T, as whoever opens a channel of T has it.
func TypeOf[T any](format, schema string) (string, error) {
	c, err := codec.For[T](codec.Options{Format: codec.Format(format), Schema: schema})
	if err != nil {
		return "", err
	}
	return c.Fingerprint(), nil
}
