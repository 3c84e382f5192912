package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/badline"
	_ "github.com/handoff-go/handoff/netchan"
)

// The sample of the README: a worker that confirms what it has finished.
func Example() {
	ctx := context.Background()
	words := handoff.Make[string](2) // like make(chan string, 2)
	sizes := handoff.Make[int](0)    // a rendezvous

	go func(words handoff.Sender[string]) { // can send and close, and nothing else
		words.SendAll(ctx, []string{"one", "three", "eleven"})
		words.Close()
	}(words.Sender)

	go func() {
		for d, err := range words.Deliveries(ctx) { // taken, and held until it is settled
			if err != nil {
				return
			}
			if sizes.Send(ctx, len(d.Value)) != nil {
				d.Return() // another receiver gets it, with its attempt raised
				continue
			}
			d.Done() // confirmed: its slot is free
		}
		sizes.Close()
	}()

	for n, err := range sizes.All(ctx) {
		fmt.Println(n, err)
	}
	// Output:
	// 3 <nil>
	// 5 <nil>
	// 6 <nil>
}

func ExampleMake() {
	ch := handoff.Make[int](2)
	for i := range 3 {
		ok, err := ch.TrySend(i)
		fmt.Println("send", i, ok, err)
	}
	ch.Close()
	for range 3 {
		v, err := ch.Recv(nil) // nil is context.Background()
		fmt.Println(v, err)
	}
	// A send on a closed channel is an error, and the value stays here.
	fmt.Println(errors.Is(ch.Send(nil, 3), handoff.ErrClosed))
	// Output:
	// send 0 true <nil>
	// send 1 true <nil>
	// send 2 false <nil>
	// 0 <nil>
	// 1 <nil>
	// 0 handoff: recv: channel is closed
	// true
}

func ExampleOpen() {
	ctx := context.Background()
	orders, err := handoff.Open[string](ctx, "mem:orders?slots=4")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer orders.Detach()

	// Somewhere else in the same program: the same name is the same channel.
	inbox, err := handoff.OpenReceiver[string](ctx, "mem:orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer inbox.Detach()

	orders.Send(ctx, "tea")
	fmt.Println(inbox.Recv(ctx))

	_, err = handoff.Open[int](ctx, "mem:orders")
	fmt.Println(errors.Is(err, handoff.ErrTypeMismatch))
	_, err = handoff.Open[string](ctx, "mem:orders?slots=5")
	fmt.Println(errors.Is(err, handoff.ErrConflict))
	// Output:
	// tea <nil>
	// true
	// true
}

func ExampleSelect() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	work := handoff.Make[string](1)
	quit := make(chan struct{}) // one of Go's own
	work.Send(ctx, "a value")

	onWork := work.OnRecv(func(v string, ok bool) { fmt.Println("received", v, ok) })
	onQuit := handoff.OnNative(quit, func(struct{}, bool) { fmt.Println("quit") })
	for range 3 {
		i, err := handoff.Select(ctx, onWork, onQuit,
			handoff.Default(func() { fmt.Println("nothing is ready"); close(quit) }))
		fmt.Println("case", i, err)
	}
	// Output:
	// received a value true
	// case 0 <nil>
	// nothing is ready
	// case 2 <nil>
	// quit
	// case 1 <nil>
}

func ExampleSelectFirst() {
	urgent, usual := handoff.Make[int](1), handoff.Make[int](1)
	urgent.Send(nil, 1)
	usual.Send(nil, 2)
	show := func(v int, ok bool) { fmt.Println(v) }
	for range 2 {
		handoff.SelectFirst(nil, urgent.OnRecv(show), usual.OnRecv(show))
	}
	// Output:
	// 1
	// 2
}

