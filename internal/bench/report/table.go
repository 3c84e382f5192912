package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"
)

// legend is what to know to read the tables; the page says more.
const legend = `ns per operation, unless the name says otherwise: median, minimum and 90th percentile of the rounds; ratio to the base, of
the medians and as the median by round (beside the base: how far it was from itself); objects allocated and ns of CPU time per operation`

// Text writes the tables of r for a terminal, then its notes, and at the end what
// became of the goals.
func (r *Record) Text(w io.Writer) error {
	a := r.About
	made := a.Form + " form"
	if a.Commit != "" {
		made += ", commit " + a.Commit
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, %s, %s, %s, %d rounds of about %s, %s, load %s\n%s\n",
		a.CPU, a.Cores, a.Go, a.Target, made, a.Rounds, a.Sample, a.Took, a.Load, legend)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	group := ""
	for _, row := range r.Rows {
		l := NewLine(row)
		if row.Group != group {
			group = row.Group
			fmt.Fprintf(t, "\n%s\t%s\n", group, strings.Join(Header, "\t"))
		}
		title := l.Title(a.Rounds)
		for _, c := range l.Cells() {
			cells := c.List()
			if c.Why != "" {
				cells[len(cells)-1] = "cannot run: " + c.Why
			}
			fmt.Fprintf(t, "  %s\t%s\n", title, strings.Join(cells, "\t"))
			title = ""
		}
	}
	t.Flush() // to b, which does not fail
	fmt.Fprintln(&b)
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "- %s\n", note)
	}
	if len(r.Notes) > 0 {
		fmt.Fprintln(&b)
	}
	r.verdicts(&b)
	_, err := io.WriteString(w, blanks.ReplaceAllString(b.String(), "\n"))
	return err
}

// blanks are those at the ends of lines, where the last cells are empty.
var blanks = regexp.MustCompile(` +\n`)

func (r *Record) verdicts(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\n", strings.Join(VerdictHeader, "\t"))
	for _, v := range r.Verdicts() {
		fmt.Fprintf(t, "%s\n", strings.Join(v.List(), "\t"))
	}
	t.Flush()
}
