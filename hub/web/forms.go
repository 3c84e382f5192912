package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/schema"
)

// The type texts of values that need no schema.
const (
	textType  = "raw:string"
	bytesType = "raw:bytes"
	jsonType  = "json"
)

// form is how the values of a channel are turned into JSON and back.
type form struct {
	kind   string         // of what people speak
	memory *schema.Memory // of a fixed layout
	shape  *schema.JSON   // of JSON, if its reader has said what it reads
	shown  map[string]any // the same to show
	dead   *form          // of dead letters: what they are of
	opaque error          // why it cannot be
}

// forms are those that were needed, as reading a schema takes a while.
type forms struct {
	mu    sync.Mutex // guards known
	known map[[2]string]*form
}

// maxForms is how many are kept.
const maxForms = 1024

// of returns the form of a channel.
func (s *forms) of(made driver.Config) *form {
	key := [2]string{made.Type, made.Schema}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.known[key]
	if f == nil {
		f = newForm(made.Type, made.Schema)
		if s.known == nil || len(s.known) >= maxForms {
			s.known = map[[2]string]*form{}
		}
		s.known[key] = f
	}
	return f
}

func newForm(typ, announced string) *form {
	how, _, _ := strings.Cut(typ, ":")
	value, dead := codec.DeadOf(typ)
	switch {
	case dead:
		return &form{kind: "dead", dead: newForm(value, announced)}
	case typ == textType:
		return &form{kind: "text"}
	case typ == bytesType:
		return &form{kind: "bytes"}
	case schema.IsJSON(typ):
		f := &form{kind: "json", shown: map[string]any{}}
		if s, err := schema.ParseJSON(announced); err == nil { // else there is none
			f.shape = s
			json.Unmarshal([]byte(announced), &f.shown)
		}
		return f
	case typ == "":
		return &form{kind: "unknown", opaque: fault.Because(fault.ErrUnsupported, "nobody has said yet what the channel carries")}
	case schema.IsMemory(typ):
		m, err := schema.Parse(typ, announced)
		if err != nil {
			return &form{kind: "memory", opaque: fault.Because(fault.ErrUnsupported, "it carries %s: %v", typ, err)}
		}
		return &form{kind: "memory", memory: m}
	}
	return &form{kind: how, opaque: fault.Because(fault.ErrUnsupported, "it carries %s, of which this home has no schema", typ)}
}

// describe is the JSON Schema of the values; nil if there is none.
func (f *form) describe() map[string]any {
	switch {
	case f.dead != nil:
		return map[string]any{"type": "object"}
	case f.memory != nil:
		return f.memory.JSONSchema()
	case f.kind == "json":
		return f.shown
	case f.kind == "text":
		return map[string]any{"type": "string"}
	case f.kind == "bytes":
		return map[string]any{"type": "string", "contentEncoding": "base64"}
	}
	return nil
}

// fromJSON turns a JSON text into a value of the channel.
func (f *form) fromJSON(channel string, text []byte) ([]byte, error) {
	if f.memory != nil {
		return f.memory.FromJSON(channel, text)
	}
	text = bytes.TrimSpace(text)
	switch {
	case f.opaque != nil:
		return nil, f.opaque
	case f.dead != nil:
		return nil, fault.Because(fault.ErrUnsupported, "it carries dead letters, which only a home makes")
	case !json.Valid(text) || !utf8.Valid(text):
		return nil, &schema.Mismatch{Field: channel, Why: "is not one JSON text in UTF-8"}
	case f.kind == "text":
		var s string
		if json.Unmarshal(text, &s) != nil || text[0] != '"' {
			return nil, &schema.Mismatch{Field: channel, Why: "is not a string, and the channel carries text"}
		}
		return []byte(s), nil
	case f.kind == "bytes":
		var b []byte
		if json.Unmarshal(text, &b) != nil || text[0] != '"' {
			return nil, &schema.Mismatch{Field: channel, Why: "is not a string in base64, and the channel carries bytes"}
		}
		return b, nil
	case f.shape != nil:
		return text, f.shape.Check(channel, text)
	}
	return text, nil
}

// toJSON is the reverse.
func (f *form) toJSON(value []byte) ([]byte, error) {
	switch {
	case f.opaque != nil:
		return nil, unshown("%v", f.opaque)
	case f.memory != nil:
		b, err := f.memory.AppendJSON(nil, value)
		if err != nil {
			return nil, unshown("%v", err)
		}
		return b, nil
	case f.dead != nil:
		return f.letter(value)
	case f.kind == "bytes":
		return json.Marshal(value)
	case !utf8.Valid(value):
		return nil, unshown("the value is not UTF-8")
	case f.kind == "text":
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		err := e.Encode(string(value))
		return bytes.TrimSpace(b.Bytes()), err
	}
	var b bytes.Buffer
	if err := json.Compact(&b, value); err != nil {
		return nil, unshown("the value is not JSON: %v", err)
	}
	return b.Bytes(), nil
}

// letter is the JSON of a dead letter.
func (f *form) letter(b []byte) ([]byte, error) {
	fate, value, err := codec.CutFate(b)
	if err != nil {
		return nil, unshown("%v", err)
	}
	text, err := f.dead.toJSON(value)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"value": json.RawMessage(text), "reason": fate.Reason, "attempts": fate.Attempts, "from": fate.From,
	})
}

// unshown is why a value has no form that its receiver takes.
func unshown(format string, args ...any) error {
	return wrong(http.StatusNotAcceptable, "not acceptable", format+"; ask for application/octet-stream to have its bytes", args...)
}

// fromBody turns the body of a request of that Content-Type into a value.
func (f *form) fromBody(channel, as string, body []byte) ([]byte, error) {
	raw := f.kind == "text" || f.kind == "bytes"
	switch {
	case as == jsonBody || as == anyBody && !raw:
		return f.fromJSON(channel, body)
	case !raw && f.opaque != nil:
		return nil, f.opaque
	case !raw, as == textBody && f.kind != "text":
		return nil, fault.Because(fault.ErrUnsupported, "it carries %s, and the body is %s", f.kind, as)
	case f.kind == "text" && !utf8.Valid(body):
		return nil, &schema.Mismatch{Field: channel, Why: "is not UTF-8, and the channel carries text"}
	}
	return body, nil
}

// The forms of a body.
const (
	jsonBody  = "application/json"
	textBody  = "text/plain"
	bytesBody = "application/octet-stream"
	anyBody   = "" // as curl says it if nothing else is said
)

// typeOf is what a channel carries that such a body makes.
func typeOf(as string) string {
	switch as {
	case jsonBody:
		return jsonType
	case bytesBody:
		return bytesType
	}
	return textType
}
