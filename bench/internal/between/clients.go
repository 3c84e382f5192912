package between

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/redis/go-redis/v9"
	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/pull"
	"go.nanomsg.org/mangos/v3/protocol/push"
	_ "go.nanomsg.org/mangos/v3/transport/tcp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// What has a client in Go, each used as its own pages say.

func init() {
	roles["mangos source"] = mangosSource
	roles["mangos sink"] = mangosSink
	roles["grpc source"] = grpcSource
	roles["grpc sink"] = grpcSink
	roles["redis server"] = redisServer
	roles["redis source"] = redisSource
	roles["redis sink"] = redisSink
}

func mangosSource(args []string) part {
	s, err := push.NewSocket()
	must(err)
	must(s.Dial(args[0]))
	var sent number
	return part{work: func(n int) measure.Sample {
		for range n {
			m := mangos.NewMessage(size)
			m.Body = m.Body[:size]
			sent.write(m.Body)
			must(s.SendMsg(m))
		}
		return done()
	}}
}

func mangosSink([]string) part {
	s, err := pull.NewSocket()
	must(err)
	l, err := s.NewListener("tcp://127.0.0.1:0", nil)
	must(err)
	must(l.Listen())
	var came number
	return part{at: l.Address(), work: func(n int) measure.Sample {
		for range n {
			m, err := s.RecvMsg()
			must(err)
			came.see(m.Body)
			m.Free()
		}
		return done()
	}}
}

// asIs has gRPC carry bytes without another format around them.
type asIs struct{}

func (asIs) Name() string                    { return "bytes" }
func (asIs) Marshal(v any) ([]byte, error)   { return *v.(*[]byte), nil }
func (asIs) Unmarshal(b []byte, v any) error { *v.(*[]byte) = append([]byte(nil), b...); return nil }

// grpcStream is the one method: a stream from the client.
var grpcStream = grpc.StreamDesc{StreamName: "Stream", ClientStreams: true}

func grpcSource(args []string) part {
	conn, err := grpc.NewClient(args[0], grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(asIs{})))
	must(err)
	stream, err := conn.NewStream(context.Background(), &grpcStream, "/bench.Bench/Stream")
	must(err)
	var sent number
	return part{work: func(n int) measure.Sample {
		for range n {
			m := make([]byte, size) // it is the stream's once it is sent
			sent.write(m)
			must(stream.SendMsg(&m))
		}
		return done()
	}}
}

func grpcSink([]string) part {
	l, at := listen(tcp, "")
	streams := make(chan grpc.ServerStream)
	desc := grpcStream
	desc.Handler = func(_ any, s grpc.ServerStream) error {
		streams <- s
		<-s.Context().Done() // work receives from it
		return nil
	}
	server := grpc.NewServer(grpc.ForceServerCodec(asIs{}))
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "bench.Bench", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{desc}}, nil)
	go server.Serve(l) // until the process ends
	var stream grpc.ServerStream
	var came number
	return part{at: at[len(tcp+","):], work: func(n int) measure.Sample {
		if stream == nil {
			stream = <-streams
		}
		var m []byte
		for range n {
			must(stream.RecvMsg(&m))
			came.see(m)
		}
		return done()
	}}
}

// redisServer runs Debian's, or whichever is on the path, without persistence.
func redisServer([]string) part {
	l, at := listen(tcp, "")
	must(l.Close()) // the port is free now
	at = at[len(tcp+","):]
	_, port, err := net.SplitHostPort(at)
	must(err)
	dir, err := os.MkdirTemp("", "handoff-bench-redis-")
	must(err)
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir)
	must(cmd.Start())
	awaitPort(at)
	return part{at: at, pids: []int{cmd.Process.Pid}, end: func() {
		cmd.Process.Kill() // it holds nothing that anybody needs
		cmd.Wait()
		os.RemoveAll(dir)
	}}
}

// serverStart is how long a server of the system's may take to listen.
const serverStart = 10 * time.Second

// awaitPort returns when somebody listens: there is nothing else to wait for.
func awaitPort(at string) {
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			conn.Close()
			return
		}
		check(time.Since(began) < serverStart, "nobody listens at %s: %v", at, err)
	}
}

const redisList = "bench"

// redisSource sends pipelines of 64 pushes.
func redisSource(args []string) part {
	client, ctx := redis.NewClient(&redis.Options{Addr: args[0]}), context.Background()
	var sent number
	return part{work: func(n int) measure.Sample {
		for n > 0 {
			k := min(n, batch)
			pipe := client.Pipeline()
			for range k {
				var m message
				sent.write(m[:])
				pipe.RPush(ctx, redisList, m[:])
			}
			_, err := pipe.Exec(ctx)
			must(err)
			n -= k
		}
		return done()
	}}
}

// redisSink pops up to 64 at once, and waits where there are none.
func redisSink(args []string) part {
	client, ctx := redis.NewClient(&redis.Options{Addr: args[0], ReadTimeout: -1}), context.Background()
	var came number
	return part{work: func(n int) measure.Sample {
		for n > 0 {
			_, all, err := client.BLMPop(ctx, 0, "left", int64(min(n, batch)), redisList).Result()
			must(err)
			for _, m := range all {
				came.see([]byte(m))
			}
			n -= len(all)
		}
		return done()
	}}
}

// lacksProgram says that one is not on the path.
func lacksProgram(name, debian string) string {
	if _, err := exec.LookPath(name); err != nil {
		return fmt.Sprintf("%s is not installed (Debian: %s)", name, debian)
	}
	return ""
}
