package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/schema"
)

// problem is an error as a client sees it.
type problem struct {
	status int

	Operation string `json:"operation"`
	Channel   string `json:"channel,omitempty"`
	Cause     string `json:"cause"`
	Message   string `json:"message"`
	Field     string `json:"field,omitempty"`
	InDoubt   bool   `json:"in_doubt,omitempty"`
	Case      *int   `json:"case,omitempty"`
}

// mistake is an error of the HTTP face alone.
type mistake struct {
	status int
	cause  string
	text   string
}

func (m *mistake) Error() string { return m.text }

func wrong(status int, cause, format string, args ...any) error {
	return &mistake{status, cause, fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return wrong(http.StatusBadRequest, "bad request", format, args...)
}

func limited(text string) error { return wrong(http.StatusTooManyRequests, "limit", "%s", text) }

// causes are the errors of channels, the more telling ones first.
var causes = []struct {
	err    error
	status int
	cause  string
}{
	{fault.ErrRejected, http.StatusUnprocessableEntity, "rejected"},
	{fault.ErrClosed, http.StatusGone, "closed"},
	{fault.ErrSettled, http.StatusGone, "settled"},
	{fault.ErrAbandoned, http.StatusConflict, "abandoned"},
	{fault.ErrTooLarge, http.StatusRequestEntityTooLarge, "too large"},
	{fault.ErrTypeMismatch, http.StatusConflict, "type mismatch"},
	{fault.ErrConflict, http.StatusConflict, "conflict"},
	{fault.ErrNotFound, http.StatusNotFound, "not found"},
	{fault.ErrDenied, http.StatusForbidden, "denied"},
	{fault.ErrUnsupported, http.StatusUnsupportedMediaType, "unsupported"},
	{fault.ErrFull, http.StatusServiceUnavailable, "full"},
	{fault.ErrUnreachable, http.StatusServiceUnavailable, "unreachable"},
	{fault.ErrDetached, http.StatusServiceUnavailable, "unreachable"},
	{fault.ErrContended, http.StatusServiceUnavailable, "contended"},
	{fault.ErrTimeout, http.StatusGatewayTimeout, "timed out"},
	{context.DeadlineExceeded, http.StatusGatewayTimeout, "timed out"}, // of a server around this one
	{errCancelled, http.StatusServiceUnavailable, "cancelled"},
	{context.Canceled, http.StatusServiceUnavailable, "cancelled"},
	{fault.ErrInDoubt, http.StatusGatewayTimeout, "in doubt"},
}

// explain says what err is to a client.
func explain(operation, channel string, err error) *problem {
	p := &problem{
		status: http.StatusInternalServerError, Operation: operation, Channel: channel, Cause: "other", Message: err.Error(),
		InDoubt: errors.Is(err, fault.ErrInDoubt),
	}
	if chosen, ok := errors.AsType[*chosenError](err); ok {
		p.Case, p.Channel = &chosen.index, chosen.channel
	}
	if m, ok := errors.AsType[*mistake](err); ok {
		p.status, p.Cause = m.status, m.cause
		return p
	}
	if m, ok := errors.AsType[*schema.Mismatch](err); ok {
		p.status, p.Cause, p.Field = http.StatusBadRequest, "type mismatch", m.Field
		return p
	}
	for _, c := range causes {
		if errors.Is(err, c.err) {
			p.status, p.Cause = c.status, c.cause
			return p
		}
	}
	return p
}

// isAny reports whether err is one of those.
func isAny(err error, those ...error) bool {
	for _, e := range those {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// write answers a request with p.
func (p *problem) write(w http.ResponseWriter) {
	if p.status == http.StatusServiceUnavailable || p.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, p.status, map[string]any{"error": p})
}

// writeJSON writes v, which can be marshalled, and reports whether the system took
// all of it.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeBody(w, status, "application/json", append(b, '\n'))
}
