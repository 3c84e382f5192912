package codec

import (
	"errors"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/internal/fault"
)

func TestFate(t *testing.T) {
	f := Fate{Reason: strings.Repeat("ä", 600), Attempts: 3, From: "c"}
	b := append(AppendFate(nil, f), "value"...)
	got, value, err := CutFate(b)
	if err != nil || string(value) != "value" || len(got.Reason) != 1024 || got.Attempts != 3 || got.From != "c" {
		t.Errorf("%+v %q %v", got, value, err)
	}
	head := AppendFate(nil, Fate{Reason: "r", Attempts: 1, From: "f"})
	for n := range head {
		if _, _, err := CutFate(head[:n]); !errors.Is(err, fault.ErrTypeMismatch) {
			t.Errorf("%d bytes of a head: %v", n, err)
		}
	}
	if _, _, err := CutFate([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}); err == nil {
		t.Error("attempts beyond counting")
	}
}

// FuzzFate: any bytes are a dead letter or an error, and one that was read is
// written as the same bytes.
func FuzzFate(f *testing.F) {
	f.Add(append(AppendFate(nil, Fate{"why", 2, "orders"}), "value"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		fate, value, err := CutFate(b)
		if err != nil {
			return
		}
		if again := append(AppendFate(nil, fate), value...); string(again) != string(b) {
			t.Fatalf("%q reads as %+v and is written as %q", b, fate, again)
		}
	})
}
