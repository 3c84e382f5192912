package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// startHome is handoff serve with args, whose one door it returns without the name.
func startHome(t *testing.T, args ...string) (at string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	lines, done := make(chan string, 1), make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		done <- Run(ctx, append([]string{"serve"}, args...), Streams{In: &bytes.Buffer{}, Out: &onLine{do: func(line string) { lines <- line }}, Err: &errs})
	}()
	select {
	case line := <-lines:
		at = strings.TrimSuffix(strings.TrimPrefix(line, "serving "), "/NAME")
	case code := <-done:
		t.Fatalf("code %d: %s", code, errs.String())
	}
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != codeInterrupted {
			t.Errorf("code %d: %s", code, errs.String())
		}
	})
	return at
}

// put writes a file of the owner's only.
func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCert: the certificates do what the command says of them, and nothing that is
// there is written over.
func TestCert(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	at := func(name string) string { return filepath.Join(dir, name) }
	code, out, errs := run(t.Context(), "cert", dir, "alice", "bob")
	if code != codeDone || errs != "" || strings.Count(out, "made ") != 8 {
		t.Fatalf("code %d, out %q, err %q", code, out, errs)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 8 {
		t.Fatal(left, err)
	}
	for _, file := range left {
		if info, err := file.Info(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file.Name(), info.Mode(), err)
		}
	}
	if code, _, errs := run(t.Context(), "cert", dir, "alice"); code != codeError || !strings.Contains(errs, "there already") {
		t.Errorf("again: code %d, err %q", code, errs)
	}
	if code, out, _ := run(t.Context(), "cert", dir, "carol"); code != codeDone || strings.Count(out, "made ") != 2 {
		t.Errorf("one more client: code %d, out %q", code, out)
	}

	for _, by := range []string{"--tls", "--quic"} {
		t.Run(by, func(t *testing.T) { rightsBy(t, by, at) })
	}
}

// rightsBy has alice, who may do everything, carol, who may receive, and somebody
// unknown use a home behind the door that a flag names.
func rightsBy(t *testing.T, flag string, at func(string) string) {
	rights := put(t, at("rights"), "allow cert:alice all *\nallow cert:carol receive *\n")
	home := startHome(t, flag, "localhost:0", "--cert", at("server.crt"), "--key", at("server.key"), "--client-ca", at("ca.crt"), "--rights", rights)
	t.Setenv("HANDOFF_CA", at("ca.crt"))
	as := func(name string) {
		t.Setenv("HANDOFF_CERT", at(name+".crt"))
		t.Setenv("HANDOFF_KEY", at(name+".key"))
	}
	as("alice")
	wants(t, codeDone, "", "", "", "send", home+"/c?slots=4", "apples")
	as("carol")
	wants(t, codeDone, "apples\n", "", "", "recv", "-n", "1", home+"/c")
	code, _, errs := run(t.Context(), "send", home+"/c", "plums")
	if code != codeError || !strings.Contains(errs, "cert:carol has no right to send here") {
		t.Errorf("carol sends: code %d, err %q", code, errs)
	}
	// Without a certificate nobody comes in, however the home is asked.
	t.Setenv("HANDOFF_CERT", "")
	t.Setenv("HANDOFF_KEY", "")
	for _, args := range [][]string{{"ls", home}, {"send", home + "/c", "x"}, {"info", home + "/c"}} {
		if code, out, errs := run(t.Context(), args...); code != codeError || out != "" || !strings.Contains(errs, "access denied") {
			t.Errorf("%v: code %d, out %q, err %q", args, code, out, errs)
		}
	}
}

// TestServeTokens: a token is enough over --tcp, and needed.
func TestServeTokens(t *testing.T) {
	dir := t.TempDir()
	tokens := put(t, filepath.Join(dir, "tokens"), "alice 0123456789abcdef0123\n")
	home := startHome(t, "--tcp", "127.0.0.1:0", "--tokens", tokens)
	mine := put(t, filepath.Join(dir, "token"), "0123456789abcdef0123\n")
	wants(t, codeDone, "", "", "", "send", home+"/c?slots=4&tokenfile="+mine, "apples")
	for _, at := range []string{home + "/c", home + "/c?tokenfile=" + put(t, filepath.Join(dir, "other"), "another-token-of-mine")} {
		if code, out, errs := run(t.Context(), "recv", at); code != codeError || out != "" || !strings.Contains(errs, "access denied") {
			t.Errorf("%s: code %d, out %q, err %q", at, code, out, errs)
		}
	}
}