func ExampleReceiver_Take() {
	ctx := context.Background()
	ch := handoff.Make[string](1)
	ch.Send(ctx, "letter")

	d, _ := ch.Take(ctx)
	fmt.Println(d.Value, "attempt", d.Attempt)
	ok, _ := ch.TrySend("parcel")
	fmt.Println("room while it is held:", ok)

	d.Return() // not for me: it goes back to its place
	d, _ = ch.Take(ctx)
	fmt.Println(d.Value, "attempt", d.Attempt)

	fmt.Println(d.Done())
	fmt.Println(d.Done()) // settled once
	ok, _ = ch.TrySend("parcel")
	fmt.Println("room after Done:", ok)
	// Output:
	// letter attempt 1
	// room while it is held: false
	// letter attempt 2
	// <nil>
	// handoff: done: delivery already settled
	// room after Done: true
}

// A send on a channel without slots waits until the value is confirmed, so that
// its error says what became of it.
func ExampleDelivery_Reject() {
	ch := handoff.Make[int](0, handoff.Name("ages"))
	go func() {
		for d, err := range ch.Deliveries(nil) {
			switch {
			case err != nil:
				return
			case d.Value < 0:
				d.Reject("not an age")
			default:
				d.Done()
			}
		}
	}()
	for _, age := range []int{7, -1} {
		err := ch.Send(nil, age)
		fmt.Println(age, errors.Is(err, handoff.ErrRejected), err)
		if why := handoff.Reason(err); why != "" {
			fmt.Println("because:", why)
		}
	}
	ch.Close()
	// Output:
	// 7 false <nil>
	// -1 true handoff: send ages: value rejected by its receiver: not an age
	// because: not an age
}

func ExampleReceiver_Deliveries() {
	ch := handoff.Make[string](3)
	ch.SendAll(nil, []string{"a", "b", "c"})
	ch.Close()
	for d, err := range ch.Deliveries(nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if d.Value == "a" && d.Attempt == 1 {
			d.Return() // the loop does not end before a was confirmed
			continue
		}
		fmt.Println(d.Value, d.Attempt)
		d.Done()
	}
	// Output:
	// a 2
	// b 1
	// c 1
}

func ExampleSender_SendAll() {
	ctx := context.Background()
	ch := handoff.Make[int](4)
	n, err := ch.SendAll(ctx, []int{1, 2, 3})
	fmt.Println(n, err)

	buf := make([]int, 8)
	n, err = ch.RecvInto(ctx, buf) // waits for the first value only
	fmt.Println(buf[:n], err)

	// Six values, four slots: who gives up knows how many left custody.
	soon, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	n, err = ch.SendAll(soon, []int{1, 2, 3, 4, 5, 6})
	fmt.Println(n, errors.Is(err, context.DeadlineExceeded))
	// Output:
	// 3 <nil>
	// [1 2 3] <nil>
	// 4 true
}

// A receiver that has enough asks the senders to end. It cannot close the
// channel: that is the senders' last message.
func ExampleReceiver_Stop() {
	ctx := context.Background()
	numbers := handoff.Make[int](0)
	go func(numbers handoff.Sender[int]) {
		defer numbers.Close()
		for i, stopped := 0, false; !stopped; i++ {
			handoff.SelectFirst(ctx,
				numbers.OnStop(func(reason string) { fmt.Println("asked to end:", reason); stopped = true }),
				numbers.OnSend(i, nil),
			)
		}
	}(numbers.Sender)

	for range 3 {
		fmt.Println(numbers.Recv(ctx))
	}
	numbers.Stop("three will do")
	_, err := numbers.Recv(ctx)
	fmt.Println(errors.Is(err, handoff.ErrClosed))
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 2 <nil>
	// asked to end: three will do
	// true
}

// In a loop a Selector chooses again and again without an allocation.
func ExampleSelector() {
	ctx := context.Background()
	in, out := handoff.Make[int](4), handoff.Make[int](4)
	in.SendAll(ctx, []int{3, 4, 5})
	in.Close()

	var queue []int
	var next int // the operand of the send, read when a turn begins
	s := handoff.NewSelector(
		out.OnSendVar(&next, func() { queue = queue[1:] }),
		in.OnRecv(func(v int, ok bool) {
			if ok {
				queue = append(queue, v*v)
			} else {
				in = handoff.Chan[int]{}
			}
		}),
	)
	for in != (handoff.Chan[int]{}) || len(queue) > 0 {
		s.Enable(0, len(queue) > 0)
		s.Enable(1, in != handoff.Chan[int]{})
		if len(queue) > 0 {
			next = queue[0]
		}
		if _, err := s.Select(ctx); err != nil {
			fmt.Println(err)
			return
		}
	}
	out.Close()
	for v := range out.All(ctx) {
		fmt.Println(v)
	}
	// Output:
	// 9
	// 16
	// 25
}

