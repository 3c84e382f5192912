//go:build unix

package netchan_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// story is what is known of one value, from all processes.
type story struct {
	tried, sent, doubt, failed bool
	fate                       string // of a doubt: was, not, unknown
	chosen                     int    // of a select
	sentAt                     int64
	freed                      int64 // it had its slot until then at least; 0 if it was never seen
	seen, done                 int
}

// line is what one process said.
type line struct {
	who     string
	what    string
	value   string
	at      int64
	attempt int
}

func parseLine(who, text string) (line, error) {
	l := line{who: who, attempt: -1}
	n, _ := fmt.Sscan(text, &l.what, &l.value, &l.at, &l.attempt)
	if n < 3 {
		return l, fmt.Errorf("%s says %q", who, text)
	}
	return l, nil
}

// history is what all processes of a round said, in the order of each.
type history struct {
	lines   []line
	stories map[string]*story
	bad     []string
}

func (h *history) blame(format string, args ...any) {
	h.bad = append(h.bad, fmt.Sprintf(format, args...))
}

func (h *history) story(value string) *story {
	s := h.stories[value]
	if s == nil {
		s = &story{chosen: -1}
		h.stories[value] = s
	}
	return s
}

// figures are what a round comes to.
type figures struct {
	rounds, faults, values, doubts, known, again, buried, lost, duplicated int
}

func (f *figures) add(g figures) {
	f.rounds += g.rounds
	f.faults += g.faults
	f.values += g.values
	f.doubts += g.doubts
	f.known += g.known
	f.again += g.again
	f.buried += g.buried
	f.lost += g.lost
	f.duplicated += g.duplicated
}

// deaths are how many were killed of those that confirm as they receive, each of which
// may have died with a value it had not said: plain receivers, and those that select,
// which have other channels.
type deaths struct{ receivers, selecting int }

// judge checks the history. told is how many values the home has said that it
// handed out again.
func (h *history) judge(slots int, told uint64, died deaths, strict bool) figures {
	h.stories = map[string]*story{}
	h.read()
	f := figures{rounds: 1, values: len(h.stories)}
	extra := 0
	for v, s := range h.stories {
		h.judgeOne(v, s, &f)
		extra += max(s.seen-1, 0)
	}
	f.again = extra
	lost := f.lost
	f.lost = 0
	h.judgeLost(&f, "", lost, died.receivers)
	h.judgeLost(&f, " of selects", h.judgeSelects(), died.selecting)
	if extra > int(told) {
		f.duplicated += extra - int(told)
		h.blame("%d values came again, and %d were told of", extra, told)
	}
	h.judgeOrder(int(told))
	h.judgeCapacity(slots)
	if strict && (f.doubts > 0 || extra > 0 || told > 0) {
		h.blame("no process and no window has ended: %d in doubt, %d came again, %d redelivered", f.doubts, extra, told)
	}
	return f
}

// judgeLost checks that no more values are missing than may have died with receivers.
func (h *history) judgeLost(f *figures, which string, missing, died int) {
	buried := min(missing, died)
	f.buried += buried
	f.lost += missing - buried
	if missing > died {
		h.blame("%d values%s are lost, and %d receivers died", missing, which, died)
	}
}

// read makes the stories of the lines.
func (h *history) read() {
	for _, l := range h.lines {
		s := h.story(l.value)
		switch l.what {
		case "try":
			s.tried = true
		case "either":
			delete(h.stories, l.value)
			for i := range 2 {
				h.story(fmt.Sprintf("%s/%d", l.value, i)).tried = true
			}
		case "sent":
			s.sent, s.sentAt = true, l.at
		case "fail":
			s.failed = true
		case "doubt":
			s.doubt = true
		case "was", "not", "unknown":
			s.fate, s.chosen = l.what, l.attempt
		case "chose":
			s.chosen = l.attempt
		case "got", "took":
			s.seen++
			if l.what == "got" && (s.freed == 0 || l.at < s.freed) {
				s.freed = l.at
			}
		case "done":
			s.done++
			if s.freed == 0 || l.at < s.freed {
				s.freed = l.at
			}
		}
	}
}

// selected reports whether v names a select and not one of its values.
func (h *history) selected(v string) bool { return h.stories[v+"/0"] != nil }

// judgeOne checks that the value was seen if it must, and not if it must not.
func (h *history) judgeOne(v string, s *story, f *figures) {
	if s.doubt {
		f.doubts++
		if s.fate == "was" || s.fate == "not" {
			f.known++
		}
	}
	if h.selected(v) {
		f.values-- // its values are counted
		return
	}
	switch {
	case !s.tried:
		h.blame("%s was invented", v)
	case s.sent && s.seen == 0:
		f.lost++
	case s.fate == "was" && s.seen == 0:
		f.lost++
	case (s.failed || s.fate == "not") && s.seen > 0:
		f.duplicated++
		h.blame("%s was not sent (failed %v, fate %q) and was received", v, s.failed, s.fate)
	case s.done > 1:
		f.duplicated++
		h.blame("%s was confirmed %d times", v, s.done)
	}
}

// judgeSelects checks that of the two values of a select the one was sent that it says,
// none if it failed, and never both. It returns how many were sent and not received.
func (h *history) judgeSelects() (missing int) {
	for v, s := range h.stories {
		if !h.selected(v) {
			continue
		}
		seen := [2]bool{h.stories[v+"/0"].seen > 0, h.stories[v+"/1"].seen > 0}
		switch {
		case seen[0] && seen[1]:
			h.blame("%s: both cases of a select took effect", v)
		case s.chosen >= 0 && seen[1-s.chosen]:
			h.blame("%s: case %d of a select was chosen and the other took effect", v, s.chosen)
		case s.chosen >= 0 && !seen[s.chosen]:
			missing++
		case (s.failed || s.fate == "not") && (seen[0] || seen[1]):
			h.blame("%s: a select that failed took effect", v)
		}
	}
	return missing
}

// judgeOrder checks that each process received the values of each sender in the
// order they were sent, but for those that came again.
func (h *history) judgeOrder(told int) {
	last := map[string]int{}
	late := 0
	for _, l := range h.lines {
		if l.what != "got" && l.what != "took" {
			continue
		}
		name, number, _ := strings.Cut(l.value, ".")
		number, side, _ := strings.Cut(number, "/")
		var n int
		fmt.Sscan(number, &n)
		from := l.who + " " + name + " " + side
		switch {
		case n > last[from]:
			last[from] = n
		case l.what == "took" && l.attempt == 1:
			h.blame("%s took %s at attempt 1 after %d", l.who, l.value, last[from])
		default:
			late++
		}
	}
	if late > told {
		h.blame("%d values came out of order, and %d were told of as coming again", late, told)
	}
}

// judgeCapacity checks that there never were more values certainly in slots than
// there are slots.
func (h *history) judgeCapacity(slots int) {
	type change struct {
		at int64
		by int
	}
	var all []change
	for v, s := range h.stories {
		if s.sent && s.freed > s.sentAt && !strings.Contains(v, "/") {
			all = append(all, change{s.sentAt, 1}, change{s.freed, -1})
		}
	}
	slices.SortFunc(all, func(a, b change) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		return a.by - b.by
	})
	now, most := 0, 0
	for _, c := range all {
		now += c.by
		most = max(most, now)
	}
	if most > slots {
		h.blame("%d values were in %d slots at once", most, slots)
	}
}
