package netchan_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	_ "github.com/handoff-go/handoff/codec/cbor"
	"github.com/handoff-go/handoff/hub"
)

// typed opens a channel of one type with one codec.
type typed struct {
	name string
	as   string // typed with the same as understand each other
	open func(ctx context.Context, url string) (detach func() error, err error)
}

// of is a T that travels as says, with opts.
func of[T any](as string, opts ...handoff.Option) typed {
	return typed{fmt.Sprintf("%T as %s", *new(T), as), as, func(ctx context.Context, url string) (func() error, error) {
		ch, err := handoff.Open[T](ctx, url, opts...)
		return ch.Detach, err
	}}
}

type (
	pair    struct{ X, Y int32 }
	swapped struct{ Y, X int32 }
	renamed struct{ X, Z int32 }
	wider   struct {
		X int32
		Y int64
	}
	alias pair
	text  string
	word  struct{ W string }
)

var everyType = []typed{
	of[[]byte]("raw bytes"),
	of[string]("raw text"), of[text]("raw text"),
	of[int64]("int64"), of[time.Duration]("int64"),
	of[uint64]("uint64"), of[int32]("int32"), of[float64]("float64"), of[[8]byte]("[8]byte"), of[bool]("bool"),
	of[pair]("pair"), of[alias]("pair"), of[swapped]("swapped"), of[renamed]("renamed"), of[wider]("wider"), of[[2]int32]("[2]int32"),
	of[time.Time]("time"), of[netip.Addr]("addr"), of[time.Time]("binary s1", handoff.Schema("s1")),
	of[word]("json"), of[map[string]any]("json"), of[pair]("json", handoff.Codec("json")), of[string]("json", handoff.Codec("json")),
	of[word]("json s1", handoff.Schema("s1")), of[word]("json s2", handoff.Schema("s2")),
	of[word]("cbor", handoff.Codec("cbor")), of[[]byte]("cbor", handoff.Codec("cbor")), of[int64]("cbor", handoff.Codec("cbor")),
	of[[]byte]("json", handoff.Codec("encoded"), handoff.Schema("json")), // a tool's end
	of[handoff.Dead[int64]]("dead int64"), of[handoff.Dead[time.Duration]]("dead int64"), of[handoff.Dead[word]]("dead json"),
	of[word]("cbor s1", handoff.Codec("cbor"), handoff.Schema("s1")),
}

// TestTypesThatCouldMisread: of any two, the second that opens is refused, and
// the first goes on; or they understand each other.
func TestTypesThatCouldMisread(t *testing.T) {
	_, path := serve(t, hub.Options{})
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	for i, first := range everyType {
		for j, second := range everyType {
			at := fmt.Sprintf("unix:%s?chan=%d-%d", path, i, j)
			detach, err := first.open(ctx, at)
			if err != nil {
				t.Fatalf("%s: %v", first.name, err)
			}
			again, err := second.open(ctx, at)
			switch {
			case first.as == second.as && err != nil:
				t.Errorf("%s, then %s: %v", first.name, second.name, err)
			case first.as != second.as && !errors.Is(err, handoff.ErrTypeMismatch):
				t.Errorf("%s, then %s: got %v, want ErrTypeMismatch", first.name, second.name, err)
			case first.as == second.as:
				again()
			}
			if err := detach(); err != nil {
				t.Errorf("%s, after %s came: %v", first.name, second.name, err)
			}
		}
	}
}

// TestContradictions: whoever comes second and wants the channel otherwise is
// refused, by URL as by option.
func TestContradictions(t *testing.T) {
	_, path := serve(t, hub.Options{})
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	const made = "slots=3&maxvalue=1000&maxhold=1m&maxattempts=4"
	at := func(name, query string) string { return "unix:" + path + "?" + name + "&" + query }
	ch, err := handoff.Open[string](ctx, at("chan=jobs", made))
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	for _, c := range []struct {
		url, says string
		opts      []handoff.Option
		want      error
	}{
		{url: at("chan=jobs", made)},
		{url: at("chan=jobs", "")},
		{url: at("chan=jobs", "sendtimeout=1s&optimeout=1s&cancelgrace=1s")}, // each attachment's own
		{url: at("chan=jobs", "slots=4"), says: "slots=3, not 4", want: handoff.ErrConflict},
		{url: at("chan=jobs", "slots=0"), says: "slots=3, not 0", want: handoff.ErrConflict},
		{url: at("chan=jobs", ""), opts: []handoff.Option{handoff.Slots(4)}, says: "slots=3, not 4", want: handoff.ErrConflict},
		{url: at("chan=jobs", "slots=3"), opts: []handoff.Option{handoff.Slots(4)}, says: "slots", want: handoff.ErrConflict},
		{url: at("chan=jobs", "maxvalue=999"), says: "maxvalue=1000, not 999", want: handoff.ErrConflict},
		{url: at("chan=jobs", "maxhold=2m"), says: "maxhold=1m0s, not 2m0s", want: handoff.ErrConflict},
		{url: at("chan=jobs", "maxattempts=5"), says: "maxattempts=4, not 5", want: handoff.ErrConflict},
		{url: at("chan=jobs", "autoclose=true"), says: "autoclose=false, not true", want: handoff.ErrConflict},
		{url: at("chan=jobs", "create=new"), says: "exists already", want: handoff.ErrConflict},
		{url: at("chan=other", "create=no"), want: handoff.ErrNotFound},
		{url: at("chan=jobs", "slots=-1"), says: "negative", want: handoff.ErrConflict},
		{url: at("chan=jobs", "slots=many"), want: handoff.ErrConflict},
		{url: at("chan=jobs", "colour=red"), says: "colour", want: handoff.ErrConflict},
		{url: at("chan=jobs", "chan=other"), says: "chan is said 2 times", want: handoff.ErrConflict},
		{url: at("chan=jobs", "codec=morse"), says: "morse", want: handoff.ErrUnsupported},
	} {
		got, err := handoff.Open[string](ctx, c.url, c.opts...)
		if err == nil {
			got.Detach()
		}
		if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v that says %q", strings.ReplaceAll(c.url, url.PathEscape(path), "…"), err, c.want, c.says)
		}
	}
	if err := errors.Join(ch.Send(ctx, "still there"), ch.Close()); err != nil {
		t.Error(err)
	}
}
