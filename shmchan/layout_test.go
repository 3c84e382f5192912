package shmchan

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
)

// quote is of fixed layout, with padding.
type quote struct {
	Name  [8]byte
	Firm  bool
	Price float64
	Sizes [3]uint32
}

// swapped has the fields of a quote in another order, renamed those of one by another name.
type (
	swapped struct {
		Firm  bool
		Name  [8]byte
		Price float64
		Sizes [3]uint32
	}
	renamed struct {
		Name   [8]byte
		Firm   bool
		Amount float64
		Sizes  [3]uint32
	}
)

func quoteOf(i int) quote {
	return quote{Name: [8]byte{byte(i), 'q'}, Firm: i%2 == 0, Price: float64(i) / 8, Sizes: [3]uint32{uint32(i), 2, 1 << 31}}
}

func init() {
	// quoter sends quotes.
	roles["quoter"] = func(url string) {
		out, err := handoff.OpenSender[quote](context.Background(), url)
		must(err)
		for i := range 100 {
			must(out.Send(context.Background(), quoteOf(i)))
		}
		must(out.Close())
	}
	// other layouts cannot open a channel of quotes, and say which of them could not and why.
	roles["stranger"] = func(url string) {
		ctx := context.Background()
		_, err := handoff.Open[swapped](ctx, url)
		mismatch(err, "Firm@0")
		_, err = handoff.Open[renamed](ctx, url)
		mismatch(err, "Amount@")
		_, err = handoff.Open[[40]byte](ctx, url)
		mismatch(err, "[40]uint8")
		_, err = handoff.Open[string](ctx, url)
		mismatch(err, "raw:string")
		_, err = handoff.Open[struct{ Next *quote }](ctx, url)
		mismatch(err, "json")
	}
}

// priceAt is where the price of a quote is: on 32 bits it begins at a multiple of 4.
func priceAt() string {
	f, _ := reflect.TypeFor[quote]().FieldByName("Price")
	return fmt.Sprintf("Price@%d float64", f.Offset)
}

// mismatch ends a child unless err says that the types differ, naming both.
func mismatch(err error, has string) {
	if !errors.Is(err, handoff.ErrTypeMismatch) || !strings.Contains(err.Error(), has) || !strings.Contains(err.Error(), priceAt()) {
		must(fmt.Errorf("opened with %v, want ErrTypeMismatch with %s and the layout there is", err, has))
	}
}

// TestFixedLayout: a struct of fixed layout travels as its memory, to another process that has the same one; any other
// is refused when it is opened.
func TestFixedLayout(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	in, err := handoff.Open[quote](ctx, fresh(t)+"?slots=4096")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Detach()
	child(t, "stranger", fresh(t))
	child(t, "quoter", fresh(t))
	n := 0
	for q, err := range in.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if q != quoteOf(n) {
			t.Fatalf("quote %d arrived as %+v", n, q)
		}
		n++
	}
	if n != 100 {
		t.Errorf("%d quotes arrived, want 100", n)
	}
	l, err := find(t, fresh(t))
	if err != nil || !strings.HasPrefix(l.Type, fmt.Sprintf("mem:le:%d:{Name@0 [8]uint8,Firm@8 bool,%s", reflect.TypeFor[quote]().Size(), priceAt())) {
		t.Errorf("its type is %q, %v: not the memory", l.Type, err)
	}
}

// TestPointersTravelEncoded, as their memory means nothing elsewhere; what cannot be encoded either is refused by name.
func TestPointersTravelEncoded(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	type node struct{ Next *quote }
	ch, err := handoff.Open[node](ctx, fresh(t)+"?slots=1")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	q := quoteOf(3)
	if err := ch.Send(ctx, node{&q}); err != nil {
		t.Fatal(err)
	}
	if got, err := ch.Recv(ctx); err != nil || got.Next == &q || *got.Next != q {
		t.Errorf("received %+v, %v", got, err)
	}
	type bad struct{ Tell chan int }
	if _, err := handoff.Open[bad](ctx, fresh(t)+"-bad"); !errors.Is(err, driver.ErrUnsupported) || !strings.Contains(err.Error(), "Tell") {
		t.Errorf("a channel of channels: %v, want ErrUnsupported that names Tell", err)
	}
}
