//go:build unix

package shell

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

func TestEndings(t *testing.T) {
	for text, want := range map[string]Ending{
		"exit 0":               {},
		"exit 7":               {Code: 7},
		"kill -9 $$":           {Signal: "signal 9 (killed)"},
		"kill -PIPE $$":        {Signal: "signal 13 (broken pipe)", Broken: true},
		"sh -c 'kill -13 $$';": {Code: 141, Broken: true},
	} {
		got := Run(t.Context(), Command{Text: text})
		if got.Err != nil || got != want || got.OK() != (text == "exit 0") {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
	t.Setenv("PATH", "")
	if got := Run(t.Context(), Command{Text: "exit 0"}); got.Err == nil || got.OK() {
		t.Errorf("%+v without a shell", got)
	}
}

func TestStreams(t *testing.T) {
	var out, errs bytes.Buffer
	got := Run(t.Context(), Command{
		Text: `cat; echo "$1 $X" >&2`, Args: []string{"a b"}, Env: []string{"X=y"},
		In: strings.NewReader("in"), Out: &out, Err: &errs,
	})
	if !got.OK() || out.String() != "in" || errs.String() != "a b y\n" {
		t.Errorf("%+v, %q, %q", got, out.String(), errs.String())
	}
}

// What a command has started ends with it, even what does not listen.
func TestGroupEnds(t *testing.T) {
	for _, together := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		text := `sh -c 'trap "" TERM; echo; while :; do :; done' & wait`
		hold, never, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if together {
			text = "echo; read -r x" // what is alone is asked alone
		}
		p, err := Start(ctx, Command{Text: text, In: hold, Out: w, Together: together})
		w.Close()
		hold.Close()
		if err != nil {
			t.Fatal(err)
		}
		r.Read(make([]byte, 1)) // it is there
		cancel()
		if got := p.Wait(); got.OK() {
			t.Errorf("%+v", got)
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Error("somebody still has the pipe")
		}
		never.Close()
		r.Close()
	}
}
