package page

import "github.com/handoff-go/handoff/internal/bench/report"

// Kind is one of the pages.
type Kind struct {
	file     string // in docs
	title    string
	preface  string // what to know before reading a figure
	sections []section
}

// section is what one stored file makes of a page.
type section struct {
	kept  string // the end of the file's name
	title string
	goals string // the rest of the title of its goals
}

// Process is what happens in one process.
var Process = &Kind{
	file: "results.md", title: "Results",
	sections: []section{
		{report.Fast, "The default build", ": the default build"},
		{report.Portable, "The portable form (`-tags handoff_portable`)", ": the portable form (`-tags handoff_portable`)"},
	},
	preface: `The same work is done by our channel, by Go's, by Go's once more, and by the rivals named, interleaved and in random order, in one run;
every side is called directly, with the default build and the same flags. Measured are the time of one operation in steady state (goroutines stand
ready and the channel is warm before the clock starts), the objects allocated meanwhile, and the CPU time of the whole process, user and system.
Values are of one word where nothing else is said. Not measured are other media than this process. **The absolute times mean nothing**: the machine is
shared and virtual, its clock and neighbours change from minute to minute. What counts is the *ratio* to the base, which is the second line of every
shape: the ratio of the medians, and the median of the ratios of each round. Beside the base stands its *noise*: how far it was from itself in the same
rounds, by the worse of these two. A goal is met when both ratios are at most the goal. Only where the goal is exactly 1, which means not slower, the
noise is added to it, and "met, in noise" says that it was needed; no other goal is helped by noise. An operation is one value from a sender to a receiver,
for ping-pong there and back. *min* and *p90* are of the rounds; quantiles of single operations are there where each was timed by itself, and then the clock is
in them, for all alike. Allocations below 0.005 an operation are the runtime's own and count as none; "?" is not known. A rival that cannot run says why. The threads of
crossbeam-channel are the system's and spin before they sleep, so a machine with few cores, or a busy one, hurts it more than goroutines.
What was tried where a goal is missed, and what the floor is: [performance.md](performance.md).`,
}

// Between is what crosses between processes.
var Between = &Kind{
	file: "results-net.md", title: "Results between processes",
	sections: []section{{between, "Between processes", ""}},
	preface: `What crosses from process to process of one machine: our channels over sockets, a bare socket beside them, and what other people use, interleaved
and in random order, in one run. Every party is a process of its own: a sender, a receiver, and the home or the server between them if there is one; a row says
where the home is. The floor, a bare socket in the same layout, stands in every row. One that is called "the peer" or "with the receiver" is the home of the channel too; its own
end reaches it through a Unix socket. Messages one way carry their number, and the receiver checks that none is missing, twice or out of turn. A time is from the request to all
parties until the last of them has answered, or that of the party that waits for answers; the CPU time is that of all processes of the contender, servers included, and what they
allocate is not known. A confirmed send is timed while the home's slots are free, and they are emptied between two timings, the CPU time of which is in the figure. **The absolute times mean nothing**: the machine is
shared and virtual, and between its processes there is no network but the loopback interface. What counts is the *ratio* to the base, which is the second line of every
shape: the ratio of the medians, and the median of the ratios of each round; beside the base stands how far it was from itself. A goal is met when both ratios are at most the
goal; where it is exactly 1 the noise is added. Quantiles are of operations timed one by one. A rival that cannot run says why.`,
}

// between is the end of the names of files of that kind.
const between = "net"

// keptAs is the end of the name of a file with r.
func (k *Kind) keptAs(r *report.Record) string {
	if len(k.sections) == 1 {
		return k.sections[0].kept
	}
	return r.About.Form
}
