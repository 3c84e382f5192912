// Package page keeps what was measured: a file for every run, and the page in
// docs made of the newest files.
package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/bench/report"
)

// encode writes one row a line, so that a file can be read and compared.
func encode(r *report.Record) ([]byte, error) {
	about, err := json.MarshalIndent(r.About, "", "  ")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n\"about\": %s,\n\"claims\": ", about)
	if err := lines(&b, r.Claims); err != nil {
		return nil, err
	}
	b.WriteString(",\n\"rows\": ")
	rows := make([]measure.Row, len(r.Rows))
	for i, row := range r.Rows {
		rows[i] = rounded(row)
	}
	if err := lines(&b, rows); err != nil {
		return nil, err
	}
	if len(r.Notes) > 0 {
		b.WriteString(",\n\"notes\": ")
		if err := lines(&b, r.Notes); err != nil {
			return nil, err
		}
	}
	b.WriteString("\n}\n")
	return b.Bytes(), nil
}

// lines writes an array with one element a line.
func lines[T any](b *bytes.Buffer, all []T) error {
	b.WriteString("[\n")
	for i, one := range all {
		line, err := json.Marshal(one)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteString(",\n")
		}
		b.Write(line)
	}
	b.WriteString("\n]")
	return nil
}

// rounded leaves out digits that mean nothing.
func rounded(row measure.Row) measure.Row {
	row.Figures = slices.Clone(row.Figures)
	for i := range row.Figures {
		f := &row.Figures[i]
		for _, xs := range []*[]float64{&f.Ns, &f.CPU, &f.P50, &f.P99, &f.P999} {
			*xs = roundAll(*xs, 100)
		}
		f.Allocs = roundAll(f.Allocs, 10000)
	}
	return row
}

func roundAll(xs []float64, parts float64) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		out[i] = float64(int(x*parts+0.5)) / parts
	}
	return out
}

// Store writes r into dir and returns the name of the file.
func (k *Kind) Store(r *report.Record, dir string) (string, error) {
	text, err := encode(r)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s-%s-%s.json", r.About.Date.UTC().Format("20060102-1504"), slug(r.About.CPU), k.keptAs(r))
	return name, os.WriteFile(filepath.Join(dir, name), text, 0o644)
}

// slug makes a part of a file name of a CPU's name.
func slug(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9')
	})
	return strings.Join(words, "-")
}

// Load reads the record in file.
func Load(file string) (*report.Record, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &report.Record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// Newest returns the newest record in dir that is kept so and the name of its
// file; none is no error.
func Newest(dir, kept string) (*report.Record, string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*-"+kept+".json"))
	if err != nil || len(files) == 0 {
		return nil, "", err
	}
	newest := slices.Max(files) // the names begin with the date
	r, err := Load(newest)
	return r, filepath.Base(newest), err
}
