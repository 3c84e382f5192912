package between

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/bench/measure"
	_ "github.com/handoff-go/handoff/shmchan" // the scheme
)

func init() {
	roles["shm echo"] = func(args []string) part { return shmTrip(args, false) }
	roles["shm caller"] = func(args []string) part { return shmTrip(args, true) }
}

// lacksShm says why there are no channels in shared memory, "" if there are.
func lacksShm() string {
	if _, ok := driver.Lookup("shm"); !ok {
		return "the scheme shm: is not there"
	}
	ch, err := handoff.Open[int](context.Background(), fmt.Sprintf("shm:handoff-bench-probe-%d", os.Getpid()), handoff.Slots(1))
	if err != nil {
		return err.Error()
	}
	ch.Detach()
	return ""
}

// lacksMemory says why processes cannot share memory here, "" if they can.
func lacksMemory() string {
	if runtime.GOOS != "linux" {
		return "segments on " + runtime.GOOS
	}
	return ""
}

// shmTrip takes a URL, slots and how to wait: a channel there, and one back.
func shmTrip(args []string, calls bool) part {
	spins := waits(args[2])
	slots := handoff.Slots(count(args[1]))
	there, back := open[message](args[0], "there", slots), open[message](args[0], "back", slots)
	ctx := context.Background()
	var sent, came number
	var m message
	end := func() {
		there.Detach()
		back.Detach()
	}
	return part{end: end, work: func(n int) measure.Sample {
		if calls {
			return timed(spins, n, func() {
				sent.write(m[:])
				must(there.Send(ctx, m))
				got, err := back.Recv(ctx)
				must(err)
				came.see(got[:])
			})
		}
		for range n {
			got, err := there.Recv(ctx)
			must(err)
			came.see(got[:])
			must(back.Send(ctx, got))
		}
		return done()
	}}
}
