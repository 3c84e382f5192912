package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/fault"
)

// defaultWait is how long a request waits where it does not say.
const defaultWait = span(30 * time.Second)

// route is one thing that can be asked for.
type route struct {
	method, pattern string
	op              string // what it is called in errors
	params          []string
	serve           func(*call) error
}

// table is all that can be asked for.
var table = []route{
	{"GET", "/v1/openapi.json", "describe", nil, (*call).describe},
	{"GET", "/v1/channels", "list", []string{"after", "max"}, (*call).list},
	{"PUT", "/v1/channels/{channel}", "open", nil, (*call).open},
	{"GET", "/v1/channels/{channel}", "info", nil, (*call).info},
	{"POST", "/v1/channels/{channel}/send", "send", waitParams, (*call).send},
	{"POST", "/v1/channels/{channel}/receive", "receive", waitParams, (*call).receive},
	{"POST", "/v1/channels/{channel}/take", "take", takeParams, (*call).receive},
	{"GET", "/v1/channels/{channel}/values", "receive", flowParams, (*call).values},
	{"POST", "/v1/channels/{channel}/close", "close", nil, (*call).simple},
	{"POST", "/v1/channels/{channel}/stop", "stop", nil, (*call).simple},
	{"POST", "/v1/holds/{hold}/confirm", "confirm", nil, (*call).simple},
	{"POST", "/v1/holds/{hold}/return", "return", nil, (*call).simple},
	{"POST", "/v1/holds/{hold}/reject", "reject", nil, (*call).simple},
	{"POST", "/v1/holds/{hold}/extend", "extend", nil, (*call).simple},
	{"POST", "/v1/select", "select", nil, (*call).choose},
	{"GET", "/v1/events", "events", nil, (*call).events},
	{"GET", "/v1/socket", "socket", nil, (*call).socket},
}

// call is one request.
type call struct {
	*party
	w   http.ResponseWriter
	r   *http.Request
	ctx context.Context // ends with the client's connection, and with the server
	rc  *http.ResponseController
	ask ask
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	paths := map[string][]string{}
	for _, at := range table {
		paths[at.pattern] = append(paths[at.pattern], at.method)
		mux.HandleFunc(at.method+" "+at.pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, &at) })
	}
	for pattern, methods := range paths {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			err := wrong(http.StatusMethodNotAllowed, "method", "this takes %s", strings.Join(methods, " and "))
			explain("ask", "", err).write(w)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		err := wrong(http.StatusNotFound, "not found", "there is nothing at %s; /v1/openapi.json says what there is", r.URL.Path)
		explain("ask", "", err).write(w)
	})
	return mux
}

// ServeHTTP implements http.Handler, for programs that have a server of their own.
// That then sets the limits on connections and on the headers of requests.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if err := s.guard(r); err != nil {
		explain("ask", "", err).write(w)
		return
	}
	if s.share(w, r) {
		return
	}
	s.mux.ServeHTTP(w, r)
}

// answer serves one request.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, at *route) {
	c := &call{party: &party{Server: s, ends: s.shared}, w: w, r: r, rc: http.NewResponseController(w)}
	c.ask = ask{Op: at.op, Channel: r.PathValue("channel"), Hold: r.PathValue("hold")}
	ctx, end := context.WithCancelCause(r.Context())
	defer end(nil)
	defer context.AfterFunc(s.ctx, func() { end(context.Cause(s.ctx)) })()
	c.ctx = ctx
	err := c.identify()
	if err == nil {
		err = c.query(at.params)
	}
	if err == nil {
		err = at.serve(c)
	}
	if err != nil {
		explain(at.op, c.ask.Channel, err).write(w)
	}
}

