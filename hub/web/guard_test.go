package web_test

import (
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/hub/web"
)

// TestForeignPages: what a browser sends for a page that has no business here.
func TestForeignPages(t *testing.T) {
	h := serve(t, web.Options{Origins: []string{"https://shop.example"}, Hosts: []string{"hub.example"}})
	for _, x := range []struct {
		status int
		header string
	}{
		{200, "Accept: */*"},
		{200, "Host: localhost:99"}, {200, "Host: 127.9.9.9"}, {200, "Host: [::1]:80"}, {200, "Host: hub.example:80"}, {200, "Host: LOCALHOST."},
		{403, "Host: evil.example"}, {403, "Host: localhost.evil.example"}, {403, "Host: 10.0.0.1"}, {403, "Host: 0.0.0.0"},
		{200, "Origin: " + h.url}, {200, "Origin: https://shop.example"},
		{403, "Origin: http://shop.example"}, {403, "Origin: https://shop.example.evil"}, {403, "Origin: null"}, {403, "Origin: http://localhost:1"},
		{403, "Origin: " + strings.Replace(h.url, "http", "https", 1)},
		{200, "Sec-Fetch-Site: same-origin"}, {200, "Sec-Fetch-Site: none"}, {403, "Sec-Fetch-Site: cross-site"}, {403, "Sec-Fetch-Site: same-site"},
	} {
		a := h.want(x.status, "*", "GET", "/v1/channels", "", x.header)
		shared := a.header.Get("Access-Control-Allow-Origin")
		if want := map[bool]string{true: "https://shop.example"}[x.header == "Origin: https://shop.example"]; shared != want {
			t.Errorf("%s: shared with %q", x.header, shared)
		}
		h.want(x.status, "*", "POST", c("words")+"/send?slots=100", "x", x.header)
	}
	// The question a browser asks before a page of a known origin may send JSON.
	a := h.want(204, "", "OPTIONS", c("words")+"/send", "", "Origin: https://shop.example", "Access-Control-Request-Method: POST")
	if got := a.header.Get("Access-Control-Allow-Headers"); !strings.Contains(got, "Content-Type") {
		t.Errorf("%v", a.header)
	}
	h.want(403, "*", "OPTIONS", c("words")+"/send", "", "Origin: https://evil.example", "Access-Control-Request-Method: POST")
	// An image or a script of an old browser, which says nothing of itself.
	h.want(406, "*", "GET", c("words")+"/values", "", "Accept: */*")
	h.want(406, "*", "GET", "/v1/events", "", "Accept: image/*")
}

// TestIdentity: who shows a token may do what the rights of the home say, nobody
// else anything, and a hold is of him who took it.
func TestIdentity(t *testing.T) {
	const ann, bob = "Authorization: Bearer 0123456789abcdef-ann", "Authorization: bearer 0123456789abcdef-bob"
	tokens, err := hub.ParseTokens(strings.NewReader("ann 0123456789abcdef-ann\nbob 0123456789abcdef-bob\n"))
	if err != nil {
		t.Fatal(err)
	}
	rights, err := hub.ParseRights(strings.NewReader("allow token:ann all *\nallow token:bob receive *\nallow token:bob inspect public\n"))
	if err != nil {
		t.Fatal(err)
	}
	h := serveHub(t, hub.Options{Tokens: tokens, Rights: rights}, web.Options{Identified: true})
	h.want(401, "*", "GET", "/v1/channels", "")
	for _, wrong := range []string{"Authorization: Bearer 0123456789abcdef-eve", "Authorization: Basic YW5uOg==", "Authorization: Bearer"} {
		h.want(401, "*", "GET", "/v1/channels", "", wrong)
	}
	h.want(201, "*", "PUT", c("private"), `{"slots":4}`, ann)
	h.want(201, "*", "PUT", c("public"), "", ann)
	h.want(200, "*", "POST", c("private")+"/send", "x", ann)
	h.want(200, "*", "POST", c("private")+"/send", "y", ann)
	for _, x := range []struct{ method, path, right string }{
		{"PUT", c("private"), "create"}, {"GET", c("private"), "inspect"}, {"POST", c("private") + "/send", "send"},
		{"POST", c("private") + "/close", "close"}, {"POST", c("fresh") + "/receive", "create"},
	} {
		h.want(403, "*", x.method, x.path, "", bob)
		if a := h.ask(x.method, x.path, "", bob); !strings.Contains(a.text, "token:bob has no right to "+x.right+" here") {
			t.Errorf("%s %s: %s", x.method, x.path, a.text)
		}
	}
	h.want(403, "*", "POST", "/v1/select", `{"cases":[{"send":"private","value":"x"}]}`, bob)
	h.want(204, "", "POST", c("public")+"/receive?timeout=0s", "", bob)
	if got := h.ask("GET", "/v1/channels", "", bob).json(t)["channels"].([]any); len(got) != 1 {
		t.Errorf("bob sees %v", got)
	}
	hold, _ := h.want(200, "*", "POST", c("private")+"/take", "", ann).json(t)["hold"].(string)
	h.want(410, "*", "POST", "/v1/holds/"+hold+"/confirm", "", bob)
	h.want(200, "{}", "POST", "/v1/holds/"+hold+"/confirm", "", ann)
	// A dead letter is no way around rights: bob may not send there.
	h.want(403, "*", "PUT", c("more"), `{"slots":1,"deadletter":"private"}`, bob)
}

