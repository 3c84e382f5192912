package web_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub/web"
)

func TestSendAndReceive(t *testing.T) {
	h := serve(t, web.Options{})
	h.want(200, `{"sent":1}`, "POST", c("words")+"/send?slots=3", "hello", "Content-Type: application/x-www-form-urlencoded")
	h.want(200, `{"sent":1}`, "POST", c("words")+"/send", "a < b", "Content-Type: text/plain; charset=utf-8", "Handoff-Header: a%3Db=c%20d")
	h.want(200, `{"sent":1}`, "POST", c("words")+"/send", `"gr\u00fc\u00df\n"`, asJSON)
	h.want(503, "*", "POST", c("words")+"/send?timeout=0s", "full")
	h.want(504, "*", "POST", c("words")+"/send?timeout=1ms", "late")
	h.want(200, `{"value":"hello","attempt":1}`, "POST", c("words")+"/receive", "")
	h.want(200, `{"value":"a < b","attempt":1,"headers":{"a=b":"c d"}}`, "POST", c("words")+"/receive", "")
	a := h.want(200, "grüß", "POST", c("words")+"/receive", "", "Accept: text/plain")
	if got := a.header.Get("Handoff-Attempt"); got != "1" {
		t.Errorf("Handoff-Attempt %q", got)
	}
	h.want(200, `{"sent":1}`, "POST", c("words")+"/send", "x", "Handoff-Header: a+b=%3D+%20")
	a = h.want(200, "x", "POST", c("words")+"/take", "", "Accept: application/octet-stream")
	if got := a.header.Get("Handoff-Header"); got != "a%2Bb=%3D%2B%20" {
		t.Errorf("Handoff-Header %q", got)
	}
	h.want(200, "{}", "POST", "/v1/holds/"+a.header.Get("Handoff-Hold")+"/confirm", "")
	h.want(204, "", "POST", c("words")+"/receive?timeout=0s", "")
	h.want(204, "", "POST", c("words")+"/receive?timeout=1ms", "")
	h.want(200, `{}`, "POST", c("words")+"/close", "")
	for _, op := range []string{"/receive", "/send", "/close", "/take"} {
		if cause, _, _ := h.want(410, "*", "POST", c("words")+op, "{}").cause(t); cause != "closed" {
			t.Errorf("%s of a closed channel: %s", op, cause)
		}
	}
}

