// Package screen is how a long command talks: lines as things happen, and a
// progress bar where there is a terminal to show one.
package screen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// redraw is how long a bar stays before it is drawn anew.
const redraw = 60 * time.Millisecond

// Screen may be used by several goroutines at once.
type Screen struct {
	mu    sync.Mutex // guards the rest, and keeps lines and bar apart
	out   io.Writer
	bar   *os.File // nil: no bar
	shown bool
	drawn time.Time
	began time.Time // when counting began
	last  string
}

// New makes a Screen that writes lines to out, nil for none, and the bar to
// status if that is a terminal.
func New(out, status io.Writer) *Screen {
	s := &Screen{out: out}
	if f, ok := status.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.bar = f
	}
	return s
}

// Say writes one line above the bar.
func (s *Screen) Say(format string, args ...any) {
	if s.out == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	again := s.shown
	s.wipe()
	fmt.Fprintf(s.out, format+"\n", args...)
	if again {
		s.draw(s.last)
	}
}

// Progress shows that done of total is done. It draws when enough time has
// passed since it last did, so it may be called for every value.
func (s *Screen) Progress(label string, done, total int, note string) {
	if s.bar == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.shown && now.Sub(s.drawn) < redraw {
		return
	}
	s.drawn = now
	s.draw(Bar(s.width(), label, done, total, note))
}

// Count shows that n things were done, of a number nobody knows, and what label
// says of them. It may be called for every one.
func (s *Screen) Count(n int, label func() string) {
	if s.bar == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.began.IsZero() {
		s.began = now
	}
	if s.shown && now.Sub(s.drawn) < redraw {
		return
	}
	s.drawn = now
	text := fmt.Sprintf("%d %s", n, label())
	if took := now.Sub(s.began); took > time.Second {
		text += fmt.Sprintf(", %.0f/s", float64(n)/took.Seconds())
	}
	s.draw(cut(text, s.width()-1))
}

// Beside returns a writer to where the bar is, for what others say: the bar gives
// way to it. Without a bar it is status as New got it.
func (s *Screen) Beside(status io.Writer) io.Writer {
	if s.bar == nil {
		return status
	}
	return beside{s}
}

type beside struct{ *Screen }

func (w beside) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wipe()
	return w.bar.Write(b)
}

// Clear takes the bar away.
func (s *Screen) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
}

func (s *Screen) width() int {
	width, _, err := term.GetSize(int(s.bar.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

func (s *Screen) draw(line string) {
	fmt.Fprintf(s.bar, "\r%s\x1b[K", line)
	s.shown, s.last = true, line
}

func (s *Screen) wipe() {
	if s.shown {
		fmt.Fprint(s.bar, "\r\x1b[K")
		s.shown = false
	}
}

// Bar returns one line of at most width-1 columns, so that no terminal wraps it:
// label, bar, percentage and note, of which the bar gives way first.
func Bar(width int, label string, done, total int, note string) string {
	const longest = 40
	share := 0.0
	if total > 0 {
		share = min(float64(done)/float64(total), 1)
	}
	tail := fmt.Sprintf(" %3d%%", int(share*100))
	if note != "" {
		tail += "  " + note
	}
	line := label
	if room := min(width-1-columns(label)-columns(tail)-1, longest); room >= 5 {
		full := int(share * float64(room))
		line += " " + strings.Repeat("█", full) + strings.Repeat("░", room-full)
	}
	return cut(line+tail, width-1)
}

// columns is the width of text of one column to a character, which is all a bar
// has.
func columns(s string) int { return len([]rune(s)) }

func cut(s string, most int) string {
	r := []rune(s)
	return string(r[:min(len(r), max(most, 0))])
}
