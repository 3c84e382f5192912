//go:build linux && (amd64 || arm64)

package between

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/cloudwego/shmipc-go"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// shmipc-go: streams of bytes in shared memory, made known and woken over a Unix
// socket.

func init() {
	roles["shmipc echo"] = func(args []string) part { return shmipcServer(args[0], true) }
	roles["shmipc sink"] = func(args []string) part { return shmipcServer(args[0], false) }
	roles["shmipc caller"] = shmipcCaller
	roles["shmipc source"] = shmipcSource
}

const lacksShmipc = ""

func shmipcTrip(f *Fleet) crew {
	return calls("shmipc", func(f *Fleet) []string { return []string{f.socket()} })(f)
}

func shmipcStream(many int) func(*Fleet) crew {
	return func(f *Fleet) crew {
		sink := f.start("shmipc sink", f.socket())
		return crew{asked: []*process{sink, f.start("shmipc source", sink.at, fmt.Sprint(many))}}
	}
}

// shmipcConfig has a size of blocks besides the default ones that these messages fit
// in: a stream that once found no block goes on over the socket for good.
func shmipcConfig() *shmipc.Config {
	c := shmipc.DefaultConfig()
	c.LogOutput = io.Discard
	c.MemMapType = shmipc.MemMapTypeMemFd
	c.BufferSliceSizes = append(c.BufferSliceSizes, &shmipc.SizePercentPair{Size: 256, Percent: 20})
	c.BufferSliceSizes[0].Percent -= 20
	return c
}

// shmipcServer takes one client, whose messages it checks, and answers if asked to.
func shmipcServer(path string, answers bool) part {
	l, err := net.Listen("unix", path)
	must(err)
	streams := make(chan *shmipc.Stream)
	go func() {
		conn, err := l.Accept()
		must(err)
		s, err := shmipc.Server(conn, shmipcConfig())
		must(err)
		stream, err := s.AcceptStream()
		must(err)
		streams <- stream
	}()
	var stream *shmipc.Stream
	var came number
	return part{at: path, work: func(n int) measure.Sample {
		if stream == nil {
			stream = <-streams
		}
		for range n {
			m, err := stream.BufferReader().ReadBytes(size)
			must(err)
			came.see(m)
			if answers {
				shmipcSay(stream, m)
			}
			stream.BufferReader().ReleasePreviousRead()
		}
		return done()
	}}
}

func shmipcDial(path string) *shmipc.Stream {
	c := shmipc.DefaultSessionManagerConfig()
	c.Config = shmipcConfig()
	c.ShareMemoryPathPrefix = fmt.Sprintf("/dev/shm/handoff-bench-%d", os.Getpid())
	c.QueuePath = c.ShareMemoryPathPrefix + "-queue"
	c.SessionNum = 1
	c.Network, c.Address = "unix", path
	m, err := shmipc.NewSessionManager(c)
	must(err)
	stream, err := m.GetStream()
	must(err)
	return stream
}

// shmipcSay writes messages and flushes them. Where the queue is full, the library
// has given them up after a tenth of a second; then they are written once more.
func shmipcSay(s *shmipc.Stream, all ...[]byte) {
	for {
		for _, m := range all {
			_, err := s.BufferWriter().WriteBytes(m)
			must(err)
		}
		err := s.Flush(false)
		if err == nil {
			return
		}
		check(errors.Is(err, shmipc.ErrQueueFull), "shmipc: %v", err)
	}
}

func shmipcCaller(args []string) part {
	s, m := shmipcDial(args[0]), make([]byte, size)
	var sent, came number
	return part{work: func(n int) measure.Sample {
		return alone(n, func() {
			sent.write(m)
			shmipcSay(s, m)
			got, err := s.BufferReader().ReadBytes(size)
			must(err)
			came.see(got)
			s.BufferReader().ReleasePreviousRead()
		})
	}}
}

// shmipcSource takes a path, and how many messages a flush has.
func shmipcSource(args []string) part {
	s, many := shmipcDial(args[0]), count(args[1])
	all := make([][]byte, many)
	for i := range all {
		all[i] = make([]byte, size)
	}
	var sent number
	return part{work: func(n int) measure.Sample {
		for n > 0 {
			k := min(n, many)
			for _, m := range all[:k] {
				sent.write(m)
			}
			shmipcSay(s, all[:k]...)
			n -= k
		}
		return done()
	}}
}
