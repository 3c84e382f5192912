package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub/web"
)

// flow reads server-sent events.
type flow struct {
	t    *testing.T
	resp *http.Response
	in   *bufio.Scanner
}

// listen begins to read a stream, until leave.
func (h *home) listen(path string) (f *flow, leave func()) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", h.url+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		h.t.Fatalf("%s: %d %v", path, resp.StatusCode, resp.Header)
	}
	return &flow{h.t, resp, bufio.NewScanner(resp.Body)}, func() {
		cancel()
		resp.Body.Close()
	}
}

// next returns the kind and the data of the next event.
func (f *flow) next() (kind, data string) {
	f.t.Helper()
	for f.in.Scan() {
		line := f.in.Text()
		if s, ok := strings.CutPrefix(line, "event: "); ok {
			kind = s
		}
		if s, ok := strings.CutPrefix(line, "data: "); ok {
			return kind, s
		}
	}
	f.t.Fatalf("the stream has ended: %v", f.in.Err())
	return "", ""
}

func (f *flow) want(kind, data string) {
	f.t.Helper()
	if k, d := f.next(); k != kind || d != data {
		f.t.Fatalf("%s %s, want %s %s", k, d, kind, data)
	}
}

func TestStreamOfValues(t *testing.T) {
	h := serve(t, web.Options{})
	ch := open[string](h, "words", handoff.Slots(40))
	f, leave := h.listen(c("words") + "/values")
	for _, v := range []string{"a", "two\nlines"} {
		if err := ch.Send(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	f.want("value", `{"value":"a","attempt":1}`)
	f.want("value", `{"value":"two\nlines","attempt":1}`)
	leave()
	h.until("words", is("receivers_waiting", 0))
	if err := ch.Send(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if v, err := ch.Recv(t.Context()); err != nil || v != "b" {
		t.Errorf("%q, %v", v, err)
	}

	// With a lease no more than 16 are in its hands at once.
	for range 20 {
		if err := ch.Send(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	f, leave = h.listen(c("words") + "/values?lease=1h")
	defer leave()
	confirm := func() {
		t.Helper()
		_, data := f.next()
		var v struct{ Hold string }
		if err := json.Unmarshal([]byte(data), &v); err != nil {
			t.Fatal(err)
		}
		h.want(200, "{}", "POST", "/v1/holds/"+v.Hold+"/confirm", "")
	}
	h.until("words", is("held", 16))
	for range 20 {
		confirm()
	}
	if err := ch.Close(); err != nil {
		t.Fatal(err)
	}
	kind, data := f.next()
	if kind != "end" || !strings.Contains(data, `"cause":"closed"`) {
		t.Errorf("%s %s", kind, data)
	}
}

func TestStreamOfEvents(t *testing.T) {
	h := serve(t, web.Options{})
	f, leave := h.listen("/v1/events")
	defer leave()
	h.want(200, `{"sent":1}`, "POST", c("jobs")+"/send?slots=1", "x")
	hold, _ := h.want(200, "*", "POST", c("jobs")+"/take", "").json(t)["hold"].(string)
	h.want(200, "{}", "POST", "/v1/holds/"+hold+"/reject", `{"reason":"no good"}`)
	for { // other tests' channels are of this process too
		kind, data := f.next()
		if kind == "rejected" && strings.Contains(data, `"channel":"jobs"`) && strings.Contains(data, `"reason":"no good"`) {
			return
		}
	}
}

func TestSelect(t *testing.T) {
	h := serve(t, web.Options{})
	a, b := open[string](h, "a", handoff.Slots(1)), open[string](h, "b", handoff.Slots(1))
	choose := func(status int, want, ask string) {
		t.Helper()
		h.want(status, want, "POST", "/v1/select", ask)
	}
	both := `{"cases":[{"receive":"a"},{"take":"b","lease":"1m"},{"after":"1ms"}]}`
	choose(200, `{"case":2}`, both)
	choose(200, `{"case":1}`, `{"cases":[{"receive":"a"},{"default":true}]}`)
	choose(200, `{"case":1}`, `{"cases":[{"receive":"a"},{"after":"0s"}]}`)
	choose(204, "", `{"cases":[{"receive":"a"}],"timeout":"0s"}`)
	choose(204, "", `{"cases":[{"receive":"a"},{"after":"1h"}],"timeout":"1ms"}`)
	if err := a.Send(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	choose(200, `{"case":0,"channel":"a","value":"x","attempt":1}`, both)
	choose(200, `{"case":1,"channel":"b","sent":1}`, `{"cases":[{"receive":"a"},{"send":"b","value":"y"},{"default":true}]}`)
	if v, err := b.Recv(t.Context()); err != nil || v != "y" {
		t.Errorf("%q, %v", v, err)
	}
	// Both are ready: exactly one is taken, the first if that is asked for.
	if err := errorsOf(a.Send(t.Context(), "1"), b.Send(t.Context(), "2")); err != nil {
		t.Fatal(err)
	}
	choose(200, `{"case":0,"channel":"b","value":"2","attempt":1}`, `{"cases":[{"receive":"b"},{"receive":"a"}],"first":true}`)
	if n := a.Receiver.Len() + b.Receiver.Len(); n != 1 {
		t.Errorf("%d values are left, want 1", n)
	}
	choose(200, `{"case":0,"channel":"a","value":"1","attempt":1}`, both)

	if err := errorsOf(a.Stop("enough"), b.Close()); err != nil {
		t.Fatal(err)
	}
	choose(200, `{"case":0,"channel":"a","reason":"enough"}`, `{"cases":[{"stop":"a"}]}`)
	choose(200, `{"case":1,"channel":"b","closed":true}`, both)
	choose(410, `{"error":{"operation":"select","channel":"b","cause":"closed","message":"channel is closed","case":0}}`, `{"cases":[{"send":"b","value":"z"}]}`)
	for _, bad := range []string{
		`{}`, `{"cases":[]}`, `{"cases":[{}]}`, `{"cases":[{"receive":"a","take":"a"}]}`, `{"cases":[{"default":true}]}`, `{"cases":[{"after":"1s"}]}`,
		`{"cases":[{"receive":"a","value":1}]}`, `{"cases":[{"receive":"a","lease":"1s"}]}`, `{"cases":[{"send":"a","value":1}]}`, `{"case":[]}`,
	} {
		choose(400, "*", bad)
	}
}

// TestSelectAcross: a client's select and a Go program's meet, on the same case.
func TestSelectAcross(t *testing.T) {
	h := serve(t, web.Options{})
	a, b := open[string](h, "a"), open[string](h, "b")
	const rounds = 50
	got := make(chan answer, 1)
	for range rounds {
		go func() {
			r, err := h.request(t.Context(), "POST", "/v1/select", `{"cases":[{"receive":"a"},{"send":"b","value":"web"}],"timeout":"1m"}`)
			if err != nil {
				t.Error(err)
			}
			got <- r
		}()
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		received := ""
		i, err := handoff.Select(ctx, a.OnSend("go", nil), b.OnRecv(func(v string, _ bool) { received = v }))
		stop()
		if err != nil {
			t.Fatal(err)
		}
		want := []string{`{"case":0,"channel":"a","value":"go","attempt":1}`, `{"case":1,"channel":"b","sent":1}`}[i]
		if r := <-got; r.text != want || i == 1 && received != "web" {
			t.Fatalf("case %d, %q; %s", i, received, r.text)
		}
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
