package rival

import (
	"fmt"
	"strings"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// BreakEven says from which size on a pointer to a fresh value is faster than a
// copy of it, through our channel and through Go's, by the medians of rows. It
// is nil if the rows have none of that.
func BreakEven(rows []measure.Row) []string {
	return append(breakEven(rows, "our channel", "ours", byPointer), breakEven(rows, "Go's channel", native, byGoPointer)...)
}

func breakEven(rows []measure.Row, whose, copied, pointed string) []string {
	var won, lost []string // the sizes at which the pointer wins, and those after the first of them at which it does not
	last := ""
	for _, r := range rows {
		if r.Group != timeGroup {
			continue
		}
		values, pointers := median(r, copied), median(r, pointed)
		switch {
		case values == 0 || pointers == 0:
			continue
		case pointers < values:
			won = append(won, r.Name)
		case len(won) > 0:
			lost = append(lost, r.Name)
		}
		last = r.Name
	}
	switch {
	case last == "":
		return nil
	case len(won) == 0:
		return []string{fmt.Sprintf("Through %s a pointer to a fresh value was never faster than the copy, up to %s.", whose, last)}
	case len(lost) > 0:
		return []string{fmt.Sprintf("Through %s a pointer to a fresh value is first faster than the copy at %s, though not at %s.", whose, won[0], strings.Join(lost, ", "))}
	}
	return []string{fmt.Sprintf("Through %s a pointer to a fresh value is faster than the copy from %s on, up to %s.", whose, won[0], last)}
}

// median of the contender called name; 0 if it did not run.
func median(r measure.Row, name string) float64 {
	for _, f := range r.Figures {
		if f.Name == name && len(f.Ns) > 0 {
			return measure.Median(f.Ns)
		}
	}
	return 0
}
