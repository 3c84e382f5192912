// Package shm is a channel in memory that several processes share.
//
// The memory is an array of 64-bit words, the segment. What the channel is, its
// line, its slots, who waits and who holds, stands in words that change by
// transactions only (tx.go): a member builds one privately, in plain sequential
// code, and commits it by one compare-and-swap of the head. From that moment it is
// the history of the channel, and whoever meets it finishes the writing. So no
// process ever waits for another one, and one that is killed or stopped at any
// instruction leaves nothing half done.
//
// The parts, each in the files named so: layout (what is where), tx (transactions),
// record (values and waiters as linked records), stack and pages (memory for values),
// line (values in the order of their sends), move (what becomes possible is done),
// ops (what each operation does), member (an attachment, a driver.Channel), depart
// (what the end of an attachment does, its own or a dead one's).
//
// docs/spec/shm.md is the layout as others would have to know it.
package shm
