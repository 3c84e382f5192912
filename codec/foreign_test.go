package codec

import (
	"errors"
	"testing"

	"github.com/handoff-go/handoff/internal/fault"
)

// What one codec wrote is what a tool sees, and the other way round, under the
// fingerprint it was told.
func TestEncoded(t *testing.T) {
	typed, err := For[order](Options{Schema: "order"})
	if err != nil {
		t.Fatal(err)
	}
	tool, err := For[[]byte](Options{Format: Encoded, Schema: typed.Fingerprint()})
	if err != nil || tool.Fingerprint() != "json:order" {
		t.Fatalf("%v, %v", tool, err)
	}
	written, err := typed.Append(nil, &order{ID: 7})
	if err != nil {
		t.Fatal(err)
	}
	var seen []byte
	if err := tool.Decode(written, &seen); err != nil || string(seen) != string(written) {
		t.Errorf("%q, %v", seen, err)
	}
	again, err := tool.Append(nil, &seen)
	if err != nil {
		t.Fatal(err)
	}
	var got order
	if err := typed.Decode(again, &got); err != nil || got.ID != 7 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEncodedOpensAnything(t *testing.T) {
	c, err := For[string](Options{Format: Encoded})
	if err != nil || c.Fingerprint() != "" {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := For[order](Options{Format: Encoded}); !errors.Is(err, fault.ErrUnsupported) {
		t.Errorf("a struct that is encoded already: %v", err)
	}
}