// What nobody can handle goes to the dead letter: here after two attempts.
func ExampleDeadLetter() {
	ctx := context.Background()
	dead, err := handoff.Open[handoff.Dead[string]](ctx, "mem:undelivered?slots=8")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dead.Detach()
	ch := handoff.Make[string](1, handoff.Name("letters"),
		handoff.DeadLetter("mem:undelivered"), handoff.MaxAttempts(2))

	ch.Send(ctx, "no such street")
	for range 2 {
		d, _ := ch.Take(ctx)
		fmt.Println("attempt", d.Attempt, d.Return())
	}
	d, _ := dead.Recv(ctx)
	fmt.Printf("%+v\n", d)
	// Output:
	// attempt 1 <nil>
	// attempt 2 <nil>
	// {Value:no such street Reason:attempts exhausted Attempts:2 From:letters}
}

// Events tell what no return value can: here the loss of a value that was
// rejected with no dead letter to take it.
func ExampleEvents() {
	stop := handoff.Events(func(e handoff.Event) {
		if e.Channel == "letters" {
			fmt.Println(e.Kind, e.Op, e.Reason)
		}
	})
	defer stop()
	ch := handoff.Make[string](1, handoff.Name("letters"))
	ch.Send(nil, "torn")
	d, _ := ch.Take(nil)
	d.Reject("cannot be read")
	// Output:
	// rejected reject cannot be read
	// dropped reject cannot be read
}

// A home is asked what became of a send whose answer was lost.
func ExampleOutcome() {
	ctx := context.Background()
	l, err := hub.ListenTCP("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	home := hub.New(hub.Options{})
	go home.Serve(l)
	defer home.Close(ctx)
	line, err := badline.New(l.Addr().String(), badline.Never) // a network that fails when it is told to
	if err != nil {
		fmt.Println(err)
		return
	}
	defer line.Close()

	inbox, err := handoff.OpenReceiver[string](ctx, "tcp://"+l.Addr().String()+"/orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer inbox.Detach()
	orders, err := handoff.OpenSender[string](ctx, "tcp://"+line.Address()+"/orders?resume=100ms")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer orders.Detach()

	line.Mute(badline.Down, true) // the home hears, and is not heard
	go func() {
		fmt.Println(inbox.Recv(ctx))
		line.Cut(true) // for longer than resume=
	}()
	doubt := orders.Send(ctx, "tea")
	fmt.Println("in doubt:", errors.Is(doubt, handoff.ErrInDoubt))

	line.Mute(badline.Down, false)
	line.Up(l.Addr().String()) // the home can be reached again
	switch fate, err := handoff.Outcome(ctx, doubt); {
	case err != nil:
		fmt.Println("nobody knows", err)
	case fate.Err == nil:
		fmt.Println("it was sent: sending it again would double it")
	default:
		fmt.Println("it was not sent, and may be sent again:", fate.Err)
	}
	// Output:
	// tea <nil>
	// in doubt: true
	// it was sent: sending it again would double it
}

func ExampleWithHeader() {
	ch := handoff.Make[string](1)
	ctx := handoff.WithHeader(context.Background(), "trace", "4bf92f")
	ch.Send(ctx, "with a note beside it")
	d, _ := ch.Take(nil)
	fmt.Println(d.Value, d.Header["trace"])
	d.Done()
	// Output: with a note beside it 4bf92f
}

func ExampleSendTimeout() {
	ch := handoff.Make[int](0, handoff.Name("door"), handoff.SendTimeout(time.Millisecond))
	err := ch.Send(nil, 1) // nobody is there
	fmt.Println(err, errors.Is(err, handoff.ErrTimeout))
	// Output: handoff: send door: timed out true
}
