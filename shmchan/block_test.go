package shmchan

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
)

func init() {
	// checker takes blocks, and sends back the checksum of each, read in place.
	roles["checker"] = func(url string) {
		in, err := handoff.OpenReceiver[[]byte](context.Background(), url)
		must(err)
		out, err := handoff.OpenSender[uint32](context.Background(), url+"-sums?slots=4")
		must(err)
		go func() {
			for {
				b, err := in.TakeBlock(context.Background())
				must(err)
				must(out.Send(context.Background(), crc32.ChecksumIEEE(b.Bytes())))
				must(b.Release())
			}
		}()
	}
	// keeper takes one block, borrows all others there are, and keeps them.
	roles["block keeper"] = func(url string) {
		ch, err := handoff.Open[[]byte](context.Background(), url)
		must(err)
		_, err = ch.TakeBlock(context.Background())
		must(err)
		for err == nil {
			_, err = ch.Borrow(context.Background(), 1<<20)
		}
		if !errors.Is(err, handoff.ErrFull) {
			must(err)
		}
	}
}

func openBlocks(t testing.TB, url string) (context.Context, handoff.Chan[[]byte]) {
	t.Helper()
	return opened[[]byte](t, patience, url)
}

func borrow(t testing.TB, ch handoff.Chan[[]byte], n int, fill byte) handoff.Block {
	t.Helper()
	b, err := ch.Borrow(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	mem := b.Bytes()
	if len(mem) != n {
		t.Fatalf("a block of %d bytes, want %d", len(mem), n)
	}
	for i := range mem {
		mem[i] = fill
	}
	return b
}

// TestBlockMoves: what the receiver reads is the memory that the sender has filled, of any size; and it comes
// as any value where it is received plainly.
func TestBlockMoves(t *testing.T) {
	ctx, ch := openBlocks(t, fresh(t)+"?slots=2&maxvalue=4194304")
	for _, n := range []int{0, 1, 64, 128, 129, 4096, 4097, 4 << 20} {
		b := borrow(t, ch, n, byte(n+1))
		was := b.Bytes()
		if err := ch.SendBlock(ctx, b); err != nil {
			t.Fatal(err)
		}
		got, err := ch.TakeBlock(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if mem := got.Bytes(); len(mem) != n || n > 0 && &mem[0] != &was[0] {
			t.Errorf("%d bytes were copied, or are %d", n, len(mem))
		}
		if err := got.Return(); err != nil {
			t.Fatal(err)
		}
		if v, err := ch.Recv(ctx); err != nil || !bytes.Equal(v, bytes.Repeat([]byte{byte(n + 1)}, n)) {
			t.Errorf("received %d bytes, %v, want the %d that were sent", len(v), err, n)
		}
	}
	if st := ch.Stats(); st.Len+st.Held != 0 {
		t.Errorf("left over: %+v", st)
	}
}

// TestBlockComesBack: a block that did not leave is its sender's as it was, and can be sent again.
func TestBlockComesBack(t *testing.T) {
	ctx, ch := openBlocks(t, fresh(t)+"?slots=0")
	b := borrow(t, ch, 5000, 7)
	mine := func(after string) {
		t.Helper()
		if mem := b.Bytes(); len(mem) != 5000 || mem[0] != 7 || mem[4999] != 7 {
			t.Fatalf("after %s the block is %d bytes, want it as it was", after, len(mem))
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	sent := make(chan error)
	send := func(ctx context.Context) {
		go func() { sent <- ch.SendBlock(ctx, b) }()
		for ch.Stats().SendersWaiting == 0 {
		}
	}
	send(cancelled)
	if b.Bytes() != nil {
		t.Error("a block that is being sent is the sender's still")
	}
	if err := ch.SendBlock(ctx, b); !errors.Is(err, handoff.ErrSettled) {
		t.Errorf("sent twice at once: %v", err)
	}
	cancel()
	if err := <-sent; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	mine("a cancel")

	send(ctx)
	d, err := ch.Take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	d.Reject("no")
	if err := <-sent; !errors.Is(err, handoff.ErrRejected) || handoff.Reason(err) != "no" {
		t.Fatal(err)
	}
	mine("a rejection")

	send(ctx)
	got, err := ch.TakeBlock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ch.Close()
	if err := got.Return(); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; !errors.Is(err, handoff.ErrClosed) {
		t.Fatal(err)
	}
	mine("a return after close")
	if err := ch.SendBlock(ctx, b); !errors.Is(err, handoff.ErrClosed) {
		t.Fatal(err)
	}
	mine("a send on a closed channel")
	if err := b.Release(); err != nil {
		t.Error(err)
	}
}

// TestBlockMisuse: a block that is spent is refused, whatever is done with it.
func TestBlockMisuse(t *testing.T) {
	ctx, ch := openBlocks(t, fresh(t)+"?slots=4")
	_, other := openBlocks(t, fresh(t))
	spent := func(what string, b handoff.Block) {
		t.Helper()
		if mem := b.Bytes(); mem != nil {
			t.Errorf("%s: %d bytes can be touched", what, len(mem))
		}
		for name, err := range map[string]error{"SendBlock": ch.SendBlock(ctx, b), "Release": b.Release(), "Return": b.Return()} {
			if !errors.Is(err, handoff.ErrSettled) {
				t.Errorf("%s: %s returned %v, want ErrSettled", what, name, err)
			}
		}
	}
	spent("the zero block", handoff.Block{})
	sent := borrow(t, ch, 64, 1)
	if err := ch.SendBlock(ctx, sent); err != nil {
		t.Fatal(err)
	}
	spent("sent", sent)
	taken, err := ch.TakeBlock(ctx)
	if err != nil || taken.Attempt != 1 {
		t.Fatal(err, taken.Attempt)
	}
	if err := ch.SendBlock(ctx, taken); !errors.Is(err, handoff.ErrSettled) {
		t.Errorf("what was taken was sent: %v", err)
	}
	if err := taken.Release(); err != nil {
		t.Fatal(err)
	}
	spent("taken and released", taken)
	spent("sent, and used again by others", sent)
	given := borrow(t, ch, 64, 1)
	if err := other.SendBlock(ctx, given); !errors.Is(err, handoff.ErrSettled) {
		t.Errorf("sent by another attachment: %v", err)
	}
	if err := given.Return(); !errors.Is(err, handoff.ErrSettled) {
		t.Errorf("a borrowed block was returned to a place it never had: %v", err)
	}
	if err := given.Release(); err != nil {
		t.Fatal(err)
	}
	spent("given back", given)
	again := borrow(t, ch, 64, 2) // the same memory
	spent("given back, and lent again", given)
	ch.Detach()
	if mem := again.Bytes(); mem != nil {
		t.Error("a block can be touched after Detach")
	}
	if err := again.Release(); !errors.Is(err, handoff.ErrSettled) {
		t.Errorf("released after Detach: %v", err)
	}
}

// TestBlockRefused: what cannot be lent is refused, by name.
func TestBlockRefused(t *testing.T) {
	ctx, ch := openBlocks(t, fresh(t)+"?slots=4&pool=65536&maxvalue=65536")
	for n, want := range map[int]error{-1: driver.ErrConflict, 65537: driver.ErrTooLarge} {
		if _, err := ch.Borrow(ctx, n); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v, want %v", n, err, want)
		}
	}
	b := borrow(t, ch, 65536, 1)
	if _, err := ch.Borrow(ctx, 4096); !errors.Is(err, handoff.ErrFull) {
		t.Errorf("more than there is: %v, want ErrFull", err)
	}
	headed := handoff.WithHeader(ctx, "a", "b")
	if err := ch.SendBlock(headed, b); !errors.Is(err, driver.ErrUnsupported) {
		t.Errorf("with a header: %v", err)
	}
	if err := b.Release(); err != nil {
		t.Error(err)
	}
	ended, stop := context.WithCancel(ctx)
	stop()
	if _, err := ch.Borrow(ended, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	numbers, err := handoff.Open[int](ctx, fresh(t)+"-numbers?slots=1")
	if err != nil {
		t.Fatal(err)
	}
	defer numbers.Detach()
	if _, err := numbers.Borrow(ctx, 8); !errors.Is(err, driver.ErrUnsupported) {
		t.Errorf("of a channel of int: %v", err)
	}
	if _, err := handoff.Make[[]byte](1).Borrow(ctx, 8); !errors.Is(err, driver.ErrUnsupported) {
		t.Errorf("in this process: %v", err)
	}
}

// TestBlockAllocatesNothing, and costs as much as another one, however large it is; BenchmarkBlock says how much.
func TestBlockAllocatesNothing(t *testing.T) {
	ctx, ch := openBlocks(t, fresh(t)+"?slots=2&maxvalue=4194304")
	for _, n := range []int{64, 4 << 20} {
		cycle := func() { blockCycle(t, ctx, ch, n) }
		cycle()
		if allocs := testing.AllocsPerRun(100, cycle); allocs != 0 {
			t.Errorf("%d bytes: %v allocations", n, allocs)
		}
	}
}

// blockCycle lends, sends, takes and releases a block, and touches its first byte.
func blockCycle(t testing.TB, ctx context.Context, ch handoff.Chan[[]byte], n int) {
	b, err := ch.Borrow(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	b.Bytes()[0]++
	if err := ch.SendBlock(ctx, b); err != nil {
		t.Fatal(err)
	}
	got, err := ch.TakeBlock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Bytes()[0]
	if err := got.Release(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkBlock(b *testing.B) {
	for name, n := range map[string]int{"64 B": 64, "4 MiB": 4 << 20} {
		b.Run(name, func(b *testing.B) {
			ctx, ch := openBlocks(b, fresh(b)+"?slots=2&maxvalue=4194304")
			b.ReportAllocs()
			for b.Loop() {
				blockCycle(b, ctx, ch, n)
			}
		})
	}
}

// TestBlockCrosses: another process reads in place what this one has filled in place.
func TestBlockCrosses(t *testing.T) {
	ctx, ch := openBlocks(t, fresh(t)+"?slots=2&maxvalue=4194304")
	child(t, "checker", fresh(t))
	sums, err := handoff.OpenReceiver[uint32](ctx, fresh(t)+"-sums?slots=4")
	if err != nil {
		t.Fatal(err)
	}
	defer sums.Detach()
	for i, n := range []int{0, 100, 5000, 4 << 20, 1 << 20} {
		b := borrow(t, ch, n, byte(i))
		want := crc32.ChecksumIEEE(b.Bytes())
		if err := ch.SendBlock(ctx, b); err != nil {
			t.Fatal(err)
		}
		if got, err := sums.Recv(ctx); err != nil || got != want {
			t.Errorf("%d bytes arrived with the sum %x, %v, want %x", n, got, err, want)
		}
	}
}

// TestBlockKeeperDies: what a killed process had taken comes again, and what it had borrowed is free.
func TestBlockKeeperDies(t *testing.T) {
	ctx, ch := openBlocks(t, fresh(t)+"?slots=2&pool=8388608")
	if err := ch.SendBlock(ctx, borrow(t, ch, 1<<20, 9)); err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "block keeper", fresh(t))
	if _, err := ch.Borrow(ctx, 1<<20); !errors.Is(err, handoff.ErrFull) {
		t.Fatalf("another process has all blocks, and one more is lent: %v", err)
	}
	kill(t, cmd)
	got, err := ch.TakeBlock(ctx)
	if err != nil || got.Attempt != 2 {
		t.Fatalf("attempt %d, %v, want the second", got.Attempt, err)
	}
	if mem := got.Bytes(); len(mem) != 1<<20 || mem[0] != 9 || mem[len(mem)-1] != 9 {
		t.Errorf("%d bytes, want what was sent", len(mem))
	}
	for n := 0; n < 7; {
		if _, err := ch.Borrow(ctx, 1<<20); err == nil {
			n++
		} else if ctx.Err() != nil || !errors.Is(err, handoff.ErrFull) {
			t.Fatalf("after %d blocks: %v", n, err)
		}
	}
}