// identify finds out who asks: by a token, which no page of a browser sends unless
// its user gave it one, or else by a certificate.
func (c *call) identify() (err error) {
	token, err := bearer(c.r.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	if c.who, err = c.hub.Identify(token, c.r.TLS); err != nil {
		return wrong(http.StatusUnauthorized, "unknown identity", "%s", fault.Reason(err))
	}
	if c.who == hub.Anonymous && (c.opts.Identified || c.r.TLS != nil) {
		return wrong(http.StatusUnauthorized, "unknown identity", "this home wants to know who its clients are: Authorization: Bearer TOKEN")
	}
	return nil
}

// bearer is the token of an Authorization header, "" if there is none.
func bearer(header string) (string, error) {
	if header == "" {
		return "", nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", wrong(http.StatusUnauthorized, "unknown identity", "want Authorization: Bearer TOKEN")
	}
	return token, nil
}

// query reads the parameters. Those of a list are its own.
func (c *call) query(allowed []string) error {
	q, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return badRequest("malformed query: %v", err)
	}
	return c.ask.params(q, allowed)
}

// body reads the body, which is short of the limit and comes in time.
func (c *call) body() ([]byte, error) {
	c.rc.SetReadDeadline(time.Now().Add(bodyTime))
	defer c.rc.SetReadDeadline(time.Time{}) // or a long wait would look like a client that has gone
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, int64(c.opts.MaxBody)))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, wrong(http.StatusRequestEntityTooLarge, "too large", "a body has at most %d bytes here", c.opts.MaxBody)
	}
	if err != nil {
		return nil, badRequest("the body did not come whole: %v", err)
	}
	return b, nil
}

// jsonBody reads a body that is a JSON object into v, or is empty.
func (c *call) jsonBody(v any) error {
	b, err := c.body()
	if err != nil || len(bytes.TrimSpace(b)) == 0 {
		return err
	}
	return strictly(b, v)
}

// strictly decodes the one JSON text in b into v, which must know all that is in it.
func strictly(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if _, end := d.Token(); err == nil && end != io.EOF {
		err = errors.New("there is something behind the JSON")
	}
	if _, ok := errors.AsType[*mistake](err); err != nil && !ok {
		return badRequest("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return err
}

func (c *call) list() error {
	most := maxPage
	if s := c.r.FormValue("max"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return badRequest("max=%q", s)
		}
		most = min(n, maxPage)
	}
	p, err := c.party.list(c.r.FormValue("after"), most)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, p)
	return nil
}

func (c *call) open() error {
	if err := c.jsonBody(&c.ask.makeAsk); err != nil {
		return err
	}
	_, fresh, err := c.party.open(&c.ask)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
	}
	return c.show(status)
}

func (c *call) info() error { return c.show(http.StatusOK) }

func (c *call) show(status int) error {
	r, err := c.party.info(c.ask.Channel)
	if err != nil {
		return err
	}
	writeJSON(c.w, status, r.Info)
	return nil
}

// simple runs an operation whose answer has nothing to say.
func (c *call) simple() error {
	var more struct {
		Reason string `json:"reason"`
		After  *span  `json:"after"`
		Lease  *span  `json:"lease"`
	}
	if err := c.jsonBody(&more); err != nil {
		return err
	}
	c.ask.Reason, c.ask.After, c.ask.Lease = more.Reason, more.After, more.Lease
	if _, err := c.atOnce(&c.ask); err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, struct{}{})
	return nil
}

