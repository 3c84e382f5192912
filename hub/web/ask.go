package web

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// ask is what a client wants, whether it came as a request or as a message.
type ask struct {
	ID      *uint64           `json:"id,omitempty"`
	Op      string            `json:"op,omitempty"`
	Channel string            `json:"channel,omitempty"`
	Value   json.RawMessage   `json:"value,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Timeout *span             `json:"timeout,omitempty"`
	Lease   *span             `json:"lease,omitempty"`
	After   *span             `json:"after,omitempty"`
	Hold    string            `json:"hold,omitempty"`
	Reason  string            `json:"reason,omitempty"`
	Cases   []caseAsk         `json:"cases,omitempty"`
	First   bool              `json:"first,omitempty"`
	makeAsk

	body *body // of a send over HTTP, instead of Value
}

// body is what a request sends.
type body struct {
	as   string // its Content-Type
	text []byte
}

// caseAsk is one case of a select: exactly one of the first six is there.
type caseAsk struct {
	Receive string            `json:"receive,omitempty"`
	Take    string            `json:"take,omitempty"`
	Send    string            `json:"send,omitempty"`
	Stop    string            `json:"stop,omitempty"`
	After   *span             `json:"after,omitempty"`
	Default bool              `json:"default,omitempty"`
	Value   json.RawMessage   `json:"value,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Lease   *span             `json:"lease,omitempty"`
}

// makeAsk is what somebody wants a channel to be.
type makeAsk struct {
	Slots       *int   `json:"slots,omitempty"`
	Carries     string `json:"carries,omitempty"`
	MaxValue    int    `json:"maxvalue,omitempty"`
	MaxHold     *span  `json:"maxhold,omitempty"`
	MaxAttempts int    `json:"maxattempts,omitempty"`
	DeadLetter  string `json:"deadletter,omitempty"`
	AutoClose   bool   `json:"autoclose,omitempty"`
	Create      string `json:"create,omitempty"`
}

// said reports whether m says anything.
func (m *makeAsk) said() bool { return *m != makeAsk{} }

// config is what m says.
func (m *makeAsk) config() (driver.Config, error) {
	cfg := driver.Config{
		Slots: -1, Type: m.Carries, MaxValue: m.MaxValue, MaxAttempts: m.MaxAttempts,
		DeadLetter: m.DeadLetter, CloseWhenSendersGone: m.AutoClose,
	}
	switch m.Carries {
	case "text":
		cfg.Type = textType
	case "bytes":
		cfg.Type = bytesType
	}
	if m.MaxHold != nil {
		cfg.MaxHold = time.Duration(*m.MaxHold)
	}
	if m.Slots != nil {
		if cfg.Slots = *m.Slots; cfg.Slots < 0 {
			return cfg, badRequest("slots=%d", cfg.Slots)
		}
	}
	if m.MaxValue < 0 || m.MaxAttempts < 0 {
		return cfg, badRequest("a number below 0")
	}
	switch m.Create {
	case "", "yes":
	case "no":
		cfg.Create = driver.CreateNo
	case "new":
		cfg.Create = driver.CreateNew
	default:
		return cfg, badRequest("create is yes, no or new, not %q", m.Create)
	}
	return cfg, nil
}

// span is a time in JSON, as Go writes it.
type span time.Duration

// maxSpan is the longest that can be asked for.
const maxSpan = time.Hour

// UnmarshalJSON implements json.Unmarshaler.
func (d *span) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return badRequest("%s is no time: write it as a string, \"1.5s\"", b)
	}
	got, err := parseSpan(s)
	*d = got
	return err
}

func parseSpan(s string) (span, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > maxSpan {
		return 0, badRequest("%q is no time from 0s to %v, as 250ms or 1.5s", s, maxSpan)
	}
	return span(d), nil
}

// or returns d, or what holds if it was not said.
func (d *span) or(otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return time.Duration(*d)
}

// The parameters of requests.
var (
	makeParams = []string{"slots", "carries", "maxvalue", "maxhold", "maxattempts", "deadletter", "autoclose", "create"}
	waitParams = append([]string{"timeout"}, makeParams...)
	takeParams = append([]string{"timeout", "lease"}, makeParams...)
	flowParams = append([]string{"lease"}, makeParams...)
)

// params reads the query of a request into a. Parameters that are not allowed, or
// said twice, are refused.
func (a *ask) params(q url.Values, allowed []string) error {
	for name, values := range q {
		if len(values) != 1 {
			return badRequest("the parameter %s is there %d times", name, len(values))
		}
		known := false
		for _, p := range allowed {
			known = known || p == name
		}
		if !known {
			return badRequest("%q is not a parameter here: there are %q", name, allowed)
		}
		if err := a.param(name, values[0]); err != nil {
			return err
		}
	}
	return nil
}

func (a *ask) param(name, value string) (err error) {
	number := func() int {
		n, bad := strconv.Atoi(value)
		if bad != nil {
			err = badRequest("%s=%q is no number", name, value)
		}
		return n
	}
	duration := func() *span {
		d, bad := parseSpan(value)
		err = bad
		return &d
	}
	switch name {
	case "slots":
		n := number()
		a.Slots = &n
	case "maxvalue":
		a.MaxValue = number()
	case "maxattempts":
		a.MaxAttempts = number()
	case "timeout":
		a.Timeout = duration()
	case "lease":
		a.Lease = duration()
	case "maxhold":
		a.MaxHold = duration()
	case "carries":
		a.Carries = value
	case "deadletter":
		a.DeadLetter = value
	case "create":
		a.Create = value
	case "autoclose":
		if a.AutoClose, err = strconv.ParseBool(value); err != nil {
			err = badRequest("autoclose=%q is neither true nor false", value)
		}
	}
	return err
}
