package mutants

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff/drivertest"
)

// limits of one run of a mutant's binary.
const (
	killersLimit = 30 * time.Second
	suiteLimit   = 120 * time.Second
	raceRuns     = 5 // of the killers of a race, at most
)

// verdict is what became of a mutant.
type verdict struct {
	m       mutant
	killer  string // the law that noticed; "" if none did
	seconds float64
	err     error // the mutant could not be made
	output  string
}

// TestMutants makes each mutant, runs the suite on it, and prints which law
// noticed.
func TestMutants(t *testing.T) {
	mayBuild(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	everyLawHasOne(t)
	seed := drivertest.NewSeed()
	chosen := chosen(t)
	verdicts := make([]verdict, len(chosen))
	work := make(chan int)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range work {
				verdicts[i] = try(t, root, chosen[i], seed)
			}
		}()
	}
	for i := range chosen {
		work <- i
	}
	close(work)
	wg.Wait()
	report(t, verdicts, seed)
}

// laterEnv is set by whoever runs the mutants in a step of their own, and will not have
// them made twice.
const laterEnv = "HANDOFF_MUTANTS_LATER"

// mayBuild skips t where mutants cannot or need not be built.
func mayBuild(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the engine once for each mutant, some minutes in all; run without -short")
	}
	if os.Getenv(laterEnv) != "" {
		t.Skip("left to another step: ", laterEnv)
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command to build mutants: ", err)
	}
}

var only = flag.String("mutant", "", "regular expression: the mutants to make")

// chosen returns the mutants that are to be made.
func chosen(t *testing.T) []mutant {
	re, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(slices.Clone(table), func(m mutant) bool { return !re.MatchString(m.name) })
}

// everyLawHasOne fails the test unless there is a mutant for each of L1 to L13.
func everyLawHasOne(t *testing.T) {
	has := map[string]bool{}
	for _, m := range table {
		has[m.law] = true
	}
	for n := 1; n <= 13; n++ {
		if l := fmt.Sprintf("L%d", n); !has[l] {
			t.Errorf("there is no mutant for %s", l)
		}
	}
}

func report(t *testing.T, verdicts []verdict, seed uint64) {
	fmt.Printf("seed %d\n%-4s %-52s %-58s %s\n", seed, "law", "mutant", "killed by", "seconds")
	for _, v := range verdicts {
		killer := v.killer
		switch {
		case v.err != nil:
			killer = "NOT MADE"
			t.Errorf("%s, %s: %v", v.m.law, v.m.name, v.err)
		case killer == "":
			killer = "SURVIVED"
			t.Errorf("%s, %s: no law noticed\n%s", v.m.law, v.m.name, v.output)
		}
		fmt.Printf("%-4s %-52s %-58s %7.1f\n", v.m.law, v.m.name, killer, v.seconds)
	}
}

// try makes m and runs the suite on it: first the laws that should notice, then
// all.
func try(t *testing.T, root string, m mutant, seed uint64) verdict {
	v := verdict{m: m}
	dir := t.TempDir()
	bin := filepath.Join(dir, "mutant.test")
	if v.err = build(root, dir, bin, ".", m); v.err != nil {
		return v
	}
	start := time.Now()
	v.killer, v.output = run(bin, killersPattern(m.killers), seed, killersLimit, !m.race)
	for again := uint64(1); m.race && v.killer == "" && again < raceRuns; again++ {
		v.killer, v.output = run(bin, killersPattern(m.killers), seed+again, killersLimit, false)
	}
	if v.killer == "" {
		v.killer, v.output = run(bin, "^TestSubject$", seed, suiteLimit, true)
	}
	v.seconds = time.Since(start).Seconds()
	return v
}

// build makes the test binary of the package in pkg with m in it.
func build(root, dir, bin, pkg string, m mutant) error {
	path := filepath.Join(root, filepath.FromSlash(m.file))
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if n := strings.Count(string(src), m.old); n != 1 {
		return fmt.Errorf("%s has the old line %d times, want once:\n%s", m.file, n, m.old)
	}
	mutated := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(mutated, []byte(strings.Replace(string(src), m.old, m.new, 1)), 0o600); err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: mutated}})
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return err
	}
	out, err := command(context.Background(), "go", "test", "-c", "-overlay", file, "-o", bin, pkg).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building: %v\n%s", err, out)
	}
	return nil
}

// killersPattern is a -test.run pattern of these laws, with and without
// claimants. It may let a few more laws through.
func killersPattern(laws []string) string {
	var groups, names []string
	for _, l := range laws {
		group, name, _ := strings.Cut(l, "/")
		groups = append(groups, group)
		names = append(names, regexp.QuoteMeta(name)+"(,.*)?")
	}
	return fmt.Sprintf("^TestSubject$/^(make|mem)$/^(%s)$/^(%s)$", strings.Join(groups, "|"), strings.Join(names, "|"))
}

// command is exec.CommandContext at the lowest priority, where there is nice: the
// builds would take the cores from suites that run beside this one and whose
// media wait in real time.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if nice, err := exec.LookPath("nice"); err == nil {
		name, args = nice, append([]string{"-n", "19", name}, args...)
	}
	return exec.CommandContext(ctx, name, args...)
}

// run runs the laws of pattern and returns the first that failed, hung, or ended
// the process.
func run(bin, pattern string, seed uint64, limit time.Duration, short bool) (killer, output string) {
	ctx, cancel := context.WithTimeout(context.Background(), limit+10*time.Second)
	defer cancel()
	cmd := command(ctx, bin, "-test.run", pattern, "-test.v", "-test.failfast", fmt.Sprintf("-test.short=%v", short),
		"-test.timeout", limit.String(), fmt.Sprintf("-drivertest.seed=%d", seed))
	cmd.Env = append(os.Environ(), subjectEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return "", ""
	}
	output = string(out)
	if len(output) > 4000 {
		output = output[:2000] + "\n...\n" + output[len(output)-2000:]
	}
	return culprit(string(out)), output
}

var (
	brokenLine = regexp.MustCompile(`BROKEN (\S+) `)
	runLine    = regexp.MustCompile(`(?m)^=== RUN   TestSubject/\w+/(L\d+/\S+)$`)
)

// culprit finds the law that failed in the output of a run: the one that says
// so, or the one that was running when the process ended.
func culprit(out string) string {
	if m := brokenLine.FindStringSubmatch(out); m != nil {
		return m[1]
	}
	if all := runLine.FindAllStringSubmatch(out, -1); len(all) > 0 {
		return all[len(all)-1][1] + " (process ended)"
	}
	return "the process did not start"
}
