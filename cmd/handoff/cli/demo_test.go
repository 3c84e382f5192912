package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/cmd/handoff/internal/demo"
)

// demoJSON runs the demo and returns its report. Nothing else may stand on the
// streams.
func demoJSON(t *testing.T, args ...string) demo.Report {
	t.Helper()
	code, out, errs := run(t.Context(), append([]string{"demo", "--json"}, args...)...)
	if code != codeDone || errs != "" {
		t.Fatalf("demo %v: code %d, err %q, out %s", args, code, errs, out)
	}
	var r demo.Report
	in := json.NewDecoder(strings.NewReader(out))
	in.DisallowUnknownFields()
	if err := in.Decode(&r); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	if in.More() || strings.Count(out, "\n") != 1 {
		t.Errorf("more than one object, or more than one line: %q", out)
	}
	return r
}

func TestDemo(t *testing.T) {
	const files = 150
	dir := tree(t, goFiles(files))
	for _, over := range testMedia() {
		for _, killAt := range []string{demo.KillTake, demo.KillBetween} {
			for seed := range 3 {
				t.Run(fmt.Sprintf("%s/%s/%d", over, killAt, seed), func(t *testing.T) {
					empty := tempDir(t)
					r := demoJSON(t, dir, "--over", over, "--kill-at", killAt, "--workers", "3", "--seed", fmt.Sprint(seed))
					checkReport(t, r, over, files, killAt)
					empty()
					noChildren(t)
				})
			}
		}
	}
}

// The link is cut while the demo runs, and nothing is lost or comes twice.
func TestDemoCut(t *testing.T) {
	const files, cuts = 400, 5
	dir := tree(t, goFiles(files))
	for seed := range 3 {
		r := demoJSON(t, dir, "--over", "tcp", "--cut", fmt.Sprint(cuts), "--workers", "3", "--seed", fmt.Sprint(seed))
		checkReport(t, r, "tcp", files, demo.KillTake)
		if r.Cuts != cuts || r.Broken < cuts || r.Resumed == 0 {
			t.Errorf("%d cuts, %d connections broke, %d were resumed", r.Cuts, r.Broken, r.Resumed)
		}
	}
	noChildren(t)
}

// A cut that cannot be is refused.
func TestDemoBadCut(t *testing.T) {
	for _, args := range [][]string{{"--cut", "5"}, {"--cut", "5", "--over", "pipe"}, {"--cut", "-1", "--over", "tcp"}, {"--cut", "1001", "--over", "tcp"}} {
		code, _, errs := run(t.Context(), append([]string{"demo"}, args...)...)
		if code != codeUsage || !strings.Contains(errs, "--cut") {
			t.Errorf("%v: code %d, %q", args, code, errs)
		}
	}
}

// testMedia are the media there are on this system.
func testMedia() []string {
	if runtime.GOOS == "linux" {
		return demo.Media()
	}
	return []string{"unix", "tcp"}
}

func checkReport(t *testing.T, r demo.Report, over string, files int, killAt string) {
	t.Helper()
	repeated := 0
	if killAt == demo.KillBetween {
		repeated = 1
	}
	if !r.OK || r.Why != "" || r.Killed != 1 || r.Died != 0 || r.Lost != 0 || r.Duplicated != 0 ||
		r.Redelivered != 1 || r.Repeated != repeated {
		t.Errorf("%+v", r)
	}
	if r.Files != files || r.Lines != int64(3*files) || r.Identifiers != int64(4*files) {
		t.Errorf("%d files, %d lines, %d identifiers: %+v", r.Files, r.Lines, r.Identifiers, r)
	}
	if r.Over != over || r.KillAt != killAt || r.Seconds <= 0 || r.SecondsAcross <= 0 || r.SecondsAlone <= 0 {
		t.Errorf("%+v", r)
	}
	counted, results := 0, 0
	for _, w := range r.Each {
		counted += w.Files
		results += w.Results
	}
	if counted != files || results != files+repeated {
		t.Errorf("the workers' shares are %d files and %d results: %+v", counted, results, r.Each)
	}
	if len(r.Each) != r.Workers+1 || r.Each[r.Workers].Replaces == 0 {
		t.Errorf("the killed worker was not replaced: %+v", r.Each)
	}
	checkVictim(t, r)
}

func checkVictim(t *testing.T, r demo.Report) {
	t.Helper()
	for _, w := range r.Each {
		if (w.Ended == "killed") != (w.Held != "") {
			t.Errorf("%+v", w)
		}
	}
	for _, c := range r.Channels {
		if c.Bytes <= 0 || c.ValuesPerSecond <= 0 || c.Attempts < c.Values {
			t.Errorf("%+v", c)
		}
	}
}

// The same seed has the same path in the victim's hands.
func TestDemoSeeded(t *testing.T) {
	tempDir(t)
	dir := tree(t, goFiles(60))
	held := func(seed string) string {
		for _, w := range demoJSON(t, dir, "--seed", seed).Each {
			if w.Held != "" {
				return w.Held
			}
		}
		return ""
	}
	if a, b := held("7"), held("7"); a == "" || a != b {
		t.Errorf("held %q and %q", a, b)
	}
}

