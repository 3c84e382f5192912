package closing

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/handoff-go/handoff"
)

// OneWay gives each side the end it needs: one can send and close, the other
// receive.
//
// As printed it is right. Its snippet of a close that is not allowed is allowed,
// though: it closes a send-only channel, and only a receive-only one cannot be
// closed. Here it is the same: Close is a method of the Sender.
func OneWay(w io.Writer) {
	c := handoff.Make[int](0)
	var both sync.WaitGroup
	both.Go(func() { count(c.Sender, 3) })
	both.Go(func() { show(c.Receiver, w) })
	both.Wait()
}

// count cannot receive what it has sent: out has no such method.
func count(out handoff.Sender[int], n int) {
	defer out.Close()
	for i := range n {
		out.Send(context.Background(), i)
	}
}

// show can neither send nor close, and in cannot be turned back into a channel.
func show(in handoff.Receiver[int], w io.Writer) {
	for v := range in.All(context.Background()) {
		fmt.Fprintln(w, v)
	}
}
