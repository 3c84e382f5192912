package house

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/handoff-go/handoff"
)

// program is a few statements that see the names of preamble.
type program struct {
	name string
	code string
	want string // part of the compiler's complaint; "" if it must compile
}

// preamble declares what the programs use: a channel, its two ends, a context
// and a delivery.
const preamble = `package main

import (
	"context"

	"` + ours + `"
)

type (
	both = handoff.Chan[int]
	out  = handoff.Sender[int]
	in   = handoff.Receiver[int]
)

func program(ctx context.Context, ch both, s out, r in, d handoff.Delivery[int]) {
	_, _, _, _, _ = ctx, ch, s, r, d
	%s
}

func main() {}
`

// mustCompile are the positive controls: each is the lawful twin of something
// below, so that a refusal there is not for a wrong reason.
var mustCompile = []program{
	{name: "ends by field", code: `s = ch.Sender; r = ch.Receiver`},
	{name: "all of a channel", code: `ch.Send(ctx, 1); ch.Recv(ctx); ch.Close(); ch.Stop("enough"); ch.Detach(); _ = ch.Len() + ch.Cap()`},
	{name: "a sender sends and closes", code: `s.Send(ctx, 1); s.TrySend(1); s.SendAll(ctx, []int{1}); s.Close(); s.OnSend(1, nil); s.OnStop(nil)`},
	{name: "a receiver receives and stops", code: `r.Recv(ctx); r.TryRecv(); r.RecvInto(ctx, nil); r.Take(ctx); r.Stop("enough"); r.OnRecv(nil); r.OnTake(nil)`},
	{name: "both ends detach and count", code: `s.Detach(); r.Detach(); _ = s.Len() + r.Len() + s.Cap() + r.Cap(); _ = s.Name() + r.Name()`},
	{name: "ends compare", code: `_ = ch == (both{}); _ = s == ch.Sender; _ = r == ch.Receiver; m := map[both]bool{}; m[ch] = true`},
	{name: "zero values", code: `var c both; var o out; var i in; _, _, _ = c, o, i`},
	{name: "all as a loop", code: `for v, err := range r.All(ctx) { _, _ = v, err }; for d, err := range r.Deliveries(ctx) { _, _ = d.Done(), err }`},
	{name: "settling", code: `d.Done(); d.Return(); d.ReturnAfter(1); d.Reject("no"); d.Extend(1); _ = d.Value + d.Attempt`},
	{name: "both ends put together again", code: `_ = both{Sender: s, Receiver: r}`},
	{name: "a select of mixed cases", code: `handoff.Select(ctx, s.OnSend(1, nil), r.OnRecv(func(v int, ok bool) {}), handoff.OnNative(make(chan string), nil), handoff.Default(nil))`},
	{name: "any type travels in a process", code: `handoff.Make[func()](0); handoff.Make[chan int](1); handoff.Make[handoff.Chan[int]](1)`},
}

