package web

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// socket is a client on a WebSocket. Its reader begins what it is asked, in order;
// what waits has a goroutine each.
type socket struct {
	*party
	conn *websocket.Conn

	mu       sync.Mutex // guards under
	under    map[uint64]context.CancelCauseFunc
	requests sync.WaitGroup
}

// socket serves a WebSocket until it ends.
func (c *call) socket() error {
	if !c.enter() {
		return errEnding
	}
	defer c.sockets.Done()
	// Pages of other sites were refused before.
	conn, err := websocket.Accept(c.w, c.r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return nil // it has answered
	}
	conn.SetReadLimit(int64(c.opts.MaxBody))
	own := newEnds(c.hub, 0)
	s := &socket{
		party: &party{Server: c.Server, who: c.who, ends: own}, conn: conn, under: map[uint64]context.CancelCauseFunc{},
	}
	// A read that is cancelled would cut the connection without a word.
	stop := context.AfterFunc(c.ctx, func() { conn.Close(websocket.StatusGoingAway, "the home is ending") })
	defer stop()
	ctx, end := context.WithCancelCause(context.WithoutCancel(c.ctx))
	s.requests.Go(func() { s.ping(ctx) })
	err = s.read(ctx)
	end(err)
	own.close() // gives back what is held, ends what waits
	s.requests.Wait()
	c.holds.drop(func(x *hold) bool { return x.end.of == own })
	s.bye(err)
	return nil
}

// pingTime is between two questions to a client whether it is there.
const pingTime = 30 * time.Second

// ping ends the socket of a client that is gone without a word.
func (s *socket) ping(ctx context.Context) {
	tick := time.NewTicker(pingTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		bounded, stop := context.WithTimeout(ctx, writeTime)
		err := s.conn.Ping(bounded)
		stop()
		if err != nil {
			s.conn.CloseNow() // which ends the reader
			return
		}
	}
}

// read begins what the client asks, until it asks no more.
func (s *socket) read(ctx context.Context) error {
	for {
		kind, text, err := s.conn.Read(context.Background())
		if err != nil {
			return err
		}
		a := &ask{}
		if kind != websocket.MessageText {
			return badRequest("a message that is not text")
		}
		if err := strictly(text, a); err != nil {
			return err
		}
		if a.ID == nil {
			return badRequest("a message without an id")
		}
		if err := s.handle(ctx, a); err != nil {
			return err
		}
	}
}

// handle begins one request. An error ends the socket.
func (s *socket) handle(ctx context.Context, a *ask) error {
	id := *a.ID
	if a.Op == "cancel" {
		s.mu.Lock()
		cancel := s.under[id]
		s.mu.Unlock()
		if cancel != nil {
			cancel(errCancelled)
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	if err := s.note(id, cancel); err != nil {
		cancel(nil)
		return err
	}
	wait, err := s.begin(ctx, a)
	s.requests.Go(func() {
		defer cancel(nil)
		var r *reply
		if err == nil {
			r, err = wait()
		}
		s.forget(id) // before the answer, with which the client may use the number again
		s.reply(a, r, err)
	})
	return nil
}

// note remembers a request under way.
func (s *socket) note(id uint64, cancel context.CancelCauseFunc) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.under[id] != nil {
		return badRequest("the id %d is that of a request under way", id)
	}
	if len(s.under) >= s.opts.MaxRequests {
		return limited("more requests are under way than this home allows")
	}
	s.under[id] = cancel
	return nil
}

func (s *socket) forget(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.under, id)
}

// reply answers a request.
func (s *socket) reply(a *ask, r *reply, err error) {
	var text []byte
	if err == nil {
		if text, err = r.append(nil, a.ID); err != nil {
			r.lost("its receiver could not be shown it: " + err.Error())
			r = nil
		}
	}
	if err != nil {
		o := object{b: []byte{'{'}}
		o.add("id", *a.ID)
		o.add("error", explain(a.Op, a.Channel, err))
		text = append(o.b, '}')
	}
	ctx, stop := context.WithTimeout(context.Background(), writeTime)
	defer stop()
	bad := s.conn.Write(ctx, websocket.MessageText, text)
	switch {
	case r == nil:
	case bad != nil:
		r.lost("its receiver's connection broke")
	default:
		r.arrived()
	}
}

// bye ends the connection, and says why where the client did what it must not.
func (s *socket) bye(err error) {
	m, ok := errors.AsType[*mistake](err)
	if !ok {
		s.conn.CloseNow()
		return
	}
	why := m.text
	if len(why) > maxCloseText {
		why = strings.ToValidUTF8(why[:maxCloseText], "")
	}
	s.conn.Close(websocket.StatusPolicyViolation, why)
}

// maxCloseText is how long the reason of a close may be.
const maxCloseText = 120
