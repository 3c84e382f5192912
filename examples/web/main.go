// Command web is a shop: a browser page and a script for Node send orders to Go
// processes, and get a bill for each.
//
//	go run .                                    # then open the page it names
//	node order.mjs http://localhost:8080 3      # beside it
//
// Three kinds of programs use the same channels here. The worker is Go and opens
// them with package handoff, over TCP; its types have a fixed layout, and travel as
// their memory. The page uses a WebSocket, the script plain requests; both speak
// JSON, which the home turns into the worker's types and back.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/hub/web"
)

//go:embed page.html handoff.js
var files embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	addr := flag.String("http", "localhost:8080", "where the page is")
	worker := flag.String("work", "", "be a worker of the shop at this URL, as tcp://localhost:4710")
	flag.Parse()
	var err error
	if *worker != "" {
		err = work(ctx, *worker)
	} else {
		err = run(ctx, *addr)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

// run is the home of the shop, with the page, and starts one worker.
func run(ctx context.Context, addr string) error {
	s, err := openShop(ctx, addr)
	if err != nil {
		return err
	}
	defer s.close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "-work", s.channels)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Printf("the shop is open: %s\n", s.page)
	return cmd.Wait()
}

// shop is a home whose web server has a page beside the channels.
type shop struct {
	page     string // URL of the page
	channels string // where Go programs come in
	home     *hub.Hub
	web      *web.Server
	server   *http.Server
	orders   handoff.Sender[Order]
	ended    chan error
}

func openShop(ctx context.Context, addr string) (*shop, error) {
	page, err := hub.ListenTCP(addr)
	if err != nil {
		return nil, err
	}
	tcp, err := hub.ListenTCP("localhost:0")
	if err != nil {
		page.Close()
		return nil, err
	}
	home := hub.New(hub.Options{Name: "shop"})
	s := &shop{
		page: "http://" + page.Addr().String() + "/", channels: "tcp://" + tcp.Addr().String(),
		home: home, web: web.New(home, web.Options{}), ended: make(chan error, 2),
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", s.web)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "page.html") })
	mux.HandleFunc("GET /handoff.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "handoff.js") })
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { s.ended <- s.server.Serve(page) }()
	go func() { s.ended <- home.Serve(tcp) }()
	// Whoever comes first settles what a channel carries. JSON from a page that is
	// quicker than the worker would make it a channel of JSON.
	if s.orders, err = handoff.OpenSender[Order](ctx, s.channels+"/orders?slots=4"); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// close ends the shop, and says what went wrong in it.
func (s *shop) close() error {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	s.orders.Detach()
	err := errors.Join(s.web.Close(ctx), s.server.Shutdown(ctx), s.home.Close(ctx))
	for range 2 {
		bad := <-s.ended
		if !errors.Is(bad, http.ErrServerClosed) && !errors.Is(bad, hub.ErrClosed) && !errors.Is(bad, net.ErrClosed) {
			err = errors.Join(err, bad)
		}
	}
	return err
}
