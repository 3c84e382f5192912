package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// expect is set where the tests must find a browser and Node, as .ci/run does.
const expect = "HANDOFF_EXPECT_BROWSER"

// program returns where one of some programs is. Without any the test is skipped,
// or fails where they are expected.
func program(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv(expect) != "" {
		t.Fatalf("%s is set, and there is none of %q", expect, names)
	}
	t.Skipf("there is none of %q", names)
	return ""
}

// tab is a page in a browser, driven over the browser's own protocol.
type tab struct {
	t    *testing.T
	ctx  context.Context
	conn *websocket.Conn
	last int

	loaded bool
}

// message is an answer of the browser, or an event.
type message struct {
	ID     int
	Method string
	Result json.RawMessage
	Error  *struct{ Message string }
}

// read reads the next message.
func (p *tab) read() (m message) {
	p.t.Helper()
	_, b, err := p.conn.Read(p.ctx)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.loaded = p.loaded || m.Method == "Page.loadEventFired"
	return m
}

// browse opens a page in a browser that ends with the test.
func browse(t *testing.T, page string) *tab {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	profile := folder(t)
	cmd := exec.CommandContext(ctx, program(t, "chromium", "chromium-browser", "google-chrome"),
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--user-data-dir="+profile, "--remote-debugging-port=0", "--window-size=800,720", "about:blank")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		cmd.Wait()
	})
	lines := bufio.NewScanner(said)
	at := ""
	for at == "" && lines.Scan() {
		_, at, _ = strings.Cut(lines.Text(), "DevTools listening on ")
	}
	if at == "" {
		t.Fatalf("the browser ended: %v", lines.Err())
	}
	go func() { // ends with the browser
		for lines.Scan() {
		}
	}()
	browser := &tab{t: t, ctx: ctx, conn: dial(t, ctx, at)}
	var made struct{ TargetID string }
	browser.do("Target.createTarget", map[string]any{"url": "about:blank"}, &made)
	host := strings.Split(at, "/devtools/")[0]
	p := &tab{t: t, ctx: ctx, conn: dial(t, ctx, host+"/devtools/page/"+made.TargetID)}
	p.do("Page.enable", map[string]any{}, nil)
	p.do("Page.navigate", map[string]any{"url": page}, nil)
	for !p.loaded {
		p.read()
	}
	return p
}

// folder is t.TempDir for a browser, whose processes write on for a moment when the
// first of them is gone.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for end := time.Now().Add(10 * time.Second); ; {
			err := os.RemoveAll(dir)
			if err == nil {
				return
			}
			if time.Now().After(end) {
				t.Error(err)
				return
			}
		}
	})
	return dir
}

func dial(t *testing.T, ctx context.Context, url string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}

// do runs a command of the browser's protocol.
func (p *tab) do(method string, params, result any) {
	p.t.Helper()
	p.last++
	b, err := json.Marshal(map[string]any{"id": p.last, "method": method, "params": params})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.conn.Write(p.ctx, websocket.MessageText, b); err != nil {
		p.t.Fatal(err)
	}
	for {
		answer := p.read()
		if answer.ID != p.last {
			continue // an event
		}
		if answer.Error != nil {
			p.t.Fatalf("%s: %s", method, answer.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(answer.Result, result); err != nil {
				p.t.Fatal(err)
			}
		}
		return
	}
}

// eval runs a script in the page, which may be a promise, and returns its string.
func (p *tab) eval(script string) string {
	p.t.Helper()
	var got struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Exception struct{ Description string }
		}
	}
	p.do("Runtime.evaluate", map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true}, &got)
	if got.ExceptionDetails != nil {
		p.t.Fatalf("%s: %s", script, got.ExceptionDetails.Exception.Description)
	}
	return fmt.Sprint(got.Result.Value)
}

// until waits in the page until an expression is true.
func (p *tab) until(expression string) {
	p.t.Helper()
	ok := p.eval(`new Promise((done) => {
		const begun = Date.now();
		(function look() {
			if (` + expression + `) done("yes");
			else if (Date.now() - begun > 20000) done("it shows: " + document.body?.innerText);
			else setTimeout(look, 10);
		})();
	})`)
	if ok != "yes" {
		p.t.Fatalf("%s does not come: %s", expression, ok)
	}
}

// picture keeps what the page looks like, if somebody wants to see it.
func (p *tab) picture() {
	p.t.Helper()
	file := os.Getenv("HANDOFF_PICTURE")
	if file == "" {
		return
	}
	var got struct{ Data string }
	p.do("Page.captureScreenshot", map[string]any{"format": "png"}, &got)
	b, err := base64.StdEncoding.DecodeString(got.Data)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
