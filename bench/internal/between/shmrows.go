package between

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// sharing makes the rows of channels in shared memory.
type sharing struct {
	*Fleet
	ours, memory, pins string // why there are none here: channels, segments, cores to be kept on
	programs           []program
	roudi              func(*Fleet)
}

// shms are the rows of channels in shared memory.
func shms(f *Fleet) []*measure.Shape {
	s := sharing{f, lacksShm(), lacksMemory(), lacksPins(), programsInC(), roudiOnce()}
	apart := s.parked("a core each", 2, append(s.inC("echo", "caller"), s.keeps("shmipc-go", lacksShmipc, 2, shmipcTrip))...)
	return slices.Concat(in("shm", false, append(s.spun(), apart, s.each(), s.batched())...),
		in("shm", true, s.parked("on one core", 1), blocks(f, s.roudi)), s.waitingRows(waitingChannels))
}

// row is one of ours, if ours are there.
func (s *sharing) row(name, claim string, goal float64, ours func(*Fleet) crew, rivals ...measure.Contender) *measure.Shape {
	r := row(name, claim, goal, s.body(ours), rivals...)
	if r.Why = s.ours; s.ours != "" {
		r.Ours = nil
	}
	return r
}

// lacks are all reasons but the empty ones.
func lacks(whys ...string) string {
	return strings.Join(slices.DeleteFunc(whys, func(s string) bool { return s == "" }), "; ")
}

// keeps is a contender whose processes are kept on so many cores.
func (s *sharing) keeps(name, why string, cores int, start func(*Fleet) crew) measure.Contender {
	return s.runs(name, lacks(why, s.pins), kept(cores, start))
}

// free is the base where nobody can be kept on a core.
func (s *sharing) free() measure.Contender {
	return s.runs("Unix socket, not kept on its cores", "", pingPong(unix, "", size))
}

// inC are the programs in C, two roles of each. Those that make round trips are
// kept on a core each, as all who do.
func (s *sharing) inC(one, other string) (all []measure.Contender) {
	for _, p := range s.programs {
		var more []string
		if p.name == "iceoryx" {
			more = []string{"wait", fmt.Sprint(size)}
		}
		start := p.crew(one, other, s.roudi, more...)
		if one == "echo" {
			all = append(all, s.keeps(p.name, p.why, 2, start))
		} else {
			all = append(all, s.runs(p.name, p.why, start))
		}
	}
	return all
}

// parked are round trips between processes that sleep while they wait.
func (s *sharing) parked(where string, cores int, rivals ...measure.Contender) *measure.Shape {
	return s.row("64 B round trip, parked, "+where, claimParked, goalParked, kept(cores, oursTrip(parked)), append([]measure.Contender{
		s.keeps("bare doorbell", s.memory, cores, floorTrip(parked)),
		s.keeps("pipe", s.memory, cores, pingPong(fifo, "", size)),
		s.keeps("Unix socket", "", cores, pingPong(unix, "", size)),
		s.free(),
	}, rivals...)...)
}

// spun are round trips between processes that look without pause.
func (s *sharing) spun() []*measure.Shape {
	rivals := []measure.Contender{s.keeps("bare line of the cache", s.memory, 2, floorTrip(spinning)), s.free()}
	for _, p := range s.programs {
		if p.name == "iceoryx" {
			rivals = append(rivals, s.keeps(p.name, p.why, 2, p.crew("echo", "caller", s.roudi, "spin", fmt.Sprint(size))))
		}
	}
	ours := kept(2, oursTrip(spinning))
	return []*measure.Shape{
		s.row("64 B round trip, spinning, against a bare line", claimLine, goalLine, ours, rivals...),
		s.row("64 B round trip, spinning, against a Unix socket", claimSpinning, goalSpinning, ours,
			s.keeps("Unix socket", "", 2, pingPong(unix, "", size)), s.free()),
	}
}

// each is one way, message by message.
func (s *sharing) each() *measure.Shape {
	return s.row("64 B one way, by 1", claimEach, goalEach, oursStream(1), append([]measure.Contender{
		s.runs("Unix socket, a write each", "", written("raw each source", unix)),
		s.runs("pipe, a write each", s.memory, written("raw each source", fifo)),
		s.runs("shmipc-go, a flush each", lacksShmipc, shmipcStream(1)),
	}, s.inC("sink", "source")...)...)
}

// batched is one way, by 64. Its goal is no ratio.
func (s *sharing) batched() *measure.Shape {
	r := s.row("64 B one way, by 64", claimBatched, 0, oursStream(batch),
		s.runs("Unix socket, 32 KiB batches", "", written("raw source", unix)),
		s.runs("pipe, 32 KiB batches", s.memory, written("raw source", fifo)),
		s.runs("shmipc-go, a flush for 64", lacksShmipc, shmipcStream(batch)))
	r.Unit, r.Most = "ns", mostBatched
	return r
}
