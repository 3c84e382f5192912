package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub/web"
)

// peer is a client on a WebSocket.
type peer struct {
	t    *testing.T
	ctx  context.Context
	conn *websocket.Conn
}

func (h *home) dial() *peer {
	h.t.Helper()
	conn, _, err := websocket.Dial(h.t.Context(), h.url+"/v1/socket", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.CloseNow() })
	ctx, stop := context.WithTimeout(h.t.Context(), 20*time.Second)
	h.t.Cleanup(stop)
	return &peer{h.t, ctx, conn}
}

func (p *peer) say(text string) {
	p.t.Helper()
	if err := p.conn.Write(p.ctx, websocket.MessageText, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) hear() string {
	p.t.Helper()
	_, text, err := p.conn.Read(p.ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// ask says something and hears this.
func (p *peer) ask(text, want string) {
	p.t.Helper()
	p.say(text)
	if got := p.hear(); got != want {
		p.t.Fatalf("%s: %s, want %s", text, got, want)
	}
}

func TestSocket(t *testing.T) {
	h := serve(t, web.Options{})
	p := h.dial()
	p.ask(`{"id":0,"op":"open","channel":"jobs","slots":2,"carries":"json"}`, `{"id":0}`)
	p.ask(`{"id":1,"op":"send","channel":"jobs","value":{"n":1},"headers":{"k":"v"}}`, `{"id":1,"sent":1}`)
	p.ask(`{"id":2,"op":"receive","channel":"jobs"}`, `{"id":2,"value":{"n":1},"attempt":1,"headers":{"k":"v"}}`)
	p.ask(`{"id":3,"op":"receive","channel":"jobs","timeout":"0s"}`, `{"id":3,"nothing":true}`)

	// What waits holds up nobody.
	p.say(`{"id":4,"op":"receive","channel":"jobs"}`)
	p.ask(`{"id":5,"op":"open","channel":"other"}`, `{"id":5}`)
	p.say(`{"id":6,"op":"send","channel":"jobs","value":2}`)
	heard := []string{p.hear(), p.hear()}
	if heard[0] > heard[1] {
		heard[0], heard[1] = heard[1], heard[0]
	}
	if heard[0] != `{"id":4,"value":2,"attempt":1}` || heard[1] != `{"id":6,"sent":1}` {
		t.Errorf("%q", heard)
	}

	p.say(`{"id":7,"op":"select","cases":[{"receive":"jobs"},{"receive":"other"}]}`)
	p.say(`{"id":7,"op":"cancel"}`)
	if got := p.hear(); got != `{"id":7,"nothing":true}` {
		t.Error(got)
	}
	p.say(`{"id":8,"op":"cancel"}`) // of nothing
	p.ask(`{"id":8,"op":"select","cases":[{"receive":"jobs"},{"send":"jobs","value":3}]}`, `{"id":8,"case":1,"channel":"jobs","sent":1}`)
	p.ask(`{"id":9,"op":"fly","channel":"jobs"}`, `{"id":9,"error":{"operation":"fly","channel":"jobs","cause":"bad request","message":"\"fly\" is not an operation"}}`)
	p.ask(`{"id":10,"op":"close","channel":"jobs"}`, `{"id":10}`)
	p.ask(`{"id":11,"op":"send","channel":"jobs","value":1}`, `{"id":11,"error":{"operation":"send","channel":"jobs","cause":"closed","message":"channel is closed"}}`)
}

// TestSocketEnds: what a client holds comes back when its socket ends, and what it
// waits for is not taken.
func TestSocketEnds(t *testing.T) {
	h := serve(t, web.Options{})
	words := open[string](h, "words", handoff.Slots(4))
	for _, cut := range []bool{true, false} {
		p := h.dial()
		if err := words.Send(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		p.say(`{"id":1,"op":"take","channel":"words","lease":"1h"}`)
		p.hear()
		p.say(`{"id":2,"op":"receive","channel":"words"}`)
		h.until("words", is("receivers_waiting", 1))
		if cut {
			p.conn.CloseNow()
		} else {
			p.conn.Close(websocket.StatusNormalClosure, "")
		}
		d, err := words.Take(t.Context())
		if err != nil || d.Value != "x" || d.Attempt != 2 {
			t.Fatalf("%+v, %v", d, err)
		}
		if err := d.Done(); err != nil {
			t.Fatal(err)
		}
		h.until("words", is("receivers_waiting", 0))
	}
}

// TestSocketSettles: a hold is settled over the socket, or by its name elsewhere.
func TestSocketSettles(t *testing.T) {
	h := serve(t, web.Options{})
	p := h.dial()
	p.ask(`{"id":0,"op":"open","channel":"jobs","slots":2,"carries":"text"}`, `{"id":0}`)
	for i, how := range []string{"return", "extend", "confirm"} {
		if how != "confirm" {
			h.want(200, `{"sent":1}`, "POST", c("jobs")+"/send", "x")
		}
		p.say(`{"id":1,"op":"take","channel":"jobs"}`)
		text := p.hear()
		_, rest, _ := strings.Cut(text, `"hold":"`)
		hold, _, _ := strings.Cut(rest, `"`)
		p.ask(fmt.Sprintf(`{"id":2,"op":%q,"hold":%q}`, how, hold), `{"id":2}`)
		if i == 1 {
			h.want(200, "{}", "POST", "/v1/holds/"+hold+"/confirm", "")
		}
	}
	h.until("jobs", is("received", 2))
}

// TestBadMessages end the socket, with the reason.
func TestBadMessages(t *testing.T) {
	h := serve(t, web.Options{MaxRequests: 1})
	for text, want := range map[string]string{
		`{`: "unexpected EOF", `[]`: "cannot unmarshal", `{"op":"info"}`: "without an id", `{"id":1,"what":2}`: "unknown field", `{"id":-1}`: "cannot unmarshal",
		`{"id":7,"op":"receive","channel":"x"}`: "request under way", `{"id":8,"op":"receive","channel":"x"}`: "more requests",
	} {
		p := h.dial()
		p.say(`{"id":7,"op":"receive","channel":"x"}`)
		p.say(text)
		var err error
		for err == nil { // what was under way is answered before
			_, _, err = p.conn.Read(p.ctx)
		}
		if got, ok := errors.AsType[websocket.CloseError](err); !ok || got.Code != websocket.StatusPolicyViolation || !strings.Contains(got.Reason, want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	_, resp, err := websocket.Dial(t.Context(), h.url+"/v1/socket", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://evil.example"}}})
	if err == nil || resp.StatusCode != 403 {
		t.Errorf("a page of another site: %v, %v", resp, err)
	}
}

// TestSocketAtTheEnd: the server's end is told.
func TestSocketAtTheEnd(t *testing.T) {
	h := serve(t, web.Options{})
	p := h.dial()
	p.say(`{"id":7,"op":"receive","channel":"x"}`)
	h.until("x", is("receivers_waiting", 1))
	closed := make(chan error, 1)
	go func() { closed <- h.web.Close(t.Context()) }()
	for {
		_, _, err := p.conn.Read(p.ctx)
		if err == nil {
			continue // the receive ends, perhaps before
		}
		if websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Error(err)
		}
		break
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestSocketSendsInOrder: of one socket, however many are under way.
func TestSocketSendsInOrder(t *testing.T) {
	h := serve(t, web.Options{})
	words := open[string](h, "words", handoff.Slots(2))
	p := h.dial()
	const n = 100
	go func() {
		for i := range n {
			p.conn.Write(p.ctx, websocket.MessageText, fmt.Appendf(nil, `{"id":%d,"op":"send","channel":"words","value":"%d"}`, i, i))
		}
	}()
	for i := range n {
		if v, err := words.Recv(p.ctx); err != nil || v != fmt.Sprint(i) {
			t.Fatalf("%q, %v, want %d", v, err, i)
		}
	}
	for range n {
		p.hear()
	}
}
