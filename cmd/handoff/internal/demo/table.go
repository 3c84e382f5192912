package demo

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	_, err := io.WriteString(w, r.text())
	return err
}

func (r *Report) text() string {
	var b strings.Builder
	crossed := table{{"channel", "over", "from", "to", "slots", "values", "attempts", "MB", "values/s"}}
	for _, c := range r.Channels {
		crossed.row(c.Name, r.Over, c.From, c.To, number(c.Slots), number(c.Values), number(c.Attempts),
			megabytes(c.Bytes), number(int(c.ValuesPerSecond)))
	}
	b.WriteString("\n")
	crossed.write(&b, "llllrrrrr")

	each := table{{"worker", "pid", "files", "lines", "ended"}}
	for _, e := range r.Each {
		each.row(strconv.Itoa(e.Worker), strconv.Itoa(e.PID), number(e.Files), number(e.Lines), e.story(r.KillAt))
	}
	each.write(&b, "rrrrl")

	sums := table{{"counted by", "files", "lines", "identifiers", "MB read", "seconds"}}
	sums.row(plural(r.Workers, "worker process", "worker processes"), number(r.Files-r.Lost),
		number(r.Lines), number(r.Identifiers), megabytes(r.Bytes), seconds(r.SecondsAcross))
	sums.row("one process, to compare", number(r.Files),
		number(r.alone.Lines), number(r.alone.Identifiers), megabytes(r.alone.Bytes), seconds(r.SecondsAlone))
	sums.write(&b, "lrrrrr")

	for _, note := range r.notes() {
		fmt.Fprintln(&b, note)
	}
	fmt.Fprintf(&b, "killed %d · redelivered %d · repeated %d · lost %d · duplicated %d\n",
		r.Killed, r.Redelivered, r.Repeated, r.Lost, r.Duplicated)
	if r.OK {
		fmt.Fprintf(&b, "ok in %s s: every file counted once, and all as in one process\n", seconds(r.Seconds))
	} else {
		fmt.Fprintf(&b, "NOT ok: %s\n", r.Why)
	}
	return b.String()
}

// notes are what the figures leave out.
func (r *Report) notes() (notes []string) {
	if r.Resume != "" {
		notes = append(notes, fmt.Sprintf("a connection may break and be resumed, so what the killed worker held came back %s later (resume=%s)", r.Resume, r.Resume))
	}
	if r.Cuts > 0 {
		notes = append(notes, fmt.Sprintf("the line to the home was cut %s: %s broke, and %d were resumed",
			plural(r.Cuts, "time", "times"), plural(r.Broken, "connection", "connections"), r.Resumed))
	}
	if r.Unparsed > 0 {
		notes = append(notes, fmt.Sprintf("%s not valid Go: lines counted, identifiers not", plural(int(r.Unparsed), "file is", "files are")))
	}
	if r.Unread > 0 {
		notes = append(notes, fmt.Sprintf("%s not be read, and counted as empty", plural(int(r.Unread), "file could", "files could")))
	}
	if r.Skipped > 0 {
		notes = append(notes, fmt.Sprintf("%s not be walked, and left out", plural(r.Skipped, "folder could", "folders could")))
	}
	return notes
}

// story is how a worker ended, in words.
func (w *WorkerReport) story(killAt string) string {
	story := "done"
	switch {
	case w.Ended == "killed" && killAt == KillBetween:
		story = "killed between result and confirmation of " + shown(w.Held)
	case w.Ended == "killed":
		story = "killed holding " + shown(w.Held)
	case w.Ended == "died":
		story = "killed by someone else"
	}
	if w.Replaces > 0 {
		story += fmt.Sprintf(", replaced worker %d", w.Replaces)
	}
	return story
}

// shown is a file's name as one line can show it: quoted, if it has characters
// that would do something.
func shown(name string) string {
	if q := strconv.Quote(name); q != `"`+name+`"` {
		return q
	}
	return name
}

// table is rows of cells, the first of them the header.
type table [][]string

func (t *table) row(cells ...string) { *t = append(*t, cells) }

// write writes the table with an empty line around it. align has l or r for each
// column.
func (t table) write(b *strings.Builder, align string) {
	widths := make([]int, len(align))
	for _, cells := range t {
		for i, c := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, cells := range t {
		var line strings.Builder
		for i, c := range cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if align[i] == 'l' {
				c += pad
			} else {
				c = pad + c
			}
			line.WriteString(c + "  ")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	b.WriteString("\n")
}

// number writes n with a comma at every thousand.
func number[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/1e6) }
func seconds(s float64) string     { return fmt.Sprintf("%.2f", s) }