// TestServeGuardRefuses: what could let strangers in by a slip is refused, and says
// what is missing.
func TestServeGuardRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if code, _, errs := run(t.Context(), "cert", dir); code != codeDone {
		t.Fatal(errs)
	}
	pair := []string{"--tls", "localhost:0", "--cert", at("server.crt"), "--key", at("server.key")}
	bad := put(t, at("rights"), "allow * all *\nallow alice all *\n")
	tokens := put(t, at("tokens"), "alice short\n")
	for _, test := range []struct {
		code int
		says string
		args []string
	}{
		{codeUsage, "--tls, --quic and --https need --cert and --key", []string{"--tls", "localhost:0"}},
		{codeUsage, "--tls, --quic and --https need --client-ca or --tokens", pair},
		{codeUsage, "are for --tls, --quic", []string{"--tcp", "localhost:0", "--client-ca", at("ca.crt")}},
		{codeError, "no certificate in it", append(pair, "--client-ca", at("ca.key"))},
		{codeError, "server.crt", []string{"--tls", "localhost:0", "--cert", at("server.crt"), "--key", at("ca.key"), "--client-ca", at("ca.crt")}},
		{codeError, "line 2: who \"alice\"", []string{"--tcp", "localhost:0", "--rights", bad}},
		{codeError, "line 1: a token of 5 bytes", []string{"--tcp", "localhost:0", "--tokens", tokens}},
		{codeError, "no such file", []string{"--tcp", "localhost:0", "--rights", at("nothing")}},
		{codeError, "only a loopback address", []string{"--tcp", ":0"}},
		{codeError, "only a loopback address", []string{"--tcp", ":0", "--rights", put(t, at("fine"), "allow * all *\n")}},
	} {
		code, out, errs := run(t.Context(), append([]string{"serve"}, test.args...)...)
		if code != test.code || out != "" || !strings.Contains(errs, test.says) {
			t.Errorf("%v: code %d, out %q, err %q, want %d and %q", test.args, code, out, errs, test.code, test.says)
		}
		checkOneLine(t, errs)
	}
	if home := startHome(t, "--tcp", ":0", "--listen-to-anybody-without-identity"); !strings.HasPrefix(home, "tcp://[::]:") && !strings.HasPrefix(home, "tcp://0.0.0.0:") {
		t.Errorf("serving %s", home)
	}
}

func TestCertUsage(t *testing.T) {
	dir := t.TempDir()
	for says, args := range map[string][]string{
		"requires at least 1 arg": {},
		"a client called":         {dir, "../x"},
		`called "ca"`:             {dir, "ca"},
		`called "server"`:         {dir, "server"},
		`called "-x"`:             {dir, "--", "-x"},
		"neither a name":          {"--host", "a b", dir},
		"--days 0":                {"--days", "0", dir},
	} {
		code, out, errs := run(t.Context(), append([]string{"cert"}, args...)...)
		if code != codeUsage || out != "" || !strings.Contains(errs, says) {
			t.Errorf("%v: code %d, out %q, err %q, want %q", args, code, out, errs, says)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestServeHTTPS: over HTTPS whoever shows a certificate, or a token, may do what
// the rights say, and nobody else comes in.
func TestServeHTTPS(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, "certs", name) }
	if code, _, errs := run(t.Context(), "cert", filepath.Join(dir, "certs"), "alice"); code != codeDone {
		t.Fatal(errs)
	}
	const token = "0123456789abcdef0123"
	home := startHome(t, "--https", "localhost:0", "--cert", at("server.crt"), "--key", at("server.key"), "--client-ca", at("ca.crt"),
		"--tokens", put(t, filepath.Join(dir, "tokens"), "bob "+token+"\n"),
		"--rights", put(t, filepath.Join(dir, "rights"), "allow cert:alice all *\nallow token:bob receive *\n"))
	pair, err := tls.LoadX509KeyPair(at("alice.crt"), at("alice.key"))
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(at("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	ask := func(certs []tls.Certificate, token, path, body string) (int, string) {
		t.Helper()
		via := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certs}}
		defer via.CloseIdleConnections()
		r, err := http.NewRequest("POST", home+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		a, err := (&http.Client{Transport: via}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		return a.StatusCode, string(text)
	}
	for _, x := range []struct {
		certs       []tls.Certificate
		token, path string
		status      int
		says        string
	}{
		{[]tls.Certificate{pair}, "", "/c/send?slots=4", 200, `{"sent":1}`},
		{nil, "", "/c/receive", 401, "who its clients are"},
		{nil, "another-token-of-mine", "/c/receive", 401, "does not know the token"},
		{nil, token, "/c/send", 403, "token:bob has no right to send here"},
		{nil, token, "/c/receive", 200, "apples"},
	} {
		if status, text := ask(x.certs, x.token, x.path, "apples"); status != x.status || !strings.Contains(text, x.says) {
			t.Errorf("%s %q: %d %s", x.path, x.token, status, text)
		}
	}
}
