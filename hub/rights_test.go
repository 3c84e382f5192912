package hub

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/wire"
)

// everything is to be seen.
func everything(string) bool { return true }

func rightsOf(t testing.TB, text string) *Rights {
	t.Helper()
	r, err := ParseRights(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRights: what no line allows is denied, deny wins wherever it stands, and * is
// not ended by a slash.
func TestRights(t *testing.T) {
	r := rightsOf(t, `
# comment
deny   token:eve          close           *
allow  token:*            all             jobs/*
allow  cert:spiffe://*/w  receive,inspect jobs/?
  allow anonymous         inspect         [a-c]
allow  *                  send            open
deny   *                  send            jobs/secret
`)
	for _, test := range []struct {
		who, name string
		want      right
	}{
		{"token:eve", "jobs/a", mayAll &^ mayClose},
		{"token:alice", "jobs/a", mayAll},
		{"token:alice", "jobs/a/b/c", mayAll},
		{"token:alice", "jobs", 0},
		{"token:alice", "jobs/secret", mayAll &^ maySend},
		{"cert:spiffe://example.org/ns/w", "jobs/a", mayReceive | mayInspect},
		{"cert:spiffe://example.org/ns/w", "jobs/ab", 0},
		{"cert:token:eve", "jobs/a", 0},
		{Anonymous, "b", mayInspect},
		{Anonymous, "bb", 0},
		{"uid:7", "open", maySend},
	} {
		if got := r.of(test.who, test.name); got != test.want {
			t.Errorf("%s, %s: %v, want %v", test.who, test.name, got, test.want)
		}
		if got, want := r.concerning(test.who, mayInspect).of(test.who, test.name)&mayInspect, test.want&mayInspect; got != want {
			t.Errorf("%s, %s, to inspect alone: %v, want %v", test.who, test.name, got, want)
		}
	}
	if got := (*Rights)(nil).of(Anonymous, "x"); got != mayAll {
		t.Errorf("without rights: %v", got)
	}
	if got := rightsOf(t, "").of("uid:0", "x"); got != 0 {
		t.Errorf("with no line: %v", got)
	}
}

// TestRightsErrors: an error names the line and the reason.
func TestRightsErrors(t *testing.T) {
	for line, says := range map[string]string{
		"permit * all *":                          `"permit": want allow or deny`,
		"allow * all":                             "not 3 words",
		"allow * all jobs extra":                  "not 5 words",
		"allow alice all *":                       "want cert:NAME",
		"allow user:alice all *":                  "want cert:NAME",
		"allow token: all *":                      "want cert:NAME",
		"allow uid:alice all *":                   "a user is a number",
		"allow cert:[a all *":                     "not a pattern",
		"allow * all [":                           `channels "[": not a pattern`,
		"allow * read *":                          `"read": want create`,
		"allow * send,,receive *":                 `"": want create`,
		"allow * Send *":                          `"Send": want create`,
		"allow\t*\tall\t\\":                       "not a pattern",
		"allow *  all,send *":                     `"all": want create`,
		"deny * all " + strings.Repeat("x", 2000): "not a pattern",
	} {
		_, err := ParseRights(strings.NewReader("# rights\nallow * all *\n\n" + line + "\n"))
		if err == nil || !strings.Contains(err.Error(), "line 4: ") || !strings.Contains(err.Error(), says) {
			if tellsUsers || !strings.Contains(line, "uid:") {
				t.Errorf("%s: %v, want it to say %q", line, err, says)
			}
		}
	}
}

// TestTokens: a token names its owner, and nothing else does.
func TestTokens(t *testing.T) {
	tokens, err := ParseTokens(strings.NewReader(`
# name token
alice  0123456789abcdef
alice  #123456789abcdef
bob    sha256:c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a
`))
	if err != nil {
		t.Fatal(err)
	}
	for said, want := range map[string]string{
		"0123456789abcdef": "alice", "#123456789abcdef": "alice", "fedcba9876543210": "",
		"0123456789abcde": "", "0123456789abcdef0": "", "": "",
		"sha256:c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a": "",
		"correct horse battery staple":                                            "bob",
	} {
		if name, ok := tokens.find(said); name != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", said, name, ok, want)
		}
	}
	if _, ok := (*Tokens)(nil).find("0123456789abcdef"); ok {
		t.Error("a home without tokens takes one")
	}
}

// TestTokenErrors: an error names the line, and never a secret.
func TestTokenErrors(t *testing.T) {
	for line, says := range map[string]string{
		"supersecretsupersecret":                 "not 1 words",
		"a supersecretsupersecret b":             "not 3 words",
		"a supersecret":                          "a token of 11 bytes, want 16 to 256",
		"a " + strings.Repeat("supersecret", 30): "a token of 330 bytes",
		"a sha256:supersecret":                   "64 hexadecimal digits",
		"a\x01 supersecretsupersecret":           "a name has",
		"z first-supersecret":                    "the token is first's already",
	} {
		_, err := ParseTokens(strings.NewReader("first first-supersecret\n" + line + "\n"))
		if err == nil || !strings.Contains(err.Error(), "line 2: ") || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "supersecret") {
			t.Errorf("%s: %v, want it to say %q", line, err, says)
		}
	}
}

