// Package report keeps what was measured: a file for every run, tables for
// people to read, and the page in docs made of the newest files.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/handoff-go/handoff/bench/internal/measure"
)

// About says where and how a run was made. Figures of different machines are
// never compared.
type About struct {
	Date    time.Time `json:"date"`
	CPU     string    `json:"cpu"`
	Cores   int       `json:"cores"`
	Go      string    `json:"go"`
	Target  string    `json:"target"` // operating system and architecture
	Commit  string    `json:"commit"`
	Command string    `json:"command"`
	Form    string    `json:"form"` // of parking, fast or portable
	Rounds  int       `json:"rounds"`
	Sample  string    `json:"sample"` // how long one sample takes, about
	Took    string    `json:"took"`
	Load    string    `json:"load"` // of the machine, before and after
}

// Record is one run.
type Record struct {
	About About         `json:"about"`
	Rows  []measure.Row `json:"rows"`
}

// encode writes one row a line, so that a file can be read and compared.
func (r *Record) encode() ([]byte, error) {
	about, err := json.MarshalIndent(r.About, "", "  ")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n\"about\": %s,\n\"rows\": [\n", about)
	for i, row := range r.Rows {
		line, err := json.Marshal(rounded(row))
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(",\n")
		}
		b.Write(line)
	}
	b.WriteString("\n]\n}\n")
	return b.Bytes(), nil
}

// rounded leaves out digits that mean nothing.
func rounded(row measure.Row) measure.Row {
	row.Figures = slices.Clone(row.Figures)
	for i, f := range row.Figures {
		row.Figures[i].Ns = roundAll(f.Ns, 100)
		row.Figures[i].Allocs = roundAll(f.Allocs, 10000)
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
func (r *Record) Store(dir string) (string, error) {
	text, err := r.encode()
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s-%s-%s.json", r.About.Date.UTC().Format("20060102-1504"), slug(r.About.CPU), r.About.Form)
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
func Load(file string) (*Record, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &Record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// Newest returns the newest record of form in dir and the name of its file;
// none is no error.
func Newest(dir, form string) (*Record, string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*-"+form+".json"))
	if err != nil || len(files) == 0 {
		return nil, "", err
	}
	newest := slices.Max(files) // the names begin with the date
	r, err := Load(newest)
	return r, filepath.Base(newest), err
}
