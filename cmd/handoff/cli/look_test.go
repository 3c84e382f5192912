package cli

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/cmd/handoff/internal/demo"
)

// figuresIn are the JSON objects in text, one per line.
func figuresIn(t *testing.T, text string) (all []figures) {
	t.Helper()
	for line := range strings.Lines(text) {
		var f figures
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

func TestInfo(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c&slots=4")
	wants(t, codeDone, "", "", "1\n2\n3", "send", c)
	wants(t, codeDone, "1\n", "", "", "recv", "-n", "1", c)
	ch := s.open(t, "chan=c")
	if _, err := ch.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, out, errs := run(t.Context(), "info", "--json", s.url("chan=c"))
	want := figures{Channel: "c", Type: "raw:string", Slots: 4, Len: 1, Held: 1, Senders: 1, Receivers: 1, Sent: 3, Received: 1, Stopped: true}
	if got := figuresIn(t, out); len(got) != 1 || !reflect.DeepEqual(got[0], want) || errs != "" {
		t.Errorf("%+v, %q, want %+v", got, errs, want)
	}
	_, out, _ = run(t.Context(), "info", c)
	for _, line := range []string{"channel      c\n", "values       text\n", "slots        4, of which 1 ready and 1 held\n", "ends         1 may send, 1 may receive\n"} {
		if !strings.Contains(out, line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
	ch.Detach()
	// Looking is no end of a channel, and makes none.
	_, out, _ = run(t.Context(), "info", "--json", c)
	if got := figuresIn(t, out); len(got) != 1 || got[0].Senders+got[0].Receivers != 0 || got[0].Len != 2 {
		t.Errorf("%+v", got)
	}
	wants(t, codeError, "", "no such channel", "", "info", s.url("chan=nope"))
	wants(t, codeError, "", "no such channel", "", "close", s.url("chan=nope"))
	_, out, _ = run(t.Context(), "ls", "--json", s.url(""))
	if got := figuresIn(t, out); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	s.end(t)
}

func TestLs(t *testing.T) {
	s := startServe(t)
	home := strings.TrimSuffix(s.url(""), "?")
	wants(t, codeDone, "no channels\n", "", "", "ls", home)
	wants(t, codeDone, "", "", "", "ls", "--json", home)
	wants(t, codeDone, "", "", "x", "send", s.url("chan=b&slots=1"))
	wants(t, codeDone, "", "", "1", "send", "--json", "--close", s.url("chan=a&slots=2&schema=job"))
	if _, err := handoff.Open[int64](t.Context(), s.url("chan=c")); err != nil {
		t.Fatal(err)
	}
	wants(t, codeDone, `  slots  ready  held  waiting  ends  sent  received   state    values  channel
      2      1     0      0+0   0+0     1         0  closed  json job  a
      1      1     0      0+0   0+0     1         0    open      text  b
      0      0     0      0+0   1+1     0         0    open    memory  c
`, "", "", "ls", home)
	_, out, _ := run(t.Context(), "ls", "--json", home)
	var names []string
	for _, f := range figuresIn(t, out) {
		names = append(names, f.Channel)
	}
	if !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("%q", names)
	}
	s.end(t)
}

// complete is what a shell would offer.
func complete(t *testing.T, args ...string) []string {
	t.Helper()
	_, out, _ := run(t.Context(), append([]string{"__complete"}, args...)...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[:len(lines)-1] // the last is for the shell
}

func TestCompletion(t *testing.T) {
	s := startServe(t)
	wants(t, codeDone, "", "", "x", "send", s.url("chan=alpha&slots=1"))
	wants(t, codeDone, "", "", "x", "send", s.url("chan=b%20c&slots=1"))
	for _, c := range []struct{ args, want []string }{
		{[]string{"recv", ""}, []string{"pipe:", "quic:", "shm:", "tcp:", "tls:", "unix:"}},
		{[]string{"recv", "u"}, []string{"unix:"}},
		{[]string{"recv", s.url("chan=")}, []string{s.url("chan=alpha"), s.url("chan=b+c")}},
		{[]string{"select", s.url("chan=alpha"), s.url("chan=b")}, []string{s.url("chan=b+c")}},
		{[]string{"recv", s.url("chan=alpha"), ""}, nil},
		{[]string{"recv", "unix:/no/such.sock?chan="}, nil},
		{[]string{"demo", "--over", ""}, demo.Media()},
		{[]string{"demo", "--kill-at", ""}, []string{"take", "between"}},
		{[]string{"pi"}, []string{"pipe\tJoin commands by channels, several of a kind where that helps"}},
	} {
		if got := complete(t, c.args...); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.args, got, c.want)
		}
	}
	s.end(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, out, errs := run(t.Context(), "completion", shell); code != codeDone || out == "" || errs != "" {
			t.Errorf("%s: code %d, err %q", shell, code, errs)
		}
	}
}

// mute is a home that says nothing, or says it wrongly.
func mute(t *testing.T, says string) (base string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte(says))
			conn.Close()
		}
	}()
	return "tcp://" + l.Addr().String()
}

