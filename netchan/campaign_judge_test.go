//go:build unix

package netchan_test

import (
	"strings"
	"testing"
)

// TestJudge: the judge of campaigns finds what it is there for.
func TestJudge(t *testing.T) {
	const good = `s try s.1 10|s sent s.1 20|r got s.1 15 0`
	for name, test := range map[string]struct {
		lines   string
		slots   int
		told    uint64
		died    deaths
		strict  bool
		blames  string
		figures figures
	}{
		"nothing":             {lines: good, strict: true, figures: figures{values: 1}},
		"lost":                {lines: `s try s.1 10|s sent s.1 20`, blames: "1 values are lost", figures: figures{values: 1, lost: 1}},
		"died with receiver":  {lines: `s try s.1 10|s sent s.1 20`, died: deaths{receivers: 1}, figures: figures{values: 1, buried: 1}},
		"was, and lost":       {lines: `s try s.1 10|s doubt s.1 20|s was s.1 30`, blames: "1 values are lost", figures: figures{values: 1, doubts: 1, known: 1, lost: 1}},
		"in doubt":            {lines: `s try s.1 10|s doubt s.1 20|s unknown s.1 30`, figures: figures{values: 1, doubts: 1}},
		"in doubt, strict":    {lines: `s try s.1 10|s doubt s.1 20`, strict: true, blames: "1 in doubt", figures: figures{values: 1, doubts: 1}},
		"twice":               {lines: good + `|q got s.1 16 0`, blames: "came again", figures: figures{values: 1, again: 1, duplicated: 1}},
		"twice and told":      {lines: good + `|q got s.1 16 0`, told: 1, figures: figures{values: 1, again: 1}},
		"invented":            {lines: `r got s.1 15 0`, blames: "invented", figures: figures{values: 1}},
		"failed and received": {lines: `s try s.1 10|s fail s.1 20|r got s.1 15 0`, blames: "was not sent", figures: figures{values: 1, duplicated: 1}},
		"not and received": {lines: `s try s.1 10|s doubt s.1 20|s not s.1 21|r got s.1 15 0`, blames: "was not sent",
			figures: figures{values: 1, doubts: 1, known: 1, duplicated: 1}},
		"confirmed twice": {lines: `s try s.1 1|r took s.1 2 1|r done s.1 3|q took s.1 4 2|q done s.1 5`, told: 1, blames: "confirmed 2 times",
			figures: figures{values: 1, again: 1, duplicated: 1}},
		"out of order":       {lines: `s try s.1 1|s try s.2 2|r took s.2 3 1|r took s.1 4 1`, blames: "at attempt 1 after 2", figures: figures{values: 2}},
		"out of order, told": {lines: `s try s.1 1|s try s.2 2|r took s.2 3 1|r took s.1 4 2`, told: 1, figures: figures{values: 2}},
		"too many in slots": {lines: `s try s.1 1|s sent s.1 2|s try s.2 3|s sent s.2 4|r got s.1 5 0|r got s.2 6 0`, slots: 1, blames: "2 values were in 1 slots",
			figures: figures{values: 2}},
		"both cases":     {lines: `s either s.1 1|r got s.1/0 2 0|r got s.1/1 2 0|s chose s.1 3 0`, blames: "both cases", figures: figures{values: 2}},
		"the other case": {lines: `s either s.1 1|r got s.1/0 2 0|s chose s.1 3 1`, blames: "the other took effect", figures: figures{values: 2}},
		"the other case, died": {lines: `s either s.1 1|r got s.1/0 2 0|s chose s.1 3 1`, died: deaths{selecting: 1}, blames: "the other took effect",
			figures: figures{values: 2}},
		"select, lost": {lines: `s either s.1 1|s chose s.1 3 1`, died: deaths{receivers: 1}, blames: "1 values of selects are lost",
			figures: figures{values: 2, lost: 1}},
		"select, died with receiver": {lines: `s either s.1 1|s chose s.1 3 1`, died: deaths{selecting: 1}, figures: figures{values: 2, buried: 1}},
		"lost, another died":         {lines: `s try s.1 10|s sent s.1 20`, died: deaths{selecting: 1}, blames: "1 values are lost", figures: figures{values: 1, lost: 1}},
		"select failed, took":        {lines: `s either s.1 1|r got s.1/0 2 0|s fail s.1 3`, blames: "that failed took effect", figures: figures{values: 2}},
		"select in doubt, was":       {lines: `s either s.1 1|r got s.1/0 2 0|s doubt s.1 3|s was s.1 4 0`, figures: figures{values: 2, doubts: 1, known: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var h history
			for text := range strings.SplitSeq(test.lines, "|") {
				who, rest, _ := strings.Cut(text, " ")
				l, err := parseLine(who, rest)
				if err != nil {
					t.Fatal(err)
				}
				h.lines = append(h.lines, l)
			}
			slots := test.slots
			if slots == 0 {
				slots = 16
			}
			got := h.judge(slots, test.told, test.died, test.strict)
			test.figures.rounds = 1
			if got != test.figures {
				t.Errorf("%+v, want %+v", got, test.figures)
			}
			switch all := strings.Join(h.bad, "\n"); {
			case test.blames == "" && all != "":
				t.Errorf("blames %s", all)
			case !strings.Contains(all, test.blames):
				t.Errorf("blames %q, want %q", all, test.blames)
			}
		})
	}
}