func (c *call) send() error {
	as, err := contentType(c.r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	text, err := c.body()
	if err != nil {
		return err
	}
	c.ask.body = &body{as, text}
	if c.ask.Headers, err = valueHeaders(c.r.Header.Values("Handoff-Header")); err != nil {
		return err
	}
	return c.run()
}

// contentType is what a request says of its body.
func contentType(said string) (string, error) {
	if said == "" {
		return anyBody, nil
	}
	as, params, err := mime.ParseMediaType(said)
	if charset := params["charset"]; err == nil && charset != "" && !strings.EqualFold(charset, "utf-8") {
		err = errors.New("only UTF-8 is read")
	}
	switch {
	case err != nil:
		return "", wrong(http.StatusUnsupportedMediaType, "unsupported", "Content-Type %q: %v", said, err)
	case as == "application/x-www-form-urlencoded":
		return anyBody, nil
	case as == jsonBody || as == textBody || as == bytesBody:
		return as, nil
	}
	return "", wrong(http.StatusUnsupportedMediaType, "unsupported", "Content-Type %q: want %s, %s or %s", said, jsonBody, textBody, bytesBody)
}

// valueHeaders reads the headers of a value.
func valueHeaders(lines []string) (map[string]string, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	h := map[string]string{}
	for _, line := range lines {
		k, v, ok := strings.Cut(line, "=")
		key, err := url.PathUnescape(k)
		value, err2 := url.PathUnescape(v)
		if _, twice := h[key]; !ok || err != nil || err2 != nil || twice {
			return nil, badRequest("Handoff-Header: want KEY=VALUE, percent-encoded, once for each key, not %q", line)
		}
		h[key] = value
	}
	return h, nil
}

func (c *call) receive() error {
	if _, err := c.body(); err != nil { // read, so that it is seen when the client leaves
		return err
	}
	return c.run()
}

func (c *call) choose() error {
	var more struct {
		Cases   []caseAsk `json:"cases"`
		Timeout *span     `json:"timeout"`
		First   bool      `json:"first"`
	}
	if err := c.jsonBody(&more); err != nil {
		return err
	}
	c.ask.Cases, c.ask.Timeout, c.ask.First = more.Cases, more.Timeout, more.First
	return c.run()
}

// run runs the operation that was asked for and answers.
func (c *call) run() error {
	if c.ask.Timeout == nil {
		c.ask.Timeout = new(defaultWait)
	}
	wait, err := c.begin(c.ctx, &c.ask)
	if err != nil {
		return err
	}
	r, err := wait()
	switch {
	case err != nil:
		return err
	case r.Nothing:
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return c.reply(r)
}

// reply writes r, and settles what becomes of the value in it.
func (c *call) reply(r *reply) error {
	as, b, err := c.render(r)
	if err != nil {
		r.lost("its receiver could not be shown it: " + err.Error())
		return err
	}
	if err := writeBody(c.w, http.StatusOK, as, b); err != nil {
		r.lost("its receiver's connection broke")
		return nil
	}
	r.arrived()
	return nil
}

// render is the body of the answer r, in a form that the client takes.
func (c *call) render(r *reply) (as string, body []byte, err error) {
	d := r.delivery
	if d == nil || c.ask.Op == "select" {
		b, err := r.append(nil, nil)
		return jsonBody, append(b, '\n'), err
	}
	switch wants(c.r.Header.Values("Accept")) {
	case jsonBody:
		b, err := r.append(nil, nil)
		return jsonBody, append(b, '\n'), err
	case textBody:
		made, _, err := c.hub.Find(d.end.key.channel)
		if err == nil && made.Type != textType {
			err = unshown("the channel does not carry text")
		}
		if err != nil {
			return "", nil, err
		}
		as = textBody + "; charset=utf-8"
	case bytesBody:
		as = bytesBody
	default:
		return "", nil, unshown("none of what the request accepts can be had")
	}
	d.name()
	h := c.w.Header()
	h.Set("Handoff-Attempt", strconv.Itoa(d.item.Attempt))
	for k, v := range d.item.Header {
		h.Add("Handoff-Header", escaped(k)+"="+escaped(v))
	}
	if d.hold != nil {
		h.Set("Handoff-Hold", d.hold.name)
	}
	return as, d.item.Value, nil
}

// escaped is s with all but letters, digits and a few signs percent-encoded.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// wants is the form that a client accepts; JSON if it accepts any.
func wants(accept []string) string {
	if len(accept) == 0 {
		return jsonBody
	}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.TrimSpace(kind) {
		case jsonBody, "application/*", "*/*", "":
			return jsonBody
		case textBody, "text/*":
			return textBody
		case bytesBody:
			return bytesBody
		}
	}
	return ""
}

// writeBody writes an answer, and reports whether the system took all of it.
func writeBody(w http.ResponseWriter, status int, as string, b []byte) error {
	h := w.Header()
	h.Set("Content-Type", as)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	rc := http.NewResponseController(w)
	rc.SetWriteDeadline(time.Now().Add(writeTime))
	defer rc.SetWriteDeadline(time.Time{})
	w.WriteHeader(status)
	if _, err := w.Write(b); err != nil {
		return err
	}
	if err := rc.Flush(); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
