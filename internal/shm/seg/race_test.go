//go:build linux

package seg

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const (
	seedVar   = "HANDOFF_SEED"
	roundsVar = "HANDOFF_SEG_ROUNDS"
)

// The memory of these tests counts who uses it, as a segment's transactions do:
// -1 says that the last has left, and that it is dead.
const (
	nameWord  = 0 // the number of this segment, at both ends of the memory
	usersWord = 1
	dead      = -1
)

var errWrong = errors.New("the segment has another under its name, and is in use")

// visit opens the segment, joins it, looks whether it is the one that is found,
// and leaves; the last to leave removes it.
func visit(p *Place, rng *rand.Rand) (made bool, err error) {
	ctx := context.Background()
	for {
		s, fresh, err := p.Open(ctx, size, with(rng.Uint64()))
		if err != nil {
			return false, err
		}
		if !join(s) {
			s.Remove() // whoever marked it dead may be stopped, or killed
			s.Close()
			continue
		}
		same, _, err := p.Open(ctx, size, nil)
		if err != nil {
			return false, fmt.Errorf("in use, and not found: %w", err)
		}
		if word(same.Bytes(), nameWord).Load() != word(s.Bytes(), nameWord).Load() || !s.Named() {
			return false, errWrong
		}
		if a, b := word(s.Bytes(), nameWord).Load(), word(s.Bytes(), size/8-1).Load(); a != b {
			return false, fmt.Errorf("half made: %d and %d", a, b)
		}
		same.Close()
		if leave(s) {
			err = s.Remove()
		}
		s.Close()
		return fresh, err
	}
}

func join(s *Segment) bool {
	users := word(s.Bytes(), usersWord)
	for {
		n := users.Load()
		if n == dead {
			return false
		}
		if users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave reports whether the caller was the last.
func leave(s *Segment) bool {
	users := word(s.Bytes(), usersWord)
	for {
		n := users.Load()
		to := n - 1
		if to == 0 {
			to = dead
		}
		if users.CompareAndSwap(n, to) {
			return to == dead
		}
	}
}

func comer(w Where) {
	seed, _ := strconv.ParseUint(os.Getenv(seedVar), 10, 64)
	rounds, _ := strconv.Atoi(os.Getenv(roundsVar))
	rng := rand.New(rand.NewPCG(seed, 1))
	p, err := At(w)
	if err != nil {
		fail("%v", err)
	}
	made := 0
	for range rounds {
		fresh, err := visit(p, rng)
		if err != nil {
			fail("%v", err)
		}
		if fresh {
			made++
		}
	}
	fmt.Println("ok", made)
}

// Several processes open, make, leave and remove one segment, over and over, and
// are stopped meanwhile wherever they happen to be. At no time are there two.
func TestMakersAndLeaversRace(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv(seedVar); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	rounds := 1500
	if testing.Short() {
		rounds = 200
	}
	t.Logf("%s=%d", seedVar, seed)
	w := somewhere(t)
	var all []*child
	for i := range 4 {
		all = append(all, start(t, "comer", w, fmt.Sprintf("%s=%d", seedVar, seed+uint64(i)), fmt.Sprintf("%s=%d", roundsVar, rounds)))
	}
	ended := make(chan string, len(all))
	for _, c := range all {
		go func() { ended <- c.said() }()
	}
	made := 0
	rng := rand.New(rand.NewPCG(seed, 2))
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	var held *child
	for left := len(all); left > 0; {
		select {
		case said := <-ended:
			n := 0
			if _, err := fmt.Sscanf(said, "ok %d", &n); err != nil {
				t.Fatalf("%q", said)
			}
			made += n
			left--
		case <-tick.C: // one is stopped at a time
			if held != nil {
				held.cmd.Process.Signal(syscall.SIGCONT)
			}
			held = all[rng.IntN(len(all))]
			held.cmd.Process.Signal(syscall.SIGSTOP)
		}
		if left == 1 && held != nil { // the last one must not be stopped for ever
			held.cmd.Process.Signal(syscall.SIGCONT)
			held = nil
		}
	}
	if made < rounds/10 {
		t.Fatalf("only %d segments were made in 4 times %d rounds", made, rounds)
	}
	t.Logf("%d segments were made in 4 times %d rounds", made, rounds)
	if names, _ := os.ReadDir(at(t, w).dir.Name()); len(names) != 0 {
		t.Errorf("left over: %v", names)
	}
}
