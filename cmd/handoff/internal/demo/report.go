package demo

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// Report is what came of a demo. Its JSON form is for scripts and only grows.
type Report struct {
	OK  bool   `json:"ok"`
	Why string `json:"why,omitempty"` // what is not as it should be

	Dir    string `json:"dir"`
	Over   string `json:"over"`
	Resume string `json:"resume,omitempty"` // how long a broken connection is waited for
	Seed   uint64 `json:"seed"`
	KillAt string `json:"kill_at"`

	Files       int   `json:"files"`
	Lines       int64 `json:"lines"`
	Identifiers int64 `json:"identifiers"`
	Bytes       int64 `json:"bytes"`
	Unparsed    int64 `json:"unparsed"` // files that are not valid Go
	Unread      int64 `json:"unread"`   // files that could not be read
	Skipped     int   `json:"skipped"`  // folders that could not be walked

	Workers     int `json:"workers"`
	Killed      int `json:"killed"` // workers the demo killed
	Died        int `json:"died"`   // workers somebody else killed
	Cuts        int `json:"cuts"`   // of the line to the home
	Broken      int `json:"broken"` // connections that broke by them
	Resumed     int `json:"resumed"`
	Redelivered int `json:"redelivered"`
	Repeated    int `json:"repeated"`
	Lost        int `json:"lost"`
	Duplicated  int `json:"duplicated"`

	Channels []ChannelReport `json:"channels"`
	Each     []WorkerReport  `json:"each"`

	Seconds       float64 `json:"seconds"` // of the whole demo
	SecondsAcross float64 `json:"seconds_across"`
	SecondsAlone  float64 `json:"seconds_alone"`

	alone counts // what a single process found in sum
}

// ChannelReport is what crossed on one channel.
type ChannelReport struct {
	Name            string  `json:"name"`
	From            string  `json:"from"`
	To              string  `json:"to"`
	Slots           int     `json:"slots"`
	Values          int     `json:"values"`
	Attempts        int     `json:"attempts"` // hand-outs
	Bytes           int64   `json:"bytes"`    // of the values as encoded
	ValuesPerSecond float64 `json:"values_per_second"`
}

// WorkerReport is one worker process.
type WorkerReport struct {
	Worker   int    `json:"worker"`
	PID      int    `json:"pid"`
	Files    int    `json:"files"` // whose counted result came from it
	Results  int    `json:"results"`
	Lines    int64  `json:"lines"`
	Ended    string `json:"ended"` // done, killed, died
	Held     string `json:"held,omitempty"`
	Replaces int    `json:"replaces,omitempty"`
}

func (d *demo) report(across time.Duration, alone []counts, aloneTook time.Duration) *Report {
	v := d.tally.verdict()
	t := d.tally.total
	r := &Report{
		Dir: d.Dir, Over: d.Over, Seed: d.Seed, KillAt: d.KillAt,
		Files: len(d.list.paths), Lines: t.Lines, Identifiers: t.Identifiers, Bytes: t.Bytes,
		Unparsed: t.Unparsed, Unread: t.Unread, Skipped: len(d.list.skipped),
		Workers: d.Workers, Redelivered: v.redelivered, Repeated: v.repeated, Lost: v.lost, Duplicated: v.duplicated,
		Seconds: round(time.Since(d.began).Seconds()), SecondsAcross: round(across.Seconds()), SecondsAlone: round(aloneTook.Seconds()),
	}
	if d.Over == "tcp" {
		r.Resume = tcpResume
	}
	r.Cuts, r.Broken, r.Resumed = d.cutter.done, d.cutter.broken, int(d.cutter.resumed.Load())
	for _, c := range alone {
		r.alone.add(c)
	}
	results := 0
	for _, m := range d.pool.members {
		w := d.worker(m)
		results += w.Results
		switch {
		case m.killed:
			r.Killed++
		case m.died:
			r.Died++
		}
		r.Each = append(r.Each, w)
	}
	files := len(d.list.paths)
	r.Channels = []ChannelReport{
		{Name: pathsName, From: "walker", To: "workers", Slots: pathSlots, Values: files,
			Attempts: files + v.redelivered, Bytes: d.moved.pathBytes},
		{Name: resultsName, From: "workers", To: "collector", Slots: resultSlots, Values: results,
			Attempts: results, Bytes: d.moved.resultBytes},
	}
	for i := range r.Channels {
		r.Channels[i].ValuesPerSecond = round(float64(r.Channels[i].Values) / across.Seconds())
	}
	r.Why = d.why(r, alone)
	r.OK = r.Why == ""
	return r
}

// round spares a reader the digits that mean nothing. It rounds up, for what took
// time is never nothing.
func round(x float64) float64 { return math.Ceil(x*1e3) / 1e3 }

func (d *demo) worker(m *member) WorkerReport {
	w := WorkerReport{Worker: m.id, PID: m.proc.pid(), Replaces: m.replaces, Ended: "done"}
	if s := d.tally.shares[m.id]; s != nil {
		w.Files, w.Results, w.Lines = s.files, s.results, s.lines
	}
	switch {
	case m.killed:
		w.Ended = "killed"
		w.Held = d.list.paths[d.victim.No]
	case m.died:
		w.Ended = "died"
	}
	return w
}

// why says what is wrong, the worst first; "" if nothing is.
func (d *demo) why(r *Report, alone []counts) string {
	where := func(bad bool, format string, args ...any) string {
		if !bad {
			return ""
		}
		return fmt.Sprintf(format, args...)
	}
	return cmp.Or(
		where(r.Lost > 0, "%d files were lost", r.Lost),
		where(r.Duplicated > 0, "%d files entered the totals twice", r.Duplicated),
		where(d.tally.strange > 0, "%d results belong to no file", d.tally.strange),
		where(d.tally.differ > 0, "%d results differ from an earlier one of the same file", d.tally.differ),
		d.tally.against(alone),
		where(r.Cuts != d.Cut, "the line was cut %d times, not %d", r.Cuts, d.Cut),
		where(r.Killed != 1, "%d workers were killed, not 1", r.Killed),
		where(r.Redelivered < 1, "what the killed worker held was not handed out again"),
		where(r.KillAt == KillBetween && r.Repeated < 1, "the result of the killed worker did not come again"),
	)
}
