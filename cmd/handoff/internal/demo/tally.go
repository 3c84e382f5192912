package demo

import "fmt"

// entry is what the collector knows of one file.
type entry struct {
	entered int    // how often it entered the totals
	came    int    // how often a result came
	attempt uint32 // the highest of the hand-outs that brought a result
	counts  counts
}

// share is what one worker contributed.
type share struct {
	results int // that came from it
	files   int // of these, the first of their file
	lines   int64
}

// tally counts each file once, whatever comes.
type tally struct {
	files   []entry // by the job's number
	total   counts
	counted int
	shares  map[int]*share
	strange int // results that belong to no file
	differ  int // results that contradict an earlier one of the same file
}

func newTally(n int) *tally {
	return &tally{files: make([]entry, n), shares: map[int]*share{}}
}

// enter takes a result in.
func (t *tally) enter(r result) {
	if int(r.No) >= len(t.files) {
		t.strange++
		return
	}
	s := t.shares[int(r.Worker)]
	if s == nil {
		s = &share{}
		t.shares[int(r.Worker)] = s
	}
	s.results++
	e := &t.files[r.No]
	e.came++
	e.attempt = max(e.attempt, r.Attempt)
	if e.came > 1 {
		if e.counts != r.Counts {
			t.differ++
		}
		return
	}
	e.counts = r.Counts
	e.entered++
	t.counted++
	t.total.add(r.Counts)
	s.files++
	s.lines += r.Counts.Lines
}

// verdict is the tally in four figures.
type verdict struct{ lost, duplicated, repeated, redelivered int }

// verdict looks at every file again rather than believe running sums.
func (t *tally) verdict() (v verdict) {
	for i := range t.files {
		e := &t.files[i]
		if e.entered == 0 {
			v.lost++
		}
		v.duplicated += max(e.entered-1, 0)
		v.repeated += max(e.came-1, 0)
		v.redelivered += max(int(e.attempt)-1, 0)
	}
	return v
}

// against compares file by file and in sum with what a single process found, and
// says where they part; "" if nowhere.
func (t *tally) against(alone []counts) string {
	var sum counts
	for i, c := range alone {
		sum.add(c)
		if t.files[i].entered > 0 && t.files[i].counts != c {
			return fmt.Sprintf("file %d: the workers found %+v, a single process %+v", i, t.files[i].counts, c)
		}
	}
	if sum != t.total {
		return fmt.Sprintf("in sum the workers found %+v, a single process %+v", t.total, sum)
	}
	return ""
}