// mustNotCompile is what the types keep apart.
var mustNotCompile = []program{
	{"receive on a sender", `s.Recv(ctx)`, "has no field or method Recv"},
	{"try to receive on a sender", `s.TryRecv()`, "has no field or method TryRecv"},
	{"receive many on a sender", `s.RecvInto(ctx, nil)`, "has no field or method RecvInto"},
	{"take on a sender", `s.Take(ctx)`, "has no field or method Take"},
	{"take many on a sender", `s.TakeInto(ctx, nil)`, "has no field or method TakeInto"},
	{"range over a sender", `for range s.All(ctx) {}`, "has no field or method All"},
	{"deliveries of a sender", `s.Deliveries(ctx)`, "has no field or method Deliveries"},
	{"receive case on a sender", `s.OnRecv(nil)`, "has no field or method OnRecv"},
	{"take case on a sender", `s.OnTake(nil)`, "has no field or method OnTake"},
	{"a sender stops itself", `s.Stop("no")`, "has no field or method Stop"},

	{"send on a receiver", `r.Send(ctx, 1)`, "has no field or method Send"},
	{"try to send on a receiver", `r.TrySend(1)`, "has no field or method TrySend"},
	{"send many on a receiver", `r.SendAll(ctx, nil)`, "has no field or method SendAll"},
	{"close a receiver", `r.Close()`, "has no field or method Close"},
	{"send case on a receiver", `r.OnSend(1, nil)`, "has no field or method OnSend"},
	{"send case by variable on a receiver", `r.OnSendVar(nil, nil)`, "has no field or method OnSendVar"},
	{"stop case on a receiver", `r.OnStop(nil)`, "has no field or method OnStop"},

	{"a sender has no receiver", `_ = s.Receiver`, "has no field or method Receiver"},
	{"a receiver has no sender", `_ = r.Sender`, "has no field or method Sender"},
	{"the inside of a sender", `_ = s.s`, "s.s undefined"},
	{"the inside of a receiver", `_ = r.r`, "r.r undefined"},
	{"a sender assigned to a receiver", `r = s`, "cannot use s"},
	{"a receiver assigned to a sender", `s = r`, "cannot use r"},
	{"a channel assigned to a receiver", `r = ch`, "cannot use ch"},
	{"a channel assigned to a sender", `s = ch`, "cannot use ch"},
	{"a sender assigned to a channel", `ch = s`, "cannot use s"},
	{"a receiver assigned to a channel", `ch = r`, "cannot use r"},
	{"a sender converted to a receiver", `_ = in(s)`, "cannot convert s"},
	{"a receiver converted to a sender", `_ = out(r)`, "cannot convert r"},
	{"a sender converted to a channel", `_ = both(s)`, "cannot convert s"},
	{"a receiver converted to a channel", `_ = both(r)`, "cannot convert r"},
	{"a channel out of a sender alone", `_ = both{s}`, "too few values"},
	{"a channel out of a receiver alone", `_ = both{r}`, "cannot use r"},
	{"a channel out of a sender twice", `_ = both{s, s}`, "cannot use s"},
	{"a channel out of a sender as its receiver", `_ = both{Sender: s, Receiver: s}`, "cannot use s"},
	{"a receiver made by hand", `_ = in{nil}`, "unexported field"},
	{"a sender made by hand", `_ = out{nil}`, "unexported field"},
	{"a sender compared with a receiver", `_ = s == r`, "mismatched types"},

	{"another type sent", `s.Send(ctx, "text")`, "cannot use \"text\""},
	{"another type's channel", `var o handoff.Sender[int64] = s; _ = o`, "cannot use s"},
	{"an end converted to another type's", `_ = handoff.Sender[int64](s)`, "cannot convert s"},
	{"a native send", `s <- 1`, "cannot send to non-channel"},
	{"a native receive", `<-r`, "cannot receive from non-channel"},
	{"a loop over the channel itself", `for range ch {}`, "cannot range over ch"},
	{"the built-in close", `close(s)`, "cannot close non-channel"},
	{"a case made by hand", `_ = handoff.Case{1}`, "unexported field"},
	{"a native receive case on a send-only channel", `handoff.OnNative(make(chan<- int), nil)`, "cannot use make(chan<- int)"},
	{"a native send case on a receive-only channel", `handoff.OnNativeSend(make(<-chan int), 1, nil)`, "cannot use make(<-chan int)"},
	{"the sending end of a delivery", `d.Send(ctx, 1)`, "has no field or method Send"},
}

func TestMustCompile(t *testing.T) {
	imp := builtPackages(t)
	for _, p := range mustCompile {
		if errs := check(imp, p); len(errs) > 0 {
			t.Errorf("%s: must compile, but: %v\n\t%s", p.name, errs, p.code)
		}
	}
}

func TestMustNotCompile(t *testing.T) {
	imp := builtPackages(t)
	for _, p := range mustNotCompile {
		errs := check(imp, p)
		if len(errs) == 0 {
			t.Errorf("%s: compiles, but must not\n\t%s", p.name, p.code)
			continue
		}
		if all := errors.Join(errs...).Error(); !strings.Contains(all, p.want) {
			t.Errorf("%s: refused for another reason than %q: %v\n\t%s", p.name, p.want, all, p.code)
		}
	}
}

// check type-checks p and returns the complaints.
func check(imp types.Importer, p program) (errs []error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "program.go", fmt.Sprintf(preamble, p.code), parser.SkipObjectResolution)
	if err != nil {
		return []error{err}
	}
	conf := types.Config{Importer: imp, Error: func(err error) { errs = append(errs, err) }}
	conf.Check("main", fset, []*ast.File{f}, nil)
	return errs
}

// builtPackages imports what the go command compiles, so that the programs are
// checked against the package as it is built.
func builtPackages(t *testing.T) types.Importer {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}", ours)
	cmd.Dir = top
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, where, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[name] = where
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(name string) (io.ReadCloser, error) {
		where, ok := exports[name]
		if !ok {
			return nil, fmt.Errorf("%s is not among the dependencies of the root package", name)
		}
		return os.Open(where)
	})
}

// What the two ends have in common is what neither sends nor receives; a method
// added to both by mistake shows here, and in the table above.
func TestTheEndsShareOnlyWhatNeitherOwns(t *testing.T) {
	shared := []string{"Cap", "Detach", "Len", "Name", "Stats"}
	var common []string
	s, r := reflect.TypeFor[handoff.Sender[int]](), reflect.TypeFor[handoff.Receiver[int]]()
	for i := range s.NumMethod() {
		if _, both := r.MethodByName(s.Method(i).Name); both {
			common = append(common, s.Method(i).Name)
		}
	}
	if !slices.Equal(common, shared) {
		t.Errorf("Sender and Receiver share %v, want %v", common, shared)
	}
	all := reflect.TypeFor[handoff.Chan[int]]()
	if got, want := all.NumMethod(), s.NumMethod()+r.NumMethod()-len(shared); got != want {
		t.Errorf("Chan has %d methods, want the %d of its ends", got, want)
	}
}
