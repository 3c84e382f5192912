package shm

import (
	"encoding/binary"

	"github.com/handoff-go/handoff/driver"
)

// Of a page, in the table of pages. A run of free pages says at both its ends how long it
// is, so that a run that is freed finds its neighbours; one that is used says it
// at its first page.
const (
	pTag  = iota // length<<1 | pageFree
	pNext        // the next free run
	pPrev
)

const pageFree = 1

func (t *tx) pageAt(p uint32) uint32 {
	if p-1 >= t.s.pages {
		t.fail("a page that is none")
		return t.s.geometry.pageAt
	}
	return t.s.geometry.pageAt + p*pageWords
}

func (t *tx) page(p, field uint32) uint32   { return t.get(t.pageAt(p) + field) }
func (t *tx) setPage(p, field, v uint32)    { t.set(t.pageAt(p)+field, v) }
func (t *tx) tag(p, n, free uint32)         { t.setPage(p, pTag, n<<1|free); t.setPage(p+n-1, pTag, n<<1|free) }
func (t *tx) isFreeRun(p uint32) bool       { return p-1 < t.s.pages && t.page(p, pTag)&pageFree != 0 }
func pagesFor(bytes int) uint32             { return uint32((bytes + pageBytes - 1) / pageBytes) }
func (t *tx) runLength(p uint32) (n uint32) { return t.page(p, pTag) >> 1 }

// takePages returns the first page of a run of n, 0 if there is none.
func (t *tx) takePages(n uint32) uint32 {
	for p := t.get(gPages); p != 0; p = t.page(p, pNext) {
		have := t.runLength(p)
		if have < n {
			continue
		}
		prev, next := t.page(p, pPrev), t.page(p, pNext)
		if have > n { // what is left has its place in the list
			rest := p + n
			t.tag(rest, have-n, pageFree)
			t.setPage(rest, pPrev, prev)
			t.setPage(rest, pNext, next)
			if prev == 0 {
				t.set(gPages, rest)
			} else {
				t.setPage(prev, pNext, rest)
			}
			if next != 0 {
				t.setPage(next, pPrev, rest)
			}
		} else {
			t.unchain(p)
		}
		t.setPage(p, pTag, n<<1)
		if n > 1 {
			t.setPage(p+n-1, pTag, n<<1)
		}
		return p
	}
	return 0
}

// freePages gives back the pages of e, if it has any.
func (t *tx) freePages(e uint32) {
	p := t.e(e, eExtent)
	if p == 0 {
		return
	}
	t.setE(e, eExtent, 0)
	n := t.runLength(p)
	if n == 0 || p+n-1 > t.s.pages || t.page(p, pTag)&pageFree != 0 {
		t.fail("a run of pages that is none")
		return
	}
	if next := p + n; t.isFreeRun(next) {
		t.unchain(next)
		n += t.runLength(next)
	}
	if t.isFreeRun(p - 1) {
		before := t.runLength(p - 1)
		p -= before
		n += before
	} else {
		first := t.get(gPages)
		t.setPage(p, pNext, first)
		t.setPage(p, pPrev, 0)
		if first != 0 {
			t.setPage(first, pPrev, p)
		}
		t.set(gPages, p)
	}
	t.tag(p, n, pageFree)
}

// unchain takes the free run at p out of the list.
func (t *tx) unchain(p uint32) {
	prev, next := t.page(p, pPrev), t.page(p, pNext)
	if prev == 0 {
		t.set(gPages, next)
	} else {
		t.setPage(prev, pNext, next)
	}
	if next != 0 {
		t.setPage(next, pPrev, prev)
	}
}

// memory gives the record e, which is on the stack, room for n bytes.
func (m *Member) memory(e uint32, n int) error {
	if n <= 8*inlineWords {
		return nil
	}
	for {
		t := &m.t
		t.begin()
		t.freePages(e) // of a value that was staged here, and then elsewhere
		p := t.takePages(pagesFor(n))
		t.setE(e, eExtent, p)
		switch {
		case !t.commit():
			if err := m.s.damaged(); err != nil {
				return err
			}
		case p == 0:
			return driver.Because(driver.ErrFull, "%d bytes do not fit into what is left of the pool (pool=)", n)
		default:
			return nil
		}
	}
}

// tidy frees the memory of records of this member's stack that were read out.
func (m *Member) tidy() {
	for len(m.untidy) > 0 {
		t := &m.t
		t.begin()
		n := min(len(m.untidy), maxWrites/16)
		for _, e := range m.untidy[:n] {
			t.freePages(e)
		}
		if t.commit() {
			m.untidy = m.untidy[n:]
		} else if m.s.damaged() != nil {
			break
		}
	}
	m.untidy = m.untidy[:0]
}

// content is the memory of e, which this member has alone: header and value. What the
// segment says of its size and place is looked at, not believed.
func (s *Segment) content(e uint32) []byte {
	at := s.geometry.recordAt + e*recordWords
	if p := uint32(s.load(at + eExtent)); p != 0 && p <= s.pages {
		n := uint32(s.load(s.geometry.pageAt+p*pageWords+pTag)) >> 1
		first, last := uint64(p-1)*pageBytes, uint64(p-1+n)*pageBytes
		if last <= uint64(len(s.pool)) {
			return s.pool[first:last]
		}
		return nil
	}
	return bytesOf(s.words[at+recordWords-inlineWords : at+recordWords])
}

// write writes header and value into e.
func (m *Member) write(e uint32, header, value []byte) {
	s := m.s
	b := s.content(e)
	copy(b, header)
	if hasPoints {
		copy(b[min(len(header), len(b)):], value[:len(value)/2])
		m.point(PointHalf)
	}
	copy(b[min(len(header), len(b)):], value)
	s.note(s.geometry.recordAt+e*recordWords+eSize, uint64(len(header))<<32|uint64(len(value)))
}

// read returns header and value of e, which point into the segment. ok is false if it
// is damaged.
func (s *Segment) read(e uint32) (header, value []byte, ok bool) {
	size := s.load(s.geometry.recordAt + e*recordWords + eSize)
	h, v := size>>32, size&0xffffffff
	b := s.content(e)
	if h+v > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:h], b[h : h+v], true
}

// appendHeader appends a header: pairs of lengths and texts.
func appendHeader(b []byte, h map[string]string) []byte {
	for k, v := range h {
		b = binary.AppendUvarint(b, uint64(len(k)))
		b = append(b, k...)
		b = binary.AppendUvarint(b, uint64(len(v)))
		b = append(b, v...)
	}
	return b
}

// parseHeader is the inverse of appendHeader.
func parseHeader(b []byte) map[string]string {
	if len(b) == 0 {
		return nil
	}
	h := map[string]string{}
	text := func() (string, bool) {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return "", false
		}
		s := string(b[used : used+int(n)])
		b = b[used+int(n):]
		return s, true
	}
	for len(b) > 0 {
		k, ok := text()
		v, also := text()
		if !ok || !also {
			return h
		}
		h[k] = v
	}
	return h
}