// TestLongPoll: a receive waits for its value, and a rendezvous for both.
func TestLongPoll(t *testing.T) {
	h := serve(t, web.Options{})
	got := make(chan answer, 1)
	go func() {
		a, err := h.request(t.Context(), "POST", c("meet%2Fhere")+"/receive?timeout=1m", "")
		if err != nil {
			t.Error(err)
		}
		got <- a
	}()
	h.until("meet%2Fhere", is("receivers_waiting", 1))
	h.want(200, `{"sent":1}`, "POST", c("meet%2Fhere")+"/send", `{"n":1}`, asJSON)
	if a := <-got; a.text != `{"value":{"n":1},"attempt":1}` {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestTake(t *testing.T) {
	h := serve(t, web.Options{})
	h.want(201, "*", "PUT", c("jobs"), `{"slots":4,"carries":"json","deadletter":"chan=graves&slots=4"}`)
	take := func(want string) string {
		t.Helper()
		a := h.want(200, "*", "POST", c("jobs")+"/take?lease=1m", "")
		hold, _ := a.json(t)["hold"].(string)
		if got := strings.Replace(a.text, hold, "HOLD", 1); hold == "" || got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		return "/v1/holds/" + hold
	}
	h.want(200, `{"sent":1}`, "POST", c("jobs")+"/send", `1`)
	x := take(`{"value":1,"attempt":1,"hold":"HOLD","lease":"1m0s"}`)
	h.want(200, "{}", "POST", x+"/return", "")
	h.want(410, "*", "POST", x+"/return", "")
	x = take(`{"value":1,"attempt":2,"hold":"HOLD","lease":"1m0s"}`)
	h.want(400, "*", "POST", x+"/extend", `{"lease":"0s"}`)
	h.want(200, "{}", "POST", x+"/extend", `{"lease":"2m"}`)
	h.want(200, "{}", "POST", x+"/confirm", "")
	h.want(410, "*", "POST", x+"/confirm", "")
	h.want(410, "*", "POST", "/v1/holds/nix/confirm", "")

	h.want(200, `{"sent":1}`, "POST", c("jobs")+"/send", `2`)
	x = take(`{"value":2,"attempt":1,"hold":"HOLD","lease":"1m0s"}`)
	h.want(200, "{}", "POST", x+"/reject", `{"reason":"no good"}`)
	h.want(200, `{"value":{"attempts":1,"from":"jobs","reason":"no good","value":2},"attempt":1}`, "POST", c("graves")+"/receive", "")
	h.want(415, "*", "POST", c("graves")+"/send", `{}`)
	h.want(204, "", "POST", c("jobs")+"/take?timeout=0s", "")
}

// TestLeaseEnds: what is held too long comes again.
func TestLeaseEnds(t *testing.T) {
	h := serve(t, web.Options{})
	h.want(200, `{"sent":1}`, "POST", c("jobs")+"/send?slots=1", `1`, asJSON)
	a := h.want(200, "*", "POST", c("jobs")+"/take?lease=20ms", "")
	h.want(200, `{"value":1,"attempt":2}`, "POST", c("jobs")+"/receive", "")
	hold, _ := a.json(t)["hold"].(string)
	h.want(410, "*", "POST", "/v1/holds/"+hold+"/confirm", "")
}

// TestRejected: the sender of a rendezvous hears why its value was refused.
func TestRejected(t *testing.T) {
	h := serve(t, web.Options{})
	got := make(chan answer, 1)
	go func() {
		a, _ := h.request(t.Context(), "POST", c("jobs")+"/send", `{}`, asJSON)
		got <- a
	}()
	a := h.want(200, "*", "POST", c("jobs")+"/take?lease=1m", "")
	hold, _ := a.json(t)["hold"].(string)
	h.want(200, "{}", "POST", "/v1/holds/"+hold+"/reject", `{"reason":"too dear"}`)
	cause, _, message := (<-got).cause(t)
	if cause != "rejected" || !strings.Contains(message, "too dear") {
		t.Errorf("%s: %s", cause, message)
	}
}

// TestInDoubt: a send whose time is over while its value is held is in doubt, and
// says so.
func TestInDoubt(t *testing.T) {
	h := serve(t, web.Options{})
	got := make(chan answer, 1)
	go func() {
		a, _ := h.request(t.Context(), "POST", c("jobs")+"/send?timeout=2s", `{}`, asJSON)
		got <- a
	}()
	h.want(200, "*", "POST", c("jobs")+"/take?lease=1m", "")
	a := <-got
	if e, _ := a.json(t)["error"].(map[string]any); a.status != 504 || e["cause"] != "timed out" || e["in_doubt"] != true {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// TestClientLeaves: a client that goes away while it waits takes nothing with it.
func TestClientLeaves(t *testing.T) {
	h := serve(t, web.Options{})
	ch := open[string](h, "words", handoff.Slots(0))
	for _, op := range []string{"/receive?timeout=1m", "/take?timeout=1m"} {
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := h.request(ctx, "POST", c("words")+op, "")
			gone <- err
		}()
		h.until("words", is("receivers_waiting", 1))
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		h.until("words", is("receivers_waiting", 0))
	}
	// The same for one that sends: it has the value still.
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := h.request(ctx, "POST", c("words")+"/send?timeout=1m", "x")
		gone <- err
	}()
	h.until("words", is("senders_waiting", 1))
	leave()
	<-gone
	h.until("words", is("senders_waiting", 0))
	if v, ok, err := ch.TryRecv(); ok || err != nil {
		t.Errorf("%q, %v", v, err)
	}
}

// TestPollingIsNotLeaving: between two requests the receiver has not left, which
// would stop the senders.
func TestPollingIsNotLeaving(t *testing.T) {
	h := serve(t, web.Options{Linger: 2 * time.Second})
	sender, err := handoff.OpenSender[string](t.Context(), h.unix+"words&slots=3")
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Detach()
	for range 2 {
		if err := sender.Send(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		h.want(200, "*", "POST", c("words")+"/receive", "")
	}
	if stopped, _ := h.ask("GET", c("words"), "").json(t)["figures"].(map[string]any)["stopped"].(bool); stopped {
		t.Error("stopped between two polls")
	}
	// Once it stays away, it has.
	stopped := false
	if _, err := handoff.Select(t.Context(), sender.OnStop(func(string) { stopped = true })); err != nil || !stopped {
		t.Errorf("stopped %v, %v", stopped, err)
	}
}

func TestStop(t *testing.T) {
	h := serve(t, web.Options{})
	ch := open[string](h, "words", handoff.Slots(1))
	h.want(200, "{}", "POST", c("words")+"/stop", `{"reason":"enough"}`)
	why := ""
	if _, err := handoff.Select(t.Context(), ch.OnStop(func(r string) { why = r })); err != nil || why != "enough" {
		t.Errorf("%q, %v", why, err)
	}
}

func TestMaking(t *testing.T) {
	h := serve(t, web.Options{})
	h.want(201, "*", "PUT", c("a"), `{"slots":2,"carries":"text","maxhold":"1m","maxattempts":3}`)
	a := h.want(200, "*", "PUT", c("a"), "").json(t)
	if a["carries"] != "raw:string" || a["kind"] != "text" || a["slots"] != 2.0 || a["maxhold"] != "1m0s" || a["maxattempts"] != 3.0 {
		t.Errorf("%v", a)
	}
	h.want(200, "*", "PUT", c("a"), `{"slots":2}`)
	h.want(409, "*", "PUT", c("a"), `{"slots":3}`)
	h.want(409, "*", "PUT", c("a"), `{"carries":"json"}`)
	h.want(409, "*", "PUT", c("a"), `{"create":"new"}`)
	h.want(404, "*", "PUT", c("b"), `{"create":"no"}`)
	h.want(404, "*", "GET", c("b"), "")
	h.want(404, "*", "POST", c("b")+"/receive?create=no", "")
	for _, bad := range []string{`{"slots":-1}`, `{"slot":1}`, `{"slots":"1"}`, `{"create":"maybe"}`, `[]`, `{} {}`, `{"maxhold":5}`, `{"maxhold":"9000h"}`} {
		h.want(400, "*", "PUT", c("b"), bad)
	}
	h.want(413, "*", "PUT", c("b"), `{"slots":2000000000}`)
	for _, bad := range []string{"slot=1", "slots=x", "slots=1&slots=1", "timeout=5", "timeout=2h", "timeout=-1s", "lease=1s", "autoclose=perhaps", "%zz"} {
		h.want(400, "*", "POST", c("b")+"/receive?"+bad, "")
	}
	h.want(404, "*", "GET", c("b"), "")
	if got := h.ask("GET", "/v1/channels?max=1", "").json(t); got["more"] != false {
		t.Errorf("%v", got)
	}
	h.want(201, "*", "PUT", c("z%2F%25"), "")
	if got := h.ask("GET", "/v1/channels?max=1", "").json(t); got["more"] != true || got["next"] != "a" {
		t.Errorf("%v", got)
	}
	got := h.ask("GET", "/v1/channels?after=a", "").json(t)["channels"].([]any)
	if len(got) != 1 || got[0].(map[string]any)["name"] != "z/%" {
		t.Errorf("%v", got)
	}
	h.want(405, "*", "DELETE", c("a"), "")
	h.want(404, "*", "GET", "/v2", "")
}

// TestCloseOfTheServer: what waits is told, and what is held comes back.
func TestCloseOfTheServer(t *testing.T) {
	h := serve(t, web.Options{})
	ch := open[string](h, "words", handoff.Slots(1))
	if err := ch.Send(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	h.want(200, "*", "POST", c("words")+"/take?lease=1h", "")
	got := make(chan answer, 1)
	go func() {
		a, err := h.request(t.Context(), "POST", c("words")+"/receive?timeout=1h", "")
		if err != nil {
			t.Error(err)
		}
		got <- a
	}()
	h.until("words", is("receivers_waiting", 1))
	if err := h.web.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := <-got; a.status != 503 {
		t.Errorf("%d %s", a.status, a.text)
	}
	d, err := ch.Take(t.Context())
	if err != nil || d.Attempt != 2 {
		t.Errorf("%+v, %v", d, err)
	}
	d.Done()
}