func TestOnlyLoopback(t *testing.T) {
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(hub.New(hub.Options{}), web.Options{})
	if err := s.Serve(l); err == nil || !strings.Contains(err.Error(), "reached from outside") {
		t.Errorf("%v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it still listens: %v", err)
	}
}

func TestLimits(t *testing.T) {
	h := serve(t, web.Options{MaxBody: 100, MaxWaiting: 1, MaxHolds: 1})
	h.want(201, "*", "PUT", c("words"), `{"slots":4}`)
	h.want(413, "*", "POST", c("words")+"/send", strings.Repeat("x", 101))
	h.want(201, "*", "PUT", c("small"), `{"slots":1,"maxvalue":4}`)
	h.want(413, "*", "POST", c("small")+"/send", "12345")
	h.want(413, "*", "POST", c("small")+"/send", "1", "Handoff-Header: k="+strings.Repeat("v", 1<<15))
	got := make(chan answer, 1)
	go func() {
		a, _ := h.request(t.Context(), "POST", c("words")+"/receive?timeout=1m", "")
		got <- a
	}()
	h.until("words", is("receivers_waiting", 1))
	if cause, _, _ := h.want(429, "*", "POST", c("words")+"/receive", "").cause(t); cause != "limit" {
		t.Error(cause)
	}
	ch := open[string](h, "words")
	for _, v := range []string{"a", "b", "c"} {
		if err := ch.Send(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	<-got
	h.want(200, "*", "POST", c("words")+"/take", "")
	h.want(429, "*", "POST", c("words")+"/take", "")
	h.want(200, `{"value":"c","attempt":1}`, "POST", c("words")+"/receive", "")
}

// broken is a client whose connection breaks while it is answered.
type broken struct{ *httptest.ResponseRecorder }

func (b broken) Write(p []byte) (int, error) { return 0, errors.New("broken pipe") }

// TestTheAnswerIsNotWritten: a value whose receiver could not be told goes back
// with its attempt raised, as he may have seen it.
func TestTheAnswerIsNotWritten(t *testing.T) {
	h := serve(t, web.Options{})
	h.want(200, "*", "POST", c("words")+"/send?slots=1", "x")
	for i, path := range []string{"/receive", "/take?lease=1h", "/values"} {
		r := httptest.NewRequest("POST", h.url+c("words")+path, nil)
		if path == "/values" {
			r.Method = "GET"
			r.Header.Set("Accept", "text/event-stream")
		}
		h.web.ServeHTTP(broken{httptest.NewRecorder()}, r)
		f := h.ask("GET", c("words"), "").json(t)["figures"].(map[string]any)
		if f["ready"] != 1.0 || f["held"] != 0.0 || f["received"] != 0.0 {
			t.Errorf("%d: after a broken %s: %v", i, path, f)
		}
	}
	h.want(200, `{"value":"x","attempt":3}`, "POST", c("words")+"/receive", "")
}
