package cli

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/handoff-go/handoff/codec"
)

// dead returns of what kind of values k is the dead letter.
func (k kind) dead() (of kind, ok bool) {
	value, ok := codec.DeadOf(string(k))
	return kind(value), ok
}

// deadLetter is how a dead letter is shown.
type deadLetter struct {
	Value    json.RawMessage `json:"value,omitempty"`
	Bytes    []byte          `json:"bytes,omitempty"`
	Reason   string          `json:"reason"`
	Attempts int             `json:"attempts"`
	From     string          `json:"from"`
}

// shown is how values of kind k are given to people and commands, in a form: a
// dead letter as JSON, all others as they are.
func (k kind) shown(v []byte, form frame.Form) ([]byte, error) {
	of, ok := k.dead()
	if !ok || form == frame.Raw || form == frame.Prefixed {
		return v, nil
	}
	fate, value, err := codec.CutFate(v)
	if err != nil {
		return nil, err
	}
	letter := deadLetter{Reason: fate.Reason, Attempts: fate.Attempts, From: fate.From}
	letter.Value, letter.Bytes = of.inJSON(value)
	return json.Marshal(letter)
}

// inJSON is a value as it stands in an object: as itself, as a string, or, if it
// is neither JSON nor text, as bytes.
func (k kind) inJSON(v []byte) (value json.RawMessage, bytes []byte) {
	if _, ok := k.dead(); k.json() || ok {
		return v, nil
	}
	if k.raw() && utf8.Valid(v) {
		text, _ := json.Marshal(string(v)) // a string always can be
		return text, nil
	}
	return nil, v
}
