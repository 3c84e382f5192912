package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/internal/event"
)

// serveHTTP runs handoff serve --http with more flags, and returns the URL of its
// channels and what ends it.
func serveHTTP(t *testing.T, more ...string) (channels string, end func() (code int, errs string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	lines, done := make(chan string, 9), make(chan int, 1)
	var errs bytes.Buffer
	out := &onLine{do: func(line string) { lines <- line }}
	go func() {
		done <- Run(ctx, append([]string{"serve", "--http", "localhost:0"}, more...), Streams{In: &bytes.Buffer{}, Out: out, Err: &errs})
	}()
	select {
	case line := <-lines:
		url, ok := strings.CutPrefix(strings.TrimSpace(line), "serving ")
		if !ok || !strings.HasPrefix(url, "http://127.0.0.1:") {
			t.Fatalf("%q", line)
		}
		return strings.TrimSuffix(url, "/NAME"), func() (int, string) {
			cancel()
			return <-done, errs.String()
		}
	case code := <-done:
		t.Fatalf("code %d: %s", code, errs.String())
	}
	return "", nil
}

func post(t *testing.T, url, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range header {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

func TestServeHTTP(t *testing.T) {
	channels, end := serveHTTP(t, "--origin", "https://shop.example")
	if code, text := post(t, channels+"/words/send?slots=4", "hello"); code != 200 || text != `{"sent":1}` {
		t.Errorf("%d %s", code, text)
	}
	if code, text := post(t, channels+"/words/receive", ""); code != 200 || text != `{"value":"hello","attempt":1}` {
		t.Errorf("%d %s", code, text)
	}
	for origin, want := range map[string]int{"https://shop.example": 200, "https://evil.example": 403} {
		if code, text := post(t, channels+"/words/send", "left", "Origin: "+origin); code != want {
			t.Errorf("%s: %d %s", origin, code, text)
		}
	}
	// What a client still holds at the end is told as what is in the slots is.
	if code, text := post(t, channels+"/words/take", ""); code != 200 {
		t.Errorf("%d %s", code, text)
	}
	var dropped []string
	defer event.Listen(func(e event.Event) {
		if e.Kind == event.Dropped && e.Channel == "words" {
			dropped = append(dropped, e.Reason)
		}
	})()
	code, errs := end()
	if code != codeInterrupted || !strings.Contains(errs, `"words"`) || len(dropped) != 1 {
		t.Errorf("code %d, err %q, dropped %q", code, errs, dropped)
	}
}

func TestServeHTTPRefuses(t *testing.T) {
	for addr, says := range map[string]string{
		"0.0.0.0:0": "only a loopback address can be served", ":0": "only a loopback address can be served", "nowhere": "not host:port",
	} {
		code, out, errs := run(t.Context(), "serve", "--http", addr)
		if code != codeError || out != "" || !strings.Contains(errs, says) {
			t.Errorf("%s: code %d, out %q, err %q, want %q", addr, code, out, errs, says)
		}
	}
	for _, bad := range []string{"shop.example", "https://shop.example/", "https://Shop.example", "*", "null"} {
		if code, _, errs := run(t.Context(), "serve", "--http", "localhost:0", "--origin", bad); code != codeUsage {
			t.Errorf("--origin %s: code %d, %s", bad, code, errs)
		}
	}
	if code, _, errs := run(t.Context(), "serve", "--tcp", "localhost:0", "--origin", "https://shop.example"); code != codeUsage {
		t.Errorf("--origin without --http: code %d, %s", code, errs)
	}
}
