package netchan_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/driver"
)

func init() {
	// echo sends what it receives, over two channels; %s in the URL is for their
	// names.
	roles["echo"] = func(url string) {
		in, err := openURL(context.Background(), fmt.Sprintf(url, "there"), both)
		must(err)
		out, err := openURL(context.Background(), fmt.Sprintf(url, "back"), both)
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
	// raw is the floor: a socket that echoes bytes, TCP if it is to leave its
	// address in a file.
	roles["raw"] = func(path string) {
		network, address, file := "unix", path, ""
		if rest, ok := strings.CutPrefix(path, "tcp:"); ok {
			network, address, file = "tcp", "127.0.0.1:0", rest
		}
		l, err := net.Listen(network, address)
		must(err)
		if file != "" {
			must(os.WriteFile(file, []byte(l.Addr().String()), 0o600))
		}
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

// eachMedium runs the benchmark over each kind of connection, with a home of its
// own in another process. url has %s for the name of a channel.
func eachMedium(b *testing.B, run func(b *testing.B, url string)) {
	b.Run("unix", func(b *testing.B) { run(b, "unix:"+awayUnix(b).here+"?chan=%s") })
	for _, resume := range []string{"0", "5s"} {
		b.Run("tcp-resume="+resume, func(b *testing.B) { run(b, awayTCP(b).here+"/%s?resume="+resume) })
	}
}

// at opens a channel for a benchmark.
func at(b *testing.B, url, name string, cfg driver.Config) end {
	b.Helper()
	return mustOpenURL(b, fmt.Sprintf(url, name), cfg)
}

// BenchmarkRaw is one round trip of 64 bytes over a bare socket between two
// processes.
func BenchmarkRaw(b *testing.B) {
	for _, network := range []string{"unix", "tcp"} {
		b.Run(network, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "s")
			address := path
			if network == "tcp" {
				child(b, "raw", "tcp:"+path)
				text, err := os.ReadFile(path)
				if err != nil {
					b.Fatal(err)
				}
				address = string(text)
			} else {
				child(b, "raw", path)
			}
			conn, err := net.Dial(network, address)
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
		})
	}
}

// BenchmarkSendRecv is one send into a slot and its answer, with the receive that
// frees the slot: two operations of one process, the home another.
func BenchmarkSendRecv(b *testing.B) {
	eachMedium(b, func(b *testing.B, url string) {
		e := at(b, url, "jobs", slots(1))
		b.ReportAllocs()
		for b.Loop() {
			e.send(payload).want(b, nil)
			e.recv(1).want(b, nil)
		}
	})
}

// BenchmarkPingPong is a value to another process and back, each way through the
// home: three processes.
func BenchmarkPingPong(b *testing.B) {
	for _, n := range []int{0, 1} {
		b.Run(map[int]string{0: "rendezvous", 1: "slot"}[n], func(b *testing.B) {
			eachMedium(b, func(b *testing.B, url string) {
				there, back := at(b, url, "there", slots(n)), at(b, url, "back", slots(n))
				child(b, "echo", url)
				for b.Loop() {
					p := there.send(payload)
					back.recv(1).want(b, nil)
					p.want(b, nil)
				}
			})
		})
	}
}

// BenchmarkStream is one value of a stream, sent one by one from many goroutines
// or in batches.
func BenchmarkStream(b *testing.B) {
	for _, batch := range []int{1, 256} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			eachMedium(b, func(b *testing.B, url string) { stream(b, url, batch) })
		})
	}
}

func stream(b *testing.B, url string, batch int) {
	s, r := at(b, url, "jobs", slots(4096)), at(b, url, "jobs", both)
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
}
