package shm

import (
	"errors"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/driver"
)

// TestLoadRefuses: whatever does not fit this program is refused, with words that say what.
func TestLoadRefuses(t *testing.T) {
	form := formOf()
	for _, c := range []struct {
		name   string
		change func(words []uint64) []uint64
		says   string
	}{
		{"nothing", func([]uint64) []uint64 { return nil }, "no segment of handoff"},
		{"less than a header", func(w []uint64) []uint64 { return w[:headerEnd] }, "no segment of handoff"},
		{"another magic", at(hdMagic, 1), "no segment of handoff"},
		{"another version", at(hdVersion, form+1), "version"},
		{"another byte order", at(hdVersion, form^0xff00_0000^0x00ff_0000), "byte order"},
		{"another word size", at(hdVersion, form^12<<32), "word size"},
		{"another page size", at(hdVersion, form^20<<40), "page size"},
		{"a size that is not that of its numbers", func(w []uint64) []uint64 { w[hdWords]++; return w }, "contradict"},
		{"more slots than records", func(w []uint64) []uint64 { w[hdSlots] = w[hdRecords] + 1; return w }, "contradict"},
		{"no members", at(hdMembers, 0), "contradict"},
		{"too many records", at(hdRecords, maxRecords+1), "contradict"},
		{"sizes whose sum is too large for a number", at(hdPages, 1<<63), "contradict"},
		{"a word less than it says", func(w []uint64) []uint64 { return w[:w[hdWords]-1] }, "cut off"},
		{"a type that is too long", at(hdTypeLen, maxTypeLen+1), "type"},
		{"a name of a dead letter that is too long", at(hdDeadLen, 8*hdDeadWords+1), "dead letter"},
		{"values larger than the pool", at(hdMaxValue, 1<<40), "maxvalue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			words := c.change(memory(t, Params{Slots: 4, Waiters: 16, Members: 4, Pool: 16 * pageBytes}))
			_, err := Load(words)
			if !errors.Is(err, driver.ErrConflict) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v; want a conflict that says %q", err, c.says)
			}
		})
	}
	if _, err := Load(memory(t, Params{Slots: 4, Waiters: 16, Members: 4, Pool: 16 * pageBytes})); err != nil {
		t.Error(err)
	}
}

// at changes one word.
func at(off int, v uint64) func([]uint64) []uint64 {
	return func(words []uint64) []uint64 { words[off] = v; return words }
}
