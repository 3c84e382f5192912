package netchan_test

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/driver"
)

func init() {
	// echo sends what it receives, over two channels.
	roles["echo"] = func(path string) {
		in, err := tryOpen(path, "there", both)
		must(err)
		out, err := tryOpen(path, "back", both)
		must(err)
		go func() {
			for {
				p := in.recv(1)
				<-p.done
				must(p.Err)
				q := out.start(driver.Op{Kind: driver.OpSend, Items: p.Got})
				<-q.done
				must(q.Err)
			}
		}()
	}
	// raw is the floor: a socket that echoes bytes.
	roles["raw"] = func(path string) {
		l, err := net.Listen("unix", path)
		must(err)
		go func() {
			conn, err := l.Accept()
			must(err)
			buf := make([]byte, 64)
			for {
				if _, err := io.ReadFull(conn, buf); err != nil {
					return
				}
				conn.Write(buf)
			}
		}()
	}
}

var payload = strings.Repeat("x", 64)

// BenchmarkRaw is one round trip of 64 bytes over a bare socket between two
// processes.
func BenchmarkRaw(b *testing.B) {
	path := filepath.Join(b.TempDir(), "s")
	child(b, "raw", path)
	conn, err := net.Dial("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	buf := []byte(payload)
	for b.Loop() {
		conn.Write(buf)
		if _, err := io.ReadFull(conn, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSendRecv is one send into a slot and its answer, with the receive that
// frees the slot: two operations of one process, the home another.
func BenchmarkSendRecv(b *testing.B) {
	path := filepath.Join(b.TempDir(), "s")
	child(b, "home", path)
	e := open(b, path, "jobs", slots(1))
	b.ReportAllocs()
	for b.Loop() {
		e.send(payload).want(b, nil)
		e.recv(1).want(b, nil)
	}
}

// BenchmarkPingPong is a value to another process and back, each way through the
// home: three processes.
func BenchmarkPingPong(b *testing.B) {
	for _, n := range []int{0, 1} {
		b.Run(map[int]string{0: "rendezvous", 1: "slot"}[n], func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "s")
			child(b, "home", path)
			there, back := open(b, path, "there", slots(n)), open(b, path, "back", slots(n))
			child(b, "echo", path)
			for b.Loop() {
				p := there.send(payload)
				back.recv(1).want(b, nil)
				p.want(b, nil)
			}
		})
	}
}

// BenchmarkStream is one value of a stream, sent one by one from many goroutines
// or in batches.
func BenchmarkStream(b *testing.B) {
	for name, batch := range map[string]int{"batch=1": 1, "batch=256": 256} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "s")
			child(b, "home", path)
			s, r := open(b, path, "jobs", slots(4096)), open(b, path, "jobs", both)
			values := make([]string, batch)
			for i := range values {
				values[i] = payload
			}
			received := make(chan int)
			go func() {
				n := 0
				for {
					p := r.recv(1024)
					if <-p.done; p.Err != nil {
						received <- n
						return
					}
					n += len(p.Got)
				}
			}()
			sent := 0
			var window []*pending
			for b.Loop() {
				// 64 sends under way, as of so many goroutines.
				if len(window) == 64 {
					window[0].want(b, nil)
					window = window[1:]
				}
				window = append(window, s.send(values...))
				sent += batch
			}
			for _, p := range window {
				p.want(b, nil)
			}
			s.do(driver.OpClose).want(b, nil)
			if n := <-received; n != sent {
				b.Fatalf("sent %d, received %d", sent, n)
			}
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds()/1e6, "Mvalues/s")
		})
	}
}
