// Package seg finds, makes and maps the memory that processes share, and keeps
// the list of who lives in it. It knows nothing of what is in the memory.
//
// # Files
//
// Segments that are named are in a folder of the user's own,
//
//	/dev/shm/handoff-UID/         0700
//	    NAME.seg/                 0700: the segment NAME
//	        INCARNATION.mem       0600: its memory, INCARNATION is random
//	    ID.bell                   0600: a member's life and doorbell, see package bell
//	    RANDOM.new/, ID.bell.new  what is being made
//
// and for shm:/path the same stands in the folder of path, as path/ itself,
// path.ID.bell and so on.
//
// A segment is a folder with one file in it, and not a file, because of how it
// ends. No system call removes a name on condition that it leads to this file
// still; so who decides to remove a dead segment, and is stopped or slow, could
// remove its successor. The file's own name is random and is never used twice. So
// removing it hits no other, removing the folder fails while there is one in it,
// and rename puts a folder in the place of an empty one, but of no other. Nobody
// needs a lock, and it does not matter where somebody is killed or stopped.
//
// A segment is made under another name, its memory reserved and filled, and then
// renamed: who finds it finds it whole. Who loses the race for the name opens what
// the winner made. While it is being made its maker has a lock on the file; what is
// called .new and is not locked was left by a maker who died, and is swept away.
//
// # What is refused
//
// Links are not followed, and what belongs to another user or may be used by one
// is refused (ErrDenied); so is what is no segment, or a file with too little in
// it (ErrConflict), a file system that is not of this machine (ErrUnsupported), and
// memory that is not there (ErrFull): it is reserved in full before anything is
// mapped, so that a full /dev/shm is an error here and not a SIGBUS later. What
// is in the memory is the caller's to judge. A process of the same user could
// still cut off the file of a named segment while others have it mapped, and they
// would get a SIGBUS; a memfd is sealed against that.
//
// # Order
//
// Place.Join before anything in the memory names the member, Life.Leave after
// nothing does. A member that is named in the memory and is not Alive has died.
//
// Linux only. Elsewhere At and Memory are refused.
package seg

import "context"

// Maker fills the memory of a new segment, all zeros, before anybody else can see
// it. What it is given may lose the race for the name, and is then thrown away and
// not to be used again; it may be called more than once.
type Maker func(mem []byte) error

// ID names a member. It is random and is never used twice.
type ID [16]byte

// Open is At and Place.Open.
func Open(ctx context.Context, w Where, size int64, make Maker) (*Place, *Segment, bool, error) {
	p, err := At(w)
	if err != nil {
		return nil, nil, false, err
	}
	s, made, err := p.Open(ctx, size, make)
	if err != nil {
		p.Close()
		return nil, nil, false, err
	}
	return p, s, made, nil
}
