package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/hub/web"
	_ "github.com/handoff-go/handoff/netchan"
)

// home is a hub with a door of each kind.
type home struct {
	t    *testing.T
	hub  *hub.Hub
	web  *web.Server
	url  string // of the HTTP face
	unix string // of channels, without a name
}

// serve begins a home, which ends with the test.
func serve(t *testing.T, opts web.Options) *home {
	t.Helper()
	return serveHub(t, hub.Options{Name: "test"}, opts)
}

// serveHub is serve of a hub that is not just any.
func serveHub(t *testing.T, of hub.Options, opts web.Options) *home {
	t.Helper()
	h := &home{t: t, hub: hub.New(of)}
	h.web = web.New(h.hub, opts)
	tcp, err := hub.ListenTCP("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "s")
	unix, err := hub.ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	h.url, h.unix = "http://"+tcp.Addr().String(), "unix:"+path+"?chan="
	ended := make(chan error, 2)
	go func() { ended <- h.web.Serve(tcp) }()
	go func() { ended <- h.hub.Serve(unix) }()
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
		defer stop()
		if err := h.web.Close(ctx); err != nil && !errors.Is(err, hub.ErrClosed) {
			t.Errorf("closing: %v", err)
		}
		h.hub.Close(ctx) // what is left in slots is the test's affair
		for range 2 {
			if err := <-ended; !errors.Is(err, hub.ErrClosed) {
				t.Errorf("serving: %v", err)
			}
		}
	})
	return h
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	text   string
}

// json decodes the body.
func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.text), &v); err != nil {
		t.Fatalf("%d %q: %v", a.status, a.text, err)
	}
	return v
}

// cause is what an error says.
func (a answer) cause(t *testing.T) (cause, field, message string) {
	t.Helper()
	e, _ := a.json(t)["error"].(map[string]any)
	cause, _ = e["cause"].(string)
	field, _ = e["field"].(string)
	message, _ = e["message"].(string)
	return cause, field, message
}

// request makes one, with header lines "Key: value".
func (h *home) request(ctx context.Context, method, path, body string, header ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, h.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for _, line := range header {
		k, v, _ := strings.Cut(line, ": ")
		if k == "Host" {
			r.Host = v
		}
		r.Header.Add(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, strings.TrimSpace(string(b))}, err
}

// ask makes a request that must be answered.
func (h *home) ask(method, path, body string, header ...string) answer {
	h.t.Helper()
	a, err := h.request(h.t.Context(), method, path, body, header...)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// want makes a request whose answer must be this.
func (h *home) want(status int, text, method, path, body string, header ...string) answer {
	h.t.Helper()
	a := h.ask(method, path, body, header...)
	if a.status != status || text != "*" && a.text != text {
		h.t.Fatalf("%s %s: %d %s, want %d %s", method, path, a.status, a.text, status, text)
	}
	return a
}

const asJSON = "Content-Type: application/json"

func c(name string) string { return "/v1/channels/" + name }

// open opens a channel of the home as Go programs do.
func open[T any](h *home, name string, opts ...handoff.Option) handoff.Chan[T] {
	h.t.Helper()
	ch, err := handoff.Open[T](h.t.Context(), h.unix+name, opts...)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { ch.Sender.Detach() })
	return ch
}

// until waits until the figures of a channel are as they must be.
func (h *home) until(name string, ok func(figures map[string]any) bool) {
	h.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		got := h.ask("GET", c(name), "").json(h.t)
		f, _ := got["figures"].(map[string]any)
		if f != nil && ok(f) {
			return
		}
		if time.Now().After(end) {
			h.t.Fatalf("%s stays %v", name, got)
		}
	}
}

func is(key string, n float64) func(map[string]any) bool {
	return func(f map[string]any) bool { return f[key] == n }
}
