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
// The parts, each in the files named so:
//
//   - the segment: layout (what is where), segment (one as a process sees it), tx (transactions), record
//     (values and waiters as linked records), stack and pages (memory for values);
//   - the channel: line (values in the order of their sends), move (what becomes possible is done), ops (what
//     each operation does), offer (cases of selects), time (ends of holds and rests), lend (blocks), grave
//     (dead letters);
//   - an attachment: member (a driver.Channel), start (how operations begin), collect (how those that wait
//     end), select and selectend, keep (what a process does beside), slow (who waits looks by itself), depart (what the end of an
//     attachment does, its own or a dead one's), damage (what the end of trust in a segment does);
//   - for others and for tests: peek (figures), dump, point (where a test may kill or stop a process).
//
// Package seg is how segments are found, made and removed, and bell how a member is woken, and known to live.
//
// docs/spec/shm.md is the layout as others would have to know it.
package shm
