package frame

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// readAhead is how many bytes a Reader may have read beyond what it returned.
const readAhead = 16 << 10

// Reader reads values.
type Reader struct {
	in   *bufio.Reader
	form Form
	most int // bytes of a value
	n    int // values begun
	over bool
}

// NewReader makes a Reader of the values in r, of at most most bytes each.
func NewReader(r io.Reader, form Form, most int) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, readAhead), form: form, most: most}
}

// Next returns the next value, which is the caller's, or io.EOF after the last.
// Every other error says which value it was about.
func (r *Reader) Next() ([]byte, error) {
	v, err := r.next()
	if err == io.EOF {
		return nil, io.EOF
	}
	r.n++
	if err == nil && r.form == JSON {
		err = CheckJSON(v)
	}
	if err != nil {
		return nil, r.Blame(err)
	}
	return v, nil
}

// Blame returns err, unless it is nil, with the number of the value that was read
// last.
func (r *Reader) Blame(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %d: %w", r.form.Unit(), r.n, err)
}

func (r *Reader) next() ([]byte, error) {
	switch r.form {
	case Raw:
		return r.all()
	case Prefixed:
		return r.prefixed()
	case Null:
		return r.until(0)
	}
	return r.until('\n')
}

// all returns everything, once.
func (r *Reader) all() ([]byte, error) {
	if r.over {
		return nil, io.EOF
	}
	r.over = true
	v, err := io.ReadAll(io.LimitReader(r.in, int64(r.most)+1))
	if err == nil && len(v) > r.most {
		err = r.tooLong()
	}
	if err == nil && v == nil {
		v = []byte{}
	}
	return v, err
}

func (r *Reader) prefixed() ([]byte, error) {
	var head [4]byte
	if n, err := io.ReadFull(r.in, head[:]); err != nil {
		if n > 0 && errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the input ends in the middle of its length")
		}
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if int64(n) > int64(r.most) {
		return nil, r.tooLong()
	}
	v := make([]byte, n)
	if _, err := io.ReadFull(r.in, v); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
			err = fmt.Errorf("the input ends before its %d bytes are there", n)
		}
		return nil, err
	}
	return v, nil
}

// until reads up to a delimiter, or to the end if there is something before it.
func (r *Reader) until(end byte) ([]byte, error) {
	v := []byte{}
	for {
		part, err := r.in.ReadSlice(end)
		v = append(v, part...)
		switch {
		case err == nil && len(v)-1 <= r.most:
			return v[:len(v)-1], nil
		case len(v) > r.most:
			return nil, r.tooLong()
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF && len(v) > 0:
			return v, nil
		default:
			return nil, err
		}
	}
}

func (r *Reader) tooLong() error { return fmt.Errorf("%w: more than %d bytes", ErrTooLong, r.most) }

// ErrTooLong is the error of a value beyond the Reader's limit.
var ErrTooLong = errors.New("it is too long")
