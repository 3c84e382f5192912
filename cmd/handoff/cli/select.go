package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/spf13/cobra"
)

func newSelect(s Streams) *cobra.Command {
	var how selectFlags
	cmd := &cobra.Command{
		Use:   "select URL...",
		Short: "Receive from whichever channel is ready first",
		Long: `Receive from whichever channel is ready first, and write which, and its value.

Exactly one channel gives a value; the others lose nothing. Of several that are
ready any is chosen with equal chance. The channels may be of any homes; with
--try over several, a channel that is always just gone can end it undecided.

A line is the number of the URL (from 1), a tab and the value; with --json it is
an object with index, channel, url, attempt, and the value as JSON, as a string,
or, if it is not UTF-8, as bytes in base64. A channel that is closed and empty
takes part no more.

Exit codes: 0 also when all channels are closed, with -n 0; 3 nothing ready
(--try) or after --timeout; 5 all closed before -n values came.`,
		Example: `  handoff select 'unix:/tmp/shop.sock?chan=orders' 'unix:/tmp/shop.sock?chan=returns'
  handoff select -n 0 --json 'unix:/tmp/shop.sock?chan=a' 'unix:/tmp/shop.sock?chan=b' | jq .value
  handoff select --try 'unix:/tmp/shop.sock?chan=a' 'unix:/tmp/shop.sock?chan=b'`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeURL(-1),
		RunE: runs(func(ctx context.Context, args []string) error {
			if how.most < 0 {
				return usage("--count %d is negative", how.most)
			}
			if err := checkWaiting(how.try, how.timeout); err != nil {
				return err
			}
			var from []target
			for _, a := range args {
				t, err := parseTarget(a)
				if err != nil {
					return err
				}
				from = append(from, t)
			}
			return choose(ctx, from, how, s)
		}),
	}
	f := cmd.Flags()
	f.IntVarP(&how.most, "count", "n", 1, "end after `N` values; 0 is until all channels are closed")
	f.BoolVar(&how.try, "try", false, "never wait: take what is there and end")
	f.DurationVar(&how.timeout, "timeout", 0, "end with exit code 3 when no value came for `TIME`")
	f.BoolVar(&how.json, "json", false, "write JSON objects, one per line")
	return cmd
}

type selectFlags struct {
	most      int
	try, json bool
	timeout   time.Duration
}

// source is one channel of a select.
type source struct {
	target
	handoff.Receiver[[]byte]
	kind kind
	over bool // closed and empty
}

// choosing is a select command under way.
type choosing struct {
	how   selectFlags
	from  []*source
	turns *handoff.Selector
	print *printing

	// What the last turn gave.
	chosen *source
	d      delivery
	ok     bool
}

func choose(ctx context.Context, from []target, how selectFlags, s Streams) (err error) {
	w := &choosing{how: how}
	defer func() {
		for _, f := range w.from {
			if bad := f.Detach(); err == nil {
				err = bad
			}
		}
	}()
	var cases []handoff.Case
	for _, t := range from {
		f := &source{target: t}
		f.Receiver, f.kind, err = open(ctx, t, frame.Lines, how.may, handoff.OpenReceiver[[]byte])
		if err != nil {
			return err
		}
		w.from = append(w.from, f)
		cases = append(cases, f.OnTake(func(d delivery, ok bool) { w.chosen, w.d, w.ok = f, d, ok }))
	}
	if how.try {
		cases = append(cases, handoff.Default(func() { w.chosen = nil }))
	} else if how.timeout > 0 {
		cases = append(cases, handoff.After(how.timeout, func() { w.chosen = nil }))
	}
	w.turns = handoff.NewSelector(cases...)
	w.print = &printing{form: frame.Lines, out: s.Out}
	return w.all(ctx)
}

// may says why values of kind k cannot be shown: what is no text is so in JSON,
// in base64.
func (how selectFlags) may(k kind) error {
	if how.json {
		return nil
	}
	return mayRecv(k, frame.Lines, false)
}

func (w *choosing) all(ctx context.Context) error {
	for came := 0; w.how.most == 0 || came < w.how.most; {
		if !slices.ContainsFunc(w.from, func(f *source) bool { return !f.over }) {
			return w.closed(came)
		}
		if _, err := w.turns.Select(ctx); err != nil {
			return selectError(err)
		}
		switch {
		case w.chosen == nil && w.how.try && came > 0:
			return nil
		case w.chosen == nil && w.how.try:
			return &handoff.OpError{Op: "select", Err: errEmpty}
		case w.chosen == nil:
			return &handoff.OpError{Op: "select", Err: handoff.ErrTimeout}
		case !w.ok:
			w.chosen.over = true
			w.turns.Enable(slices.Index(w.from, w.chosen), false)
			continue
		}
		came++
		if err := w.write(ctx); err != nil {
			return err
		}
	}
	return nil
}

// closed is the end when all channels are.
func (w *choosing) closed(came int) error {
	if w.how.most == 0 && (came > 0 || !w.how.try) || w.how.try && came > 0 {
		return nil
	}
	return &handoff.OpError{Op: "select", Err: fmt.Errorf("%w: all channels are", handoff.ErrClosed)}
}

// selectError adds to a refusal what it is about here.
func selectError(err error) error {
	if errors.Is(err, handoff.ErrUnsupported) {
		return fmt.Errorf("%w (a select is over channels of one home, reached in one way)", err)
	}
	return err
}

// chosenValue is one value in the output of select --json.
type chosenValue struct {
	Index   int             `json:"index"`
	Channel string          `json:"channel"`
	URL     string          `json:"url"`
	Attempt int             `json:"attempt"`
	Value   json.RawMessage `json:"value,omitempty"`
	Bytes   []byte          `json:"bytes,omitempty"`
}

// write writes the value that was chosen, and confirms it.
func (w *choosing) write(ctx context.Context) error {
	index := slices.Index(w.from, w.chosen) + 1
	shown := w.d
	if w.how.json {
		object, err := w.object(index)
		if err != nil {
			return giveBack([]delivery{w.d}, err)
		}
		line, err := json.Marshal(object)
		if err != nil {
			return giveBack([]delivery{w.d}, err)
		}
		shown.Value = line
	} else {
		v, err := w.chosen.kind.shown(w.d.Value, frame.Lines)
		if err != nil {
			return giveBack([]delivery{w.d}, err)
		}
		if w.chosen.kind.json() {
			v = frame.JSON.Append(nil, v)
			v = v[:len(v)-1]
		}
		shown.Value = fmt.Appendf(nil, "%d\t%s", index, v)
	}
	return w.print.settle(ctx, []delivery{shown})
}

func (w *choosing) object(index int) (chosenValue, error) {
	v := chosenValue{Index: index, Channel: w.chosen.Name(), URL: w.chosen.url, Attempt: w.d.Attempt}
	text, err := w.chosen.kind.shown(w.d.Value, frame.Lines)
	v.Value, v.Bytes = w.chosen.kind.inJSON(text)
	return v, err
}