// Whatever is in the folder has a result, or is left out in the open.
func TestDemoOddFiles(t *testing.T) {
	tempDir(t)
	files := map[string]string{
		"ok.go":             "package p // p\n",
		"empty.go":          "",
		"unterminated.go":   "package p\nvar x = 1",
		"broken.go":         "package p\nfunc {\n",
		"not go.txt":        "a\nb\n",
		"sp ace\tand %41?#": "", // not a .go file
		"a?b&c=%2f;#.go":    "package p\n",
		"new\nline.go":      "package p\n",
	}
	if runtime.GOOS == "linux" {
		files["not\xffutf8.go"] = "package p\n"
	}
	dir := tree(t, files)
	if err := os.Symlink(filepath.Join(dir, "ok.go"), filepath.Join(dir, "link.go")); err != nil {
		t.Log("no links here:", err)
	}
	r := demoJSON(t, dir, "--workers", "2")
	want := len(files) - 2
	if r.Files != want || r.Unparsed != 2 || r.Unread != 0 || r.Skipped != 0 {
		t.Errorf("want %d files, 2 of them not Go: %+v", want, r)
	}
	if want := int64(want - 1 + 2); r.Lines != want { // one has none, two have two
		t.Errorf("%d lines, want %d", r.Lines, want)
	}
}

func TestDemoOneFileOneWorker(t *testing.T) {
	for _, killAt := range []string{demo.KillTake, demo.KillBetween} {
		dir := tree(t, goFiles(1))
		empty := tempDir(t)
		r := demoJSON(t, dir, "--workers", "1", "--kill-at", killAt)
		checkReport(t, r, demo.Media()[0], 1, killAt)
		empty()
	}
}

// wayOf is what the demo says of the medium over.
func wayOf(over string) string {
	if over == "shm" {
		return "segments shm:demo-"
	}
	return "home at " + over + ":"
}

func TestDemoText(t *testing.T) {
	tempDir(t)
	code, out, errs := run(t.Context(), "demo", tree(t, goFiles(80)), "--kill-at", "between")
	if code != codeDone || errs != "" {
		t.Fatalf("code %d, err %q", code, errs)
	}
	for _, want := range []string{
		"80 Go files\n", wayOf(demo.Media()[0]), "is killed before it confirms", "replaces worker ", ", attempt 2: ",
		"came twice", "\npaths", "\nresults", "killed between result and confirmation of d",
		"killed 1 · redelivered 1 · repeated 1 · lost 0 · duplicated 0\n", "\nok in ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.ContainsAny(out, "\r\x1b") {
		t.Errorf("control characters where there is no terminal: %q", out)
	}
}

func TestDemoBadFolders(t *testing.T) {
	dir := tree(t, map[string]string{"a.txt": "", "sub/b.txt": ""})
	empty := tempDir(t)
	for folder, says := range map[string]string{
		filepath.Join(dir, "nope"):  "nope: no such file or directory",
		filepath.Join(dir, "a.txt"): "a.txt: not a folder",
		dir:                         "no .go files in it",
	} {
		code, out, errs := run(t.Context(), "demo", folder, "--json")
		if code != codeError || out != "" || runtime.GOOS != "windows" && !strings.Contains(errs, says) {
			t.Errorf("%s: code %d, out %q, err %q, want %q", folder, code, out, errs, says)
		}
		checkOneLine(t, errs)
	}
	empty()
}

func TestDemoUnreadable(t *testing.T) {
	if !denied(t) { // the walk is tested with a file system of its own in internal/demo
		return
	}
	dir := tree(t, goFiles(3))
	if err := os.Chmod(dir, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	code, _, errs := run(t.Context(), "demo", dir)
	if code != codeError || !strings.Contains(errs, "permission denied") {
		t.Errorf("code %d, err %q", code, errs)
	}
	checkOneLine(t, errs)
}

// Interrupted at each of its stages, the demo leaves nothing behind and says
// nothing but its exit code.
func TestDemoInterrupted(t *testing.T) {
	dir := tree(t, goFiles(400))
	for _, stage := range []string{"", wayOf(demo.Media()[0]), "is killed", "replaces worker", "attempt 2"} {
		t.Run(stage, func(t *testing.T) {
			empty := tempDir(t)
			ctx, cancel := context.WithCancel(t.Context())
			if stage == "" {
				cancel()
			}
			out := &onLine{do: func(line string) {
				if strings.Contains(line, stage) {
					cancel()
				}
			}}
			var errs bytes.Buffer
			code := Run(ctx, []string{"demo", dir}, Streams{In: &bytes.Buffer{}, Out: out, Err: &errs})
			if code != codeInterrupted || errs.Len() > 0 {
				t.Errorf("code %d, err %q", code, errs.String())
			}
			empty()
			noChildren(t)
		})
	}
}
