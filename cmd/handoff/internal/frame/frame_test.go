package frame

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll returns all values and the error after them, nil for the end.
func readAll(in io.Reader, form Form, most int) (got []string, err error) {
	r := NewReader(in, form, most)
	for {
		v, err := r.Next()
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, string(v))
	}
}

func TestRead(t *testing.T) {
	long := strings.Repeat("x", 3*readAhead)
	for _, c := range []struct {
		form Form
		in   string
		want []string
	}{
		{Lines, "", nil},
		{Lines, "a\n\nb\r\nc", []string{"a", "", "b\r", "c"}},
		{Lines, "\n", []string{""}},
		{Lines, long + "\n" + long, []string{long, long}},
		{Null, "a\nb\x00\x00c", []string{"a\nb", "", "c"}},
		{JSON, "{\"a\": 1}\n null\n\"x\"", []string{`{"a": 1}`, " null", `"x"`}},
		{Prefixed, "", nil},
		{Prefixed, "\x00\x00\x00\x02ab\x00\x00\x00\x00\x00\x00\x00\x01\n", []string{"ab", "", "\n"}},
		{Raw, "", []string{""}},
		{Raw, "a\nb\x00", []string{"a\nb\x00"}},
	} {
		for _, in := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in)), iotest.DataErrReader(strings.NewReader(c.in))} {
			if got, err := readAll(in, c.form, 1<<20); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("form %d, %.40q: %.40q, %v", c.form, c.in, got, err)
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct {
		form Form
		in   string
		read int
		says string
	}{
		{Lines, "12345\n123456\n", 1, "line 2: it is too long: more than 5 bytes"},
		{Lines, "123456", 0, "line 1: it is too long"},
		{Lines, strings.Repeat("x", 5*readAhead), 0, "line 1: it is too long"},
		{Null, "1\x002\x00123456\x00", 2, "value 3: it is too long"},
		{JSON, "1\n{\n", 1, "line 2: it is not JSON: unexpected end"},
		{JSON, "1 2\n", 0, "line 1: it is not JSON"},
		{JSON, "1\n\n2\n", 1, "line 2: it is not JSON"},
		{JSON, "\"\xff\"\n", 0, "line 1: it is not JSON: not UTF-8"},
		{Prefixed, "\x00\x00\x00\x01a\x00\x00", 1, "value 2: the input ends in the middle of its length"},
		{Prefixed, "\x00\x00\x00\x03a", 0, "value 1: the input ends before its 3 bytes"},
		{Prefixed, "\x00\x00\x00\x03", 0, "value 1: the input ends before its 3 bytes"},
		{Prefixed, "\xff\xff\xff\xffa", 0, "value 1: it is too long"},
		{Raw, "123456", 0, "value 1: it is too long"},
	} {
		got, err := readAll(strings.NewReader(c.in), c.form, 5)
		if err == nil || !strings.Contains(err.Error(), c.says) || len(got) != c.read {
			t.Errorf("form %d, %.40q: %.40q, %v, want %q", c.form, c.in, got, err, c.says)
		}
	}
	broken := errors.New("the disk is gone")
	got, err := readAll(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), Lines, 5)
	if !errors.Is(err, broken) || len(got) != 1 || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Errorf("%q, %v", got, err)
	}
}

// What Check lets pass is read as it was written.
func TestThereAndBack(t *testing.T) {
	values := []string{"", "a", "a\nb", "a\x00b", `{"a":1}`, "{\"a\":\n1}", "ü", "\xff", "1 2"}
	for form := Lines; form <= Prefixed; form++ {
		var text strings.Builder
		w := NewWriter(&text, form)
		var want []string
		for _, v := range values {
			if form.Check([]byte(v)) != nil {
				continue
			}
			if err := w.Write([]byte(v)); err != nil {
				t.Fatal(err)
			}
			if form == JSON {
				v = strings.ReplaceAll(v, "\n", "")
			}
			want = append(want, v)
		}
		got, err := readAll(strings.NewReader(text.String()), form, 100)
		if err != nil || !slices.Equal(got, want) || len(got) < 2 {
			t.Errorf("form %d: %q, %v, want %q", form, got, err, want)
		}
	}
}
