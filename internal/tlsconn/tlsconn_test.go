package tlsconn

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/devcert"
)

// patience bounds every wait of a test.
const patience = 20 * time.Second

func config(t testing.TB) *tls.Config {
	t.Helper()
	ca, err := devcert.NewAuthority("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	home, err := ca.Server([]string{"localhost"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(home.Cert, home.Key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: ca.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS13}
}

// shaken are two ends that have shaken hands, with nothing between that takes what
// is not read.
func shaken(t *testing.T) (client, server *Conn) {
	t.Helper()
	a, b := net.Pipe()
	return shake(t, a, b)
}

// shakenOverTCP are two ends that have shaken hands.
func shakenOverTCP(t *testing.T) (client, server *Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return shake(t, a, b)
}

func shake(t *testing.T, a, b net.Conn) (client, server *Conn) {
	t.Helper()
	both := config(t)
	client, server = Client(a, both), Server(b, both)
	t.Cleanup(func() { client.Close(); server.Close() })
	for _, c := range []*Conn{client, server} {
		c.SetDeadline(time.Now().Add(patience))
	}
	done := make(chan error, 1)
	go func() { done <- server.Handshake(context.Background()) }()
	if err := client.Handshake(context.Background()); err != nil {
		t.Fatal(err)
	}
	go io.ReadFull(client, nil) // what the home sends after its handshake may wait in the pipe
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return client, server
}

// TestAttackEndlessHandshake: who never comes to the end of his handshake is heard
// so far and no further.
func TestAttackEndlessHandshake(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	server := Server(b, config(t))
	said := make(chan int, 1)
	go func() {
		// One ClientHello, announced as long as they may be, in records of 100 bytes.
		n, err := a.Write([]byte{22, 3, 1, 0, 4, 1, 0, 0xff, 0xff})
		record := append([]byte{22, 3, 1, 0, 100}, make([]byte, 100)...)
		for err == nil {
			var m int
			m, err = a.Write(record)
			n += m
		}
		said <- n
	}()
	server.SetDeadline(time.Now().Add(patience))
	if err := server.Handshake(t.Context()); err == nil {
		t.Error("the handshake has ended well")
	}
	server.Close()
	if n := <-said; n > MaxHandshake {
		t.Errorf("%d bytes were heard, at most %d may be", n, MaxHandshake)
	}
}

// TestAfterTheHandshake: what is known is not bounded.
func TestAfterTheHandshake(t *testing.T) {
	client, server := shaken(t)
	const size = 3 * MaxHandshake
	go client.Write(make([]byte, size))
	if n, err := io.ReadFull(server, make([]byte, size)); err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestEnd: a stream that is cut has ended, as one of TCP has.
func TestEnd(t *testing.T) {
	client, server := shaken(t)
	client.Close()
	if n, err := server.Read(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestCloseDoesNotWait: a peer that reads nothing keeps nobody from closing.
func TestCloseDoesNotWait(t *testing.T) {
	client, _ := shaken(t)
	closed := make(chan error, 1)
	go func() { closed <- client.Close() }()
	select {
	case <-closed:
	case <-time.After(2 * time.Second): // the farewell of TLS would wait for 5
		t.Error("Close waits")
	}
}

// TestTryWriteDoesNotWait: who tries is never held up by a peer that does not read, and
// nothing is lost, doubled or out of order for it.
func TestTryWriteDoesNotWait(t *testing.T) {
	client, server := shakenOverTCP(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	var said []byte
	write := func(try bool) (rest bool) {
		b := make([]byte, 1+rnd.IntN(3*mostAtOnce))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		n := 0
		if try {
			n, rest = client.TryWrite(b)
		} else if _, err := client.Write(b); err != nil {
			t.Fatal(err)
		} else {
			n = len(b)
		}
		said = append(said, b[:n]...)
		return rest
	}
	for range 5 {
		stuck := false
		for range 1000 { // the buffers of the system are full long before
			before := len(said)
			if stuck = write(true) && len(said) == before; stuck {
				break
			}
		}
		if !stuck {
			t.Fatal("a peer that does not read takes everything")
		}
		heard, want := make(chan []byte, 1), len(said)
		go func() {
			got := make([]byte, want)
			n, _ := io.ReadFull(server, got)
			heard <- got[:n]
		}()
		if _, err := client.Write(nil); err != nil {
			t.Fatal(err)
		}
		if got := <-heard; !bytes.Equal(got, said) {
			t.Fatalf("%d bytes came of %d, or others", len(got), len(said))
		}
		said = said[:0]
	}
	heard := make(chan []byte, 1)
	go func() {
		got, _ := io.ReadAll(server)
		heard <- got
	}()
	write(false)
	client.Close()
	if got := <-heard; !bytes.Equal(got, said) {
		t.Errorf("%d bytes came of %d, or others", len(got), len(said))
	}
}