// Whatever is wrong is one line and the right exit code, for every command that
// takes a URL.
func TestBadURLs(t *testing.T) {
	s := startServe(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	ch := s.open(t, "chan=text&slots=2&maxvalue=8")
	table := []struct {
		url  string
		code int
		says string
	}{
		{"", codeUsage, `"" is no URL: want pipe:, quic:, shm:, tcp:, tls:, unix:`},
		{"text", codeUsage, `"text" is no URL`},
		{"unix", codeUsage, `"unix" is no URL`},
		{":", codeUsage, "malformed URL"},
		{"unix:/x?chan=%zz", codeUsage, "malformed URL"},
		{"unix:/x\n?chan=y", codeUsage, "malformed URL"},
		{"avian:/x", codeUsage, "no medium has the scheme avian"},
		{"mem:x", codeUsage, "lives within one process"},
		{"unix:/x?chan=y&codec=gob", codeUsage, "not codec=gob"},
		{"unix:", codeUsage, "the path of the socket is missing"},
		{"unix://host/x?chan=y", codeUsage, "want unix:/path.sock?chan=NAME"},
		{"unix:" + filepath.Join(dir, "no.sock") + "?chan=x", codeError, "home unreachable: there is no socket"},
		{"unix:" + file + "?chan=x", codeError, "home unreachable"},
		{"tcp://localhost/x", codeUsage, "the port is missing"},
		{"tcp://localhost:1/x", codeError, "home unreachable: nobody listens"},
		{"tcp://localhost:99999/x", codeUsage, "99999 is not a port"},
		{mute(t, "") + "/x", codeError, "home unreachable"},
		{mute(t, "HTTP/1.1 400 Bad Request\r\n\r\n") + "/x", codeError, "home unreachable"},
		{"pipe:?chan=x", codeUsage, "the path of a FIFO is missing"},
		{"pipe:?in=77&out=78&chan=x", codeError, ""},
	}
	for _, c := range table {
		for _, cmd := range [][]string{{"send", c.url, "x"}, {"recv", c.url}, {"select", c.url}, {"close", c.url}, {"info", c.url}, {"ls", c.url}} {
			checkBad(t, c.code, c.says, cmd...)
		}
	}
	for _, c := range []struct {
		params string
		code   int
		says   string
	}{
		{"", codeUsage, "channel's name"},
		{"chan=a%00b", codeUsage, "control characters"},
		{"chan=a&chan=b", codeUsage, "chan is said 2 times"},
		{"chan=text&colour=red", codeUsage, "unknown parameter colour"},
		{"chan=text&slots=3", codeError, "it has slots=2, not 3"},
		{"chan=text&slots=-1", codeUsage, "slots=-1 is negative"},
		{"chan=text&slots=two", codeUsage, "slots=two"},
		{"chan=text&slots=1&slots=2", codeUsage, "slots said as 1 and as 2"},
		{"chan=text&maxvalue=9", codeError, "it has maxvalue=8, not 9"},
		{"chan=text&create=new", codeError, "exists already"},
		{"chan=new&create=no", codeError, "no such channel"},
		{"chan=new&create=perhaps", codeUsage, "is not yes, no or new"},
		{"chan=text&codec=json", codeError, "it carries text: leave out --json, codec=json and schema="},
		{"chan=new&slots=2147483647", codeError, "2147483647"},
		{"chan=new&maxvalue=2147483647", codeError, "maxvalue=2147483647"},
	} {
		for _, cmd := range [][]string{{"send", s.url(c.params), "1"}, {"recv", s.url(c.params)}, {"select", s.url(c.params)}} {
			checkBad(t, c.code, c.says, cmd...)
		}
	}
	// Nothing was made, and nothing sent.
	if st := ch.Stats(); st.Sent != 0 {
		t.Errorf("%+v", st)
	}
	checkBad(t, codeError, "1 value sent, value 2 was not", "send", s.url("chan=text"), "small", "much too large")
	if v, err := ch.Recv(t.Context()); v != "small" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	_, out, _ := run(t.Context(), "ls", "--json", s.url(""))
	if got := figuresIn(t, out); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	ch.Detach()
	s.end(t)
}

func checkBad(t *testing.T, code int, says string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	got, out, errs := run(ctx, args...)
	if got != code || out != "" || !strings.Contains(errs, says) {
		t.Errorf("%q: code %d, out %q, err %q, want %d, %q", args, got, out, errs, code, says)
	}
	checkOneLine(t, errs)
}

// A folder that may not be entered is told as such.
func TestFolderDenied(t *testing.T) {
	if !denied(t) {
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	checkBad(t, codeError, "permission denied", "serve", "--unix", filepath.Join(dir, "s"))
	checkBad(t, codeError, "is not for this user", "recv", "unix:"+filepath.Join(dir, "s")+"?chan=x")
	checkBad(t, codeError, "permission denied", "pipe", "--failed", filepath.Join(dir, "f"), "cat")
}

// TestOptionsAreThoseOfTheRoot: a parameter that the root takes from a URL is none
// that a medium knows, so what looks at a home must leave it out.
func TestOptionsAreThoseOfTheRoot(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../../options.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && v.Names[0].Name == "parameters" {
			for _, e := range v.Values[0].(*ast.CompositeLit).Elts {
				name, err := strconv.Unquote(e.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, name)
			}
		}
		return true
	})
	if len(want) == 0 || !slices.Equal(slices.Sorted(slices.Values(options)), slices.Sorted(slices.Values(want))) {
		t.Errorf("%q, and the root has %q", options, want)
	}
}
