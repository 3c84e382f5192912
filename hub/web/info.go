package web

import (
	"time"

	"github.com/handoff-go/handoff/driver"
)

// info is a channel as it is shown.
type info struct {
	Name        string         `json:"name"`
	Carries     string         `json:"carries"` // its type text
	Kind        string         `json:"kind"`    // the same as people call it
	Schema      map[string]any `json:"schema"`  // of its values in JSON; null if there is none
	Slots       int            `json:"slots"`
	MaxValue    int            `json:"maxvalue"`
	MaxHold     string         `json:"maxhold,omitempty"`
	MaxAttempts int            `json:"maxattempts,omitempty"`
	DeadLetter  string         `json:"deadletter,omitempty"`
	AutoClose   bool           `json:"autoclose,omitempty"`
	Figures     figures        `json:"figures"`
}

// figures are those of a channel at one moment.
type figures struct {
	Ready            int    `json:"ready"`
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
}

func figuresOf(s driver.Stats) figures {
	return figures{
		s.Len, s.Held, s.SendersWaiting, s.ReceiversWaiting, s.Senders, s.Receivers,
		s.Sent, s.Received, s.Redelivered, s.Rejected, s.Closed, s.Stopped, s.Matching,
	}
}

// info describes a channel.
func (p *party) info(channel string) (*reply, error) {
	if err := p.hub.May(p.who, string(Inspect), channel); err != nil {
		return nil, err
	}
	made, stats, err := p.hub.Find(channel)
	if err != nil {
		return nil, err
	}
	f := p.forms.of(made)
	i := &info{
		Name: channel, Carries: made.Type, Kind: f.kind, Schema: f.describe(), Slots: made.Slots, MaxValue: made.MaxValue,
		MaxAttempts: made.MaxAttempts, DeadLetter: made.DeadLetter, AutoClose: made.CloseWhenSendersGone, Figures: figuresOf(stats),
	}
	if made.MaxHold > 0 {
		i.MaxHold = made.MaxHold.String()
	}
	return &reply{Info: i}, nil
}

// listed is a channel in a list.
type listed struct {
	Name    string  `json:"name"`
	Carries string  `json:"carries"`
	Slots   int     `json:"slots"`
	Figures figures `json:"figures"`
}

// page is a part of the list of channels.
type page struct {
	Channels []listed  `json:"channels"`
	More     bool      `json:"more"`
	Next     string    `json:"next,omitempty"` // what to ask for as after
	At       time.Time `json:"at"`
}

// maxPage is how many channels a page has.
const maxPage = 1000

// list returns the channels behind a name that p may inspect.
func (p *party) list(after string, most int) (*page, error) {
	channels, more := p.hub.List(p.who, after, most)
	got := &page{Channels: []listed{}, More: more, At: time.Now().UTC()}
	for _, c := range channels {
		got.Next = c.Name
		got.Channels = append(got.Channels, listed{c.Name, c.Type, c.Stats.Slots, figuresOf(c.Stats)})
	}
	if !more {
		got.Next = ""
	}
	return got, nil
}
