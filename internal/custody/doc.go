// Package custody has the race detector check the first law: a sender that
// still touches data it has handed over.
//
// Under -race, a receive marks what the value points to as written by the
// receiver. A later access by the former holder that is not ordered after the
// receive is then a race, and reported with both stacks, even if the receiver
// never touches the data. Without -race it is nothing, and costs nothing.
//
// Marked is what can be reached in one step: the target of a pointer, the
// elements of a slice, a map, what an interface holds; also where those are in
// fields and array elements of the value. Left alone are strings, channels and
// functions, which are made to be shared, and anything whose type contains a
// lock, an atomic or a channel: such a value guards itself and may be shared on
// purpose.
package custody
