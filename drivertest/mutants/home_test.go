package mutants

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// homeTable are mutants of how a home decides the selects of others. They are
// judged by the tests of internal/home, which play the far ends by hand.
var homeTable = []mutant{
	{
		law: "L6", name: "a send whose receiver had gone is chosen", file: "internal/engine/asyncselect.go",
		old:     "		x.turn()\n	default:\n		x.finish(i, nil)\n",
		new:     "		x.finish(i, nil)\n	default:\n		x.finish(i, nil)\n",
		killers: []string{"TestSelectGoesOn"},
	}, {
		law: "L6", name: "a select stays bound to a send that came to nothing", file: hold,
		old:     "	case w == nil || w.leaves || !w.again && !w.try:\n",
		new:     "	case w == nil || w.leaves || !w.try:\n",
		killers: []string{"TestSelectGoesOn"},
	}, {
		law: "L3", name: "a select that goes on goes to the end of the line", file: "internal/engine/selectcase.go",
		old:     "		q.insert(&x.w)\n",
		new:     "		q.push(&x.w)\n",
		killers: []string{"TestSelectGoesOn"},
	}, {
		law: "L12", name: "a select that is over is remembered", file: "internal/home/select.go",
		old:     "		delete(at.selects, op)\n",
		new:     "",
		killers: []string{"TestSelectLeavesNothing"},
	}, {
		law: "L8", name: "a send on its way is given up as if it were held", file: "internal/engine/asyncselect.go",
		old:     "		if !l.leaving(cause) && l.held(cause) {\n",
		new:     "		if l.held(cause) {\n",
		killers: []string{"TestSelectCancelled"},
	}, {
		law: "L13", name: "a timer ends a send that is held", file: "internal/engine/asyncselect.go",
		old:     "	case quit != nil && !quit.soft && x.s.tk.State() == ticket.Synced:\n",
		new:     "	case quit != nil && x.s.tk.State() == ticket.Synced:\n",
		killers: []string{"TestSelectTime"},
	}, {
		law: "L6", name: "a far receiver is not ready for a send beside a default", file: "internal/engine/selectcase.go",
		old:     "		if r := c.firstPlain(); r != nil {\n",
		new:     "		if r := c.firstPlain(); r != nil && false {\n",
		killers: []string{"TestSelectTry"},
	}, {
		law: "L3", name: "a try overtakes a sleeping send", file: "internal/engine/async.go",
		old:     "	case c.behind():\n",
		new:     "	case c.behind() && false:\n",
		killers: []string{"TestTryBehindASleepingSend"},
	}, {
		law: "L6", name: "a send beside a default overtakes a sleeping one", file: "internal/engine/selectcase.go",
		old:     "	if s.hasDefault() && c.behind() {\n",
		new:     "	if s.hasDefault() && c.behind() && false {\n",
		killers: []string{"TestTryBehindASleepingSend"},
	}, {
		law: "L13", name: "a try ends with a receiver that gave up", file: hold,
		old:     "		c.triesOn(w, &o)\n",
		new:     "		w.err = errUnready\n		w.finish(&o)\n",
		killers: []string{"TestAside"},
	}, {
		law: "L6", name: "who stands aside is met", file: "internal/engine/aside.go",
		old:     "	o.out.Store(true)\n",
		new:     "",
		killers: []string{"TestAside"},
	}, {
		law: "L6", name: "who stands aside does not come back", file: "internal/engine/aside.go",
		old:     "			l.back()\n",
		new:     "			_ = l\n",
		killers: []string{"TestAside"},
	},
}

// TestHomeMutants makes each of them and runs the tests that should notice.
func TestHomeMutants(t *testing.T) {
	mayBuild(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range homeTable {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			bin := filepath.Join(dir, "mutant.test")
			if err := build(root, dir, bin, filepath.Join(root, "internal", "home"), m); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), killersLimit)
			defer cancel()
			start := time.Now()
			pattern := fmt.Sprintf("^(%s)$", strings.Join(m.killers, "|"))
			out, err := command(ctx, bin, "-test.run", pattern, "-test.timeout", (killersLimit / 2).String()).CombinedOutput()
			if err == nil {
				t.Errorf("no test noticed\n%s", out)
			}
			fmt.Printf("%-4s %-52s %-58s %7.1f\n", m.law, m.name, strings.Join(m.killers, " or "), time.Since(start).Seconds())
		})
	}
}
