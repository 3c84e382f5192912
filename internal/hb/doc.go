// Package hb tells the race detector which happens-before edges a channel
// promises, and no others.
//
// The engine guards a channel with one lock. Left alone, the detector would take
// that lock for an order between any two operations on the channel, and miss
// most races of the program around it: a sender that touches what it has handed
// over, and then happens to send once more before the receiver comes, would look
// innocent. So under -race the engine's own memory and synchronization are
// hidden from the detector (go:norace on its functions, Ignore around its
// atomics), and the edges of Go's memory model are declared by hand, as the
// runtime does for its channels:
//
//	send              → the receive of its value
//	k-th confirmation → the k+n-th send of a channel with n slots
//	receive           → the return of a send without a slot
//	settlement        → what it ends: the sender's wait, or the next hand-out
//	close, stop       → those who see it
//
// With the tag handoff_racecheck none of this happens and the detector sees the
// engine as it is; so, with the pragmas taken out by an overlay, the engine
// itself is checked.
package hb
