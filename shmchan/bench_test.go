package shmchan

import (
	"context"
	"testing"

	"github.com/handoff-go/handoff"
)

// BenchmarkRoundTrip is a value of 64 bytes to another process and back.
func BenchmarkRoundTrip(b *testing.B) {
	ctx := context.Background()
	out, err := handoff.OpenSender[[64]byte](ctx, fresh(b)+"-there?slots=1")
	if err != nil {
		b.Fatal(err)
	}
	defer out.Detach()
	in, err := handoff.OpenReceiver[[64]byte](ctx, fresh(b)+"-back?slots=1")
	if err != nil {
		b.Fatal(err)
	}
	defer in.Detach()
	child(b, "echo", fresh(b))
	var v [64]byte
	for b.Loop() {
		if err := out.Send(ctx, v); err != nil {
			b.Fatal(err)
		}
		if _, err := in.Recv(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOneWay is a value of 64 bytes from another process.
func BenchmarkOneWay(b *testing.B) {
	for name, batch := range map[string]string{"alone": "1", "batch of 64": "64"} {
		b.Run(name, func(b *testing.B) {
			ctx := context.Background()
			in, err := handoff.OpenReceiver[[64]byte](ctx, fresh(b)+"?slots=1024")
			if err != nil {
				b.Fatal(err)
			}
			defer in.Detach()
			child(b, "source", fresh(b), childEnv+"_BATCH="+batch)
			buf := make([][64]byte, 64)
			n := 0
			for b.Loop() {
				if n > 0 { // an iteration is one value
					n--
					continue
				}
				if batch == "1" {
					_, err = in.Recv(ctx)
				} else if n, err = in.RecvInto(ctx, buf); n > 0 {
					n--
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
