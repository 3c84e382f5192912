package between

import (
	"bufio"
	"context"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/pipe"
)

// The bare socket, which is the floor of every row: nothing is framed, numbered,
// kept or matched.

func init() {
	roles["raw echo"] = rawEcho
	roles["raw relay"] = rawRelay
	roles["raw caller"] = rawCaller
	roles["raw source"] = rawSource
	roles["raw each source"] = rawEachSource
	roles["raw sink"] = rawSink
	roles["raw answered source"] = rawAnsweredSource
}

// The networks of the rows. TLS is TCP with both sides showing certificates.
const (
	unix = "unix"
	tcp  = "tcp"
	tls  = "tls"
	fifo = "fifo" // a pair of named pipes
)

// listen listens at path, or at any port. The address it returns is for dial.
func listen(network, path string) (net.Listener, string) {
	if network == fifo {
		l, err := pipe.Listen(path)
		must(err)
		return l, network + "," + path
	}
	address := path
	if network != unix {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen(strings.Replace(network, tls, tcp, 1), address)
	must(err)
	address = network + "," + l.Addr().String()
	if network == tls {
		l = secureListener(l, path)
		address += "," + path
	}
	return l, address
}

func dial(at string) net.Conn {
	words := strings.Split(at, ",")
	if words[0] == fifo {
		conn, err := pipe.Dial(context.Background(), words[1])
		must(err)
		return conn
	}
	conn, err := net.Dial(strings.Replace(words[0], tls, tcp, 1), words[1])
	must(err)
	if words[0] == tls {
		return secureClient(conn, words[2])
	}
	return conn
}

// eachConn serves connections until the process ends.
func eachConn(l net.Listener, serve func(net.Conn)) {
	for {
		conn, err := l.Accept()
		must(err)
		go serve(conn)
	}
}

// rawEcho takes network, path and size: it answers each message of size bytes with
// its first 64.
func rawEcho(args []string) part {
	l, at := listen(args[0], args[1])
	long := count(args[2])
	go eachConn(l, func(conn net.Conn) {
		buf := make([]byte, long)
		for {
			if _, err := io.ReadFull(conn, buf); err != nil {
				return // the caller has ended
			}
			if _, err := conn.Write(buf[:size]); err != nil {
				return
			}
		}
	})
	return part{at: at}
}

// rawRelay takes network, path and the address of an echo, and stands between: it
// is the floor of what goes through a third process.
func rawRelay(args []string) part {
	l, at := listen(args[0], args[1])
	go eachConn(l, func(conn net.Conn) {
		to := dial(args[2])
		go forward(conn, to)
		forward(to, conn)
	})
	return part{at: at}
}

func forward(to io.Writer, from io.Reader) {
	buf := make([]byte, size)
	for {
		if _, err := io.ReadFull(from, buf); err != nil {
			return
		}
		if _, err := to.Write(buf); err != nil {
			return
		}
	}
}

// rawCaller takes an address and a size, and times round trips.
func rawCaller(args []string) part {
	conn, said, heard := dial(args[0]), make([]byte, count(args[1])), make([]byte, size)
	var sent, back number
	return part{work: func(n int) measure.Sample {
		return alone(n, func() {
			sent.write(said)
			_, err := conn.Write(said)
			must(err)
			_, err = io.ReadFull(conn, heard)
			must(err)
			back.see(heard)
		})
	}}
}

// rawBatch is how much goes into one write.
const rawBatch = 32 << 10

// rawSource takes an address, and writes messages in batches.
func rawSource(args []string) part {
	conn := dial(args[0])
	var sent number
	return part{work: func(n int) measure.Sample {
		out, m := bufio.NewWriterSize(conn, rawBatch), message{}
		for range n {
			sent.write(m[:])
			_, err := out.Write(m[:])
			must(err)
		}
		must(out.Flush())
		return done()
	}}
}

// rawAnsweredSource takes the address of an echo of whole batches, and waits for the
// answer to each batch before it writes the next: the floor of whoever hears that his
// values have arrived.
func rawAnsweredSource(args []string) part {
	conn, said, heard := dial(args[0]), make([]byte, batch*size), make([]byte, size)
	var sent number
	return part{work: func(n int) measure.Sample {
		return measure.Together(func() {
			for n > 0 { // the echo knows whole batches only
				for m := range slices.Chunk(said, size) {
					sent.write(m)
				}
				_, err := conn.Write(said)
				must(err)
				_, err = io.ReadFull(conn, heard)
				must(err)
				n -= batch
			}
		})
	}}
}

// rawEachSource takes an address, and writes each message by itself.
func rawEachSource(args []string) part {
	conn := dial(args[0])
	var sent number
	return part{work: func(n int) measure.Sample {
		var m message
		for range n {
			sent.write(m[:])
			_, err := conn.Write(m[:])
			must(err)
		}
		return done()
	}}
}

// rawSink takes network and path, and reads messages from the first who comes.
func rawSink(args []string) part {
	l, at := listen(args[0], args[1])
	conns := make(chan net.Conn, 1)
	go func() { // who calls over pipes waits for this
		conn, err := l.Accept()
		must(err)
		conns <- conn
	}()
	var came number
	var in *bufio.Reader
	return part{at: at, work: func(n int) measure.Sample {
		if in == nil {
			in = bufio.NewReaderSize(<-conns, rawBatch)
		}
		var m message
		for range n {
			_, err := io.ReadFull(in, m[:])
			must(err)
			came.see(m[:])
		}
		return done()
	}}
}

func count(s string) int {
	n, err := strconv.Atoi(s)
	must(err)
	return n
}
