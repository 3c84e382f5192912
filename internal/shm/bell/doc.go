// Package bell lets one member of a segment wake another, and shows whether it
// is alive.
//
// A member's bell is a FIFO. The member has it open, and a lock on it, from before
// its name is seen until the member takes it down or dies. So one file says three
// things, all of them kept by the system and none by the member:
//
//   - A byte written to it is a ring. The member waits for it as Go waits for a
//     socket: a goroutine is parked, no thread, however many bells there are.
//   - Its lock says who lives. Nobody frees it but the system, when the last
//     descriptor of the member's is closed. Nothing can be mistaken about it: not a
//     process that has the number of a dead one (pids are not looked at), not one
//     that is stopped (it lives), not a zombie (its files are closed before anybody
//     can wait for it), not one in another container that shares the folder.
//   - Who holds it open to ring it is told at once when its reader is gone. The
//     system frees the lock of a file before it tells the other end, so who is told
//     finds the lock free.
//
// The lock is one of the open file description (F_OFD_SETLK), and not of the process
// (F_SETLK), which would be lost with any descriptor of the file that the program
// happens to close; and not a flock, as that can be looked at only by taking it. Its
// price: a child that was forked and has not called exec shares it, so until that
// child ends or calls exec a dead member seems alive. What os/exec starts has the
// FIFO closed. To call a living member dead would give its values to a second
// holder; to call a dead one alive only has them wait.
//
// Who has no bell is not a member, so a bell that is removed from outside makes its
// member look dead. It can see that itself: [Bell.Hung].
package bell

import "errors"

// ErrGone is what a Ringer says of a member that has taken its bell down or died.
var ErrGone = errors.New("the member is gone")
