package line

import (
	"bytes"
	"io"
	"os"
)

// memoryMost is what a spool keeps in memory.
const memoryMost = 1 << 20

// spool keeps bytes, in memory and then in a temporary file, to be read after all
// of them are written.
type spool struct {
	b    bytes.Buffer
	file *os.File
	in   io.Reader // after rewind
	err  error     // the first of a write
}

// Write implements io.Writer.
func (s *spool) Write(b []byte) (int, error) {
	s.write(b)
	return len(b), s.err
}

func (s *spool) write(b []byte) {
	if s.err != nil {
		return
	}
	if s.file == nil && s.b.Len()+len(b) > memoryMost {
		if s.file, s.err = os.CreateTemp("", "handoff-lines-"); s.err != nil {
			return
		}
		_, s.err = s.file.Write(s.b.Bytes())
		s.b.Reset()
	}
	if s.file == nil {
		s.b.Write(b)
	} else if s.err == nil {
		_, s.err = s.file.Write(b)
	}
}

// rewind has the spool be read from its beginning.
func (s *spool) rewind() error {
	if s.err != nil {
		return s.err
	}
	if s.file == nil {
		s.in = bytes.NewReader(s.b.Bytes())
		return nil
	}
	_, s.err = s.file.Seek(0, io.SeekStart)
	s.in = s.file
	return s.err
}

// Read implements io.Reader, after rewind.
func (s *spool) Read(b []byte) (int, error) {
	if s.in == nil {
		return 0, io.EOF
	}
	return s.in.Read(b)
}

// close gives up what is kept.
func (s *spool) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
	s.b = bytes.Buffer{}
	s.in = nil
}
