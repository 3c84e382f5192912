package demo

import (
	"encoding/binary"
	"errors"
)

// The channels of the demo, by name.
const (
	pathsName   = "paths"   // job: from the walker to the workers
	resultsName = "results" // result: from the workers to the collector
	holdingName = "holding" // holding: from the victim to the executioner
)

// job is a file to parse: what crosses from the walker to a worker. Its encoding
// is its own, for a file's name may be any bytes, which JSON would not carry.
type job struct {
	No   uint32 // place in the walker's list
	Path string
}

// jobBytes is what a job takes beside its path.
const jobBytes = 4

// AppendBinary implements encoding.BinaryAppender.
func (j *job) AppendBinary(b []byte) ([]byte, error) {
	return append(binary.LittleEndian.AppendUint32(b, j.No), j.Path...), nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (j *job) UnmarshalBinary(b []byte) error {
	if len(b) < jobBytes {
		return errors.New("a job without its number")
	}
	j.No, j.Path = binary.LittleEndian.Uint32(b), string(b[jobBytes:])
	return nil
}

// result is what a worker found: it crosses from there to the collector, as its
// memory.
type result struct {
	No      uint32
	Worker  uint32
	Attempt uint32 // of the job it comes from
	_       uint32
	Counts  counts
}

// holding is what the victim says before it waits for its end.
type holding struct {
	No      uint32
	Worker  uint32
	Attempt uint32
}

// The header of the one job whose taker is to be killed, and when.
const (
	orderHeader = "demo-kill"
	// KillTake kills the worker when it has taken the value and done nothing.
	KillTake = "take"
	// KillBetween kills it between sending the result and confirming the value.
	KillBetween = "between"
)