// The tokens of the tests.
const (
	aliceToken = "alice-alice-alice"
	bobToken   = "bob-bob-bob-bob-bob"
)

func testTokens(t testing.TB) *Tokens {
	t.Helper()
	tokens, err := ParseTokens(strings.NewReader("alice " + aliceToken + "\nbob " + bobToken + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// startTCP serves a hub at an address of this machine.
func startTCP(t testing.TB, how TCP, opts Options) (*Hub, string) {
	t.Helper()
	l, err := how.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := New(opts)
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	t.Cleanup(func() {
		h.Close(context.Background())
		if err := <-served; err != ErrClosed {
			t.Errorf("Serve returned %v", err)
		}
	})
	return h, l.Addr().String()
}

// call dials an address.
func call(t *testing.T, address string) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { conn.Close() })
	return &raw{conn, wire.NewReader(conn, wire.DefaultMaxBody), t}
}

// showing is hello with a token.
func showing(hello *wire.Hello, token string) *wire.Hello {
	next := *hello
	next.Features |= wire.FeatureToken
	next.Token = token
	return &next
}

// TestTokenAtTheDoor: who must show a token shows a right one or is sent away, with
// the same words whatever is wrong with it.
func TestTokenAtTheDoor(t *testing.T) {
	h, address := startTCP(t, TCP{Tokens: true}, Options{Tokens: testTokens(t)})
	call(t, address).refused(hello, wire.CodeDenied, "who its clients are")
	for _, wrong := range []string{"alice-alice-alic", "alice-alice-alicf", "x", strings.Repeat("y", wire.MaxToken)} {
		call(t, address).refused(showing(hello, wrong), wire.CodeDenied, "this home does not know the token")
	}
	c := call(t, address)
	if w := c.welcome(showing(hello, aliceToken)); w.Features&wire.FeatureToken == 0 {
		t.Errorf("welcomed without a look at the token: %+v", w)
	}
	for s := range sessions(h) {
		if s.who != "token:alice" || s.line.hello.Token != "" {
			t.Errorf("%s, and the token is kept: %v", s.who, s.line.hello.Token != "")
		}
	}
	// A home without tokens does not pretend to have looked.
	_, path := start(t, Options{})
	dial(t, path).refused(showing(hello, aliceToken), wire.CodeDenied, "this home does not know the token")
}

// TestTokensNobodyHas: a door for tokens at a home without any is not opened.
func TestTokensNobodyHas(t *testing.T) {
	l, err := TCP{Tokens: true}.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := New(Options{}).Serve(l); err == nil || !strings.Contains(err.Error(), "Options.Tokens") {
		t.Error(err)
	}
}

// TestWrappedListener: who wraps a listener that asks who comes does not open the
// door, even of a home that knows no tokens.
func TestWrappedListener(t *testing.T) {
	for _, opts := range []Options{{}, {Tokens: testTokens(t)}} {
		l, err := TCP{Tokens: true}.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		h, served := New(opts), make(chan error, 1)
		go func() { served <- h.Serve(struct{ net.Listener }{l}) }()
		call(t, l.Addr().String()).refused(hello, wire.CodeDenied, "who its clients are")
		h.Close(context.Background())
		<-served
	}
}

// TestUser: on a Unix socket a client is its user, where the system says so.
func TestUser(t *testing.T) {
	h, path := start(t, Options{})
	dial(t, path).greet()
	for s := range sessions(h) {
		if want := strings.HasPrefix(s.who, byUser); want != tellsUsers {
			t.Errorf("the client is %s", s.who)
		}
	}
}

// guardedBy is a client called alice of a hub with rights, which has made the
// channel jobs.
func guardedBy(t *testing.T, text string) (*Hub, string, *raw) {
	t.Helper()
	h, address := startTCP(t, TCP{Tokens: true}, Options{Tokens: testTokens(t), Rights: rightsOf(t, "allow token:alice all *\n"+text)})
	c := call(t, address)
	c.welcome(showing(patient(1, time.Minute), aliceToken))
	c.say(jobs)
	hear[*wire.Opened](c)
	return h, address, c
}

// bob is a second client.
func bob(t *testing.T, address string) *raw {
	t.Helper()
	c := call(t, address)
	c.welcome(showing(patient(2, time.Minute), bobToken))
	return c
}

// TestRightsAtOpen: an attachment gets what its client may, or is denied, and who
// may not learns nothing of what there is.
func TestRightsAtOpen(t *testing.T) {
	_, address, _ := guardedBy(t, `
allow token:bob send     jobs
allow token:bob receive  jobs
allow token:bob create   made-*
allow token:bob send     made-*
allow token:bob inspect  looked
allow token:bob send     grave
`)
	c := bob(t, address)
	for i, test := range []struct {
		open wire.Open
		code wire.Code
		says string
	}{
		{wire.Open{Name: "jobs", Slots: -1, Flags: wire.OpenSend | wire.OpenReceive}, wire.CodeDone, ""},
		{wire.Open{Name: "jobs", Flags: wire.OpenSend | wire.OpenCloseWhenSendersGone}, wire.CodeDenied, "no right to close"},
		{wire.Open{Name: "jobs"}, wire.CodeDenied, "no right to inspect"},
		{wire.Open{Name: "made-1", Flags: wire.OpenSend, Slots: 1}, wire.CodeDone, ""},
		{wire.Open{Name: "made-2", Flags: wire.OpenSend | wire.OpenReceive, Slots: 1}, wire.CodeDenied, "no right to receive"},
		{wire.Open{Name: "secret", Flags: wire.OpenSend, Create: 1}, wire.CodeDenied, "no right to send"},
		{wire.Open{Name: "looked"}, wire.CodeDenied, "no right to create"},
		// A dead letter is no way around them.
		{wire.Open{Name: "made-3", Flags: wire.OpenSend, Slots: 1, DeadLetter: "chan=secret&slots=1"}, wire.CodeDenied, "no right to send"},
		{wire.Open{Name: "made-3", Flags: wire.OpenSend, Slots: 1, DeadLetter: "chan=grave&slots=1"}, wire.CodeDenied, "no right to create"},
		{wire.Open{Name: "made-3", Flags: wire.OpenSend, Slots: 1, DeadLetter: "chan=made-4&slots=1"}, wire.CodeDone, ""},
	} {
		code, text := c.asking(uint64(i+1), test.open)
		if code != test.code || !strings.Contains(text, test.says) {
			t.Errorf("%+v: %v %q, want %v saying %q", test.open, code, text, test.code, test.says)
		}
	}
}

// TestRightsAtWork: closing, asking to stop and looking are asked for each time.
func TestRightsAtWork(t *testing.T) {
	h, address, _ := guardedBy(t, "allow token:bob send jobs")
	c := bob(t, address)
	c.say(&wire.Open{Channel: 1, Op: 1, Slots: -1, Flags: wire.OpenSend, Name: "jobs"})
	hear[*wire.Opened](c)
	c.say(order(wire.TypeClose, 2))
	c.hearEnd(2, wire.CodeDenied)
	c.say(order(wire.TypeStats, 3))
	c.hearEnd(3, wire.CodeDenied)
	c.say(&wire.Stop{Channel: 1, Op: 4, Reason: "enough"})
	c.hearEnd(4, wire.CodeDenied)
	h.SetRights(nil)
	c.say(order(wire.TypeClose, 5))
	c.hearEnd(5, wire.CodeDone)
}

// TestRightsAtList: what one may not inspect is not there.
func TestRightsAtList(t *testing.T) {
	_, address, alice := guardedBy(t, "allow token:bob inspect shown-*\ndeny token:bob inspect shown-3")
	for i, name := range []string{"hidden", "shown-1", "shown-2", "shown-3", "shown-4", "z"} {
		alice.opening(uint64(i+2), wire.Open{Name: name, Flags: wire.OpenSend, Slots: 1})
	}
	c := bob(t, address)
	var names []string
	for op, more := uint64(1), true; more; op++ {
		after := ""
		if len(names) > 0 {
			after = names[len(names)-1]
		}
		c.say(&wire.List{Op: op, Max: 1, After: after})
		page := hear[*wire.Names](c)
		for _, one := range page.Channels {
			names = append(names, one.Name)
		}
		more = page.More
	}
	if want := []string{"shown-1", "shown-2", "shown-4"}; !slices.Equal(names, want) {
		t.Errorf("listed %q, want %q", names, want)
	}
}

// TestRightsAtResume: who has lost a right while his connection was broken does
// not get his session back, and what he held goes back at once.
func TestRightsAtResume(t *testing.T) {
	h, address, alice := guardedBy(t, "allow token:bob receive,send jobs")
	c := bob(t, address)
	c.say(&wire.Open{Channel: 1, Op: 1, Slots: -1, Flags: wire.OpenSend | wire.OpenReceive, Name: "jobs"})
	hear[*wire.Opened](c)
	c.say(send(2, "held"))
	c.hearEnd(2, wire.CodeDone)
	c.say(&wire.Receive{Type: wire.TypeTake, Channel: 1, Op: 3, Max: 1})
	hear[*wire.Deliver](c)
	had := c.r.Received()
	c.Close()

	h.SetRights(rightsOf(t, "allow token:alice all *\nallow token:bob send jobs"))
	back := again(showing(patient(2, time.Minute), bobToken), 2, had)
	call(t, address).refused(back, wire.CodeDenied, "no right to receive")
	alice.say(recv(2))
	if got := hear[*wire.Deliver](alice); string(got.Items[0].Value) != "held" || got.Items[0].Attempt != 2 {
		t.Errorf("%+v", got.Items)
	}
	call(t, address).refused(again(back, 3, had), wire.CodeResume, "no such session")
}
