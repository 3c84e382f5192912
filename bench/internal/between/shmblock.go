package between

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// Blocks of the medium's own memory, filled in place, sent and read in place.

func init() {
	roles["block source"] = blockSource
	roles["block sink"] = blockSink
}

// bigBlock is the larger of the sizes compared.
const bigBlock = 4 << 20

// blocks compare the cost of large blocks and small ones. Only the number at their
// beginning is written and read: what is measured is the handing over.
func blocks(f *Fleet, roudi func(*Fleet)) *measure.Shape {
	ours := func(bytes int) func(*Fleet) crew {
		return func(f *Fleet) crew {
			args := []string{fmt.Sprintf(shmURL(f), "blocks"), fmt.Sprint(bytes)}
			sink := f.start("block sink", args...)
			return crew{asked: []*process{sink, f.start("block source", args...)}}
		}
	}
	why := lacksBlocks()
	name := "borrowed blocks of 4 MiB, against 64 B"
	rivals := []measure.Contender{f.runs("ours, 64 B", why, ours(size))}
	for _, p := range programsInC() {
		if p.name == "iceoryx" {
			for _, bytes := range []int{bigBlock, size} {
				rivals = append(rivals, f.runs("iceoryx, "+bytesOf(bytes), p.why, p.crew("sink", "source", roudi, "wait", fmt.Sprint(bytes))))
			}
		}
	}
	rivals = append(rivals, f.runs("Unix socket, 4 MiB there and 64 B back", "", pingPong(unix, "", bigBlock)))
	s := row(name, claimBlock, goalBlock, f.body(ours(bigBlock)), rivals...)
	s.AtMost = 20000 // the socket copies all of it
	if s.Why = why; why != "" {
		s.Ours = nil
	}
	return s
}

// lacksBlocks says why nobody lends blocks, "" if somebody does.
func lacksBlocks() string {
	if why := lacksShm(); why != "" {
		return why
	}
	ch := openBlocks(fmt.Sprintf("shm:handoff-bench-blocks-%d", os.Getpid()))
	defer ch.Detach(context.Background())
	if _, ok := ch.(driver.Borrower); !ok {
		return "shm: lends no blocks"
	}
	return ""
}

func openBlocks(at string) driver.Channel {
	u, err := url.Parse(at)
	must(err)
	medium, _ := driver.Lookup(u.Scheme)
	ch, err := medium.Open(context.Background(), u, driver.Config{Send: true, Receive: true, Slots: 4, Type: "block", MaxValue: bigBlock})
	must(err)
	return ch
}

// does starts op on ch and waits for it.
func does(ch driver.Channel, op driver.Op) *driver.Op {
	ended := make(chan struct{})
	op.OnFinish(func(*driver.Op) { close(ended) })
	ch.Start(&op)
	<-ended
	must(op.Err)
	return &op
}

// blockSource takes a URL and how large its blocks are.
func blockSource(args []string) part {
	ch, bytes := openBlocks(args[0]), count(args[1])
	lender := ch.(driver.Borrower)
	ctx := context.Background()
	var sent number
	return part{end: func() { ch.Detach(ctx) }, work: func(n int) measure.Sample {
		for range n {
			loan, err := lender.Borrow(bytes)
			must(err)
			block := lender.Memory(loan)
			check(len(block) == bytes, "a block of %d B, not %d", len(block), bytes)
			sent.write(block)
			does(ch, driver.Op{Kind: driver.OpSend, Loan: loan})
		}
		return done()
	}}
}

// blockSink takes the same.
func blockSink(args []string) part {
	ch, bytes := openBlocks(args[0]), count(args[1])
	var came number
	return part{end: func() { ch.Detach(context.Background()) }, work: func(n int) measure.Sample {
		for range n {
			got := does(ch, driver.Op{Kind: driver.OpTake, Max: 1, InPlace: true}).Got[0]
			check(len(got.Value) == bytes, "a value of %d B, not %d", len(got.Value), bytes)
			came.see(got.Value)
			does(ch, driver.Op{Kind: driver.OpDone, Hold: got.Hold, InPlace: true})
		}
		return done()
	}}
}
