package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/spf13/cobra"
)

func newInfo(s Streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info URL",
		Short: "Show the figures of a channel",
		Long: `Show the figures of a channel: its slots, the values in them, who holds and who
waits, its ends, and what has passed since it was made.

Looking makes no channel and is not counted as an end of one.`,
		Example: `  handoff info 'unix:/tmp/shop.sock?chan=orders'
  handoff info --json 'unix:/tmp/shop.sock?chan=orders' | jq .len`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeURL(1),
		RunE: looking(func(ctx context.Context, t target) error {
			found, err := find(ctx, t.place())
			if err != nil {
				return err
			}
			f := figuresOf(found)
			if asJSON {
				return json.NewEncoder(s.Out).Encode(f)
			}
			return f.write(s.Out)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write one JSON object")
	return cmd
}

func newLs(s Streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls HOME",
		Short: "List the channels of a home",
		Long: `List the channels of a home, by name, with their slots, the values that are ready
and held, and what was sent and received. Waiting are sends + receives, ends those
that may send + those that may receive.

HOME is the URL of a home, or of any of its channels. In shared memory, shm:, it is
the segments of this user.`,
		Example: `  handoff ls unix:/tmp/shop.sock
  handoff ls --json unix:/tmp/shop.sock | jq -r .channel`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeURL(1),
		RunE: looking(func(ctx context.Context, t target) error {
			all, err := list(ctx, t.place())
			if err != nil {
				return err
			}
			if asJSON {
				return writeList(s.Out, all)
			}
			return tabulate(s.Out, all)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON objects, one per line")
	return cmd
}

// figures are a channel's in the JSON form of ls and info, for scripts: it only
// grows.
type figures struct {
	Channel          string `json:"channel"`
	Type             string `json:"type"` // the fingerprint, "" if it is not known
	Slots            int    `json:"slots"`
	Len              int    `json:"len"`
	Held             int    `json:"held"`
	SendersWaiting   int    `json:"senders_waiting"`
	ReceiversWaiting int    `json:"receivers_waiting"`
	Senders          int    `json:"senders"`
	Receivers        int    `json:"receivers"`
	Sent             uint64 `json:"sent"`
	Received         uint64 `json:"received"`
	Redelivered      uint64 `json:"redelivered"`
	Rejected         uint64 `json:"rejected"`
	Closed           bool   `json:"closed"`
	Stopped          bool   `json:"stopped"`
	Matching         bool   `json:"matching"`
	// Attached are those who have it open, where the medium knows.
	Attached []attached `json:"attached,omitempty"`
}

// attached is one who has a channel open.
type attached struct {
	Pid   int       `json:"pid"`
	Since time.Time `json:"since"`
	Sends bool      `json:"sends"`
	Takes bool      `json:"receives"`
}

// String is what people read of it.
func (a attached) String() string {
	does := map[[2]bool]string{{true, true}: "sends and receives", {true, false}: "sends", {false, true}: "receives", {}: "nothing"}[[2]bool{a.Sends, a.Takes}]
	return fmt.Sprintf("process %d %s, since %s", a.Pid, does, a.Since.Format(time.TimeOnly))
}

func figuresOf(l driver.Listed) figures {
	s := l.Stats
	var all []attached
	for _, a := range l.Attached {
		all = append(all, attached{a.Pid, a.Since, a.Send, a.Receive})
	}
	return figures{
		Attached: all,
		Channel:  l.Name, Type: l.Type, Slots: s.Slots, Len: s.Len, Held: s.Held,
		SendersWaiting: s.SendersWaiting, ReceiversWaiting: s.ReceiversWaiting,
		Senders: s.Senders, Receivers: s.Receivers, Sent: s.Sent, Received: s.Received,
		Redelivered: s.Redelivered, Rejected: s.Rejected, Closed: s.Closed, Stopped: s.Stopped, Matching: s.Matching,
	}
}

// write writes f for people.
func (f figures) write(out io.Writer) error {
	var b strings.Builder
	for _, row := range []struct {
		name string
		is   any
	}{
		{"channel", f.Channel},
		{"values", kind(f.Type)},
		{"state", f.state()},
		{"slots", fmt.Sprintf("%d, of which %d ready and %d held", f.Slots, f.Len, f.Held)},
		{"waiting", f.waiting()},
		{"ends", fmt.Sprintf("%d may send, %d may receive", f.Senders, f.Receivers)},
		{"sent", f.Sent},
		{"received", f.Received},
		{"redelivered", f.Redelivered},
		{"rejected", f.Rejected},
	} {
		fmt.Fprintf(&b, "%-12s %v\n", row.name, row.is)
	}
	for _, a := range f.Attached {
		fmt.Fprintf(&b, "%-12s %v\n", "attached", a)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (f figures) waiting() string {
	s := fmt.Sprintf("%d to send, %d to receive", f.SendersWaiting, f.ReceiversWaiting)
	if f.Matching {
		s += "; two have met, and a select's owner elsewhere is asked"
	}
	return s
}

func (f figures) state() string {
	switch {
	case f.Closed && f.Len+f.Held > 0:
		return "closed, and not yet empty"
	case f.Closed:
		return "closed"
	case f.Stopped:
		return "open, and its senders are asked to end"
	}
	return "open"
}

func writeList(out io.Writer, all []driver.Listed) error {
	enc := json.NewEncoder(out)
	for _, l := range all {
		if err := enc.Encode(figuresOf(l)); err != nil {
			return err
		}
	}
	return nil
}

func tabulate(out io.Writer, all []driver.Listed) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "no channels")
		return err
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "slots\tready\theld\twaiting\tends\tsent\treceived\tstate\tvalues\t  channel")
	for _, l := range all {
		f := figuresOf(l)
		state := "open"
		if f.Closed {
			state = "closed"
		}
		fmt.Fprintf(t, "%d\t%d\t%d\t%d+%d\t%d+%d\t%d\t%d\t%s\t%v\t  %s\n", f.Slots, f.Len, f.Held, f.SendersWaiting, f.ReceiversWaiting,
			f.Senders, f.Receivers, f.Sent, f.Received, state, kind(f.Type), f.Channel)
	}
	t.Flush()
	_, err := io.WriteString(out, b.String())
	return err
}

// sortedNames are the names of channels, for completion.
func sortedNames(all []driver.Listed) (names []string) {
	for _, l := range all {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	return names
}
