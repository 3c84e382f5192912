package drivertest_test

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/drivertest"
	_ "github.com/handoff-go/handoff/drivertest/toy"
)

// sloppy is the toy with one mistake; see mistakes.
type sloppy struct{ mistake string }

// mistakes are those a medium may make, and the check that must find each. The two
// checks that find theirs by waiting for 20 s are left out.
var mistakes = map[string]string{
	"it ends an operation twice":                "finish-comes-once",
	"it reads a value after its send":           "memory-of-the-sender",
	"it writes to what it has handed out":       "memory-of-the-receiver",
	"it passes over parameters":                 "open/parameters-it-does-not-know",
	"it takes any type":                         "open/who-comes-second",
	"it opens with an ended context":            "open/an-ended-context",
	"it knows no rights":                        "rights",
	"it takes an unknown kind for a receive":    "what-it-does-not-know",
	"it closes first":                           "in-the-order-of-start",
	"it cancels what has ended":                 "cancel",
	"it bounds no value":                        "too-large",
	"a settlement after the end is ErrDetached": "detach",
	"its figures are of an hour ago":            "figures-are-young",
	"it does not say how many slots there are":  "info",
	"a receive of nothing waits for something":  "nothing-to-do",
	"it makes what must be there":               "open/create",
}

const mistakeVar = "HANDOFF_TEST_MISTAKE"

// TestSeamFindsMistakes runs every mistake in a process of its own, whose test
// must fail at the right place.
func TestSeamFindsMistakes(t *testing.T) {
	for mistake, check := range mistakes {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSloppy$/^"+strings.ReplaceAll(check, "/", "$/^")+"$", "-test.v")
		cmd.Env = append(os.Environ(), mistakeVar+"="+mistake)
		out, err := cmd.CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("--- FAIL: TestSloppy/"+check)) {
			t.Errorf("%s: %s did not find it: %v\n%s", mistake, check, err, out)
		}
	}
}

// TestSloppy is what TestSeamFindsMistakes runs.
func TestSloppy(t *testing.T) {
	mistake := os.Getenv(mistakeVar)
	if mistake == "" {
		t.Skip("run by TestSeamFindsMistakes")
	}
	driver.Register("sloppy", sloppy{mistake})
	drivertest.Seam(t, func() string { return "sloppy:" + drivertest.FreshName() })
}

func (m sloppy) Open(ctx context.Context, u *url.URL, cfg driver.Config) (driver.Channel, error) {
	toy, _ := driver.Lookup("toy")
	switch m.mistake {
	case "it passes over parameters":
		u.RawQuery = ""
	case "it takes any type":
		cfg.Type = ""
	case "it opens with an ended context":
		ctx = context.Background()
	case "it knows no rights":
		cfg.Send, cfg.Receive = true, true
	case "it bounds no value":
		cfg.MaxValue = 0
	case "it makes what must be there":
		cfg.Create = driver.CreateYes
	}
	ch, err := toy.Open(ctx, u, cfg)
	if err != nil {
		return nil, err
	}
	return &sloppyChannel{Channel: ch, mistake: m.mistake}, nil
}

type sloppyChannel struct {
	driver.Channel
	mistake  string
	detached bool
	late     []*driver.Op
	out      [][]byte
}

func (c *sloppyChannel) Info() driver.Info {
	info := c.Channel.Info()
	if c.mistake == "it does not say how many slots there are" {
		info.Slots = 0
	}
	return info
}

func (c *sloppyChannel) Stats() driver.Stats {
	s := c.Channel.Stats()
	if c.mistake == "its figures are of an hour ago" {
		s.AsOf = s.AsOf.Add(-time.Hour)
	}
	return s
}

func (c *sloppyChannel) Detach(ctx context.Context) error {
	c.detached = true
	return c.Channel.Detach(ctx)
}

func (c *sloppyChannel) Cancel(op *driver.Op, why error) {
	if c.mistake == "it cancels what has ended" && op.N > 0 {
		op.N, op.Err = 0, why
		return
	}
	c.Channel.Cancel(op, why)
}

func (c *sloppyChannel) Start(op *driver.Op) {
	switch c.mistake {
	case "it ends an operation twice":
		again := *op
		again.OnFinish(func(done *driver.Op) {
			op.Got, op.N, op.Err, op.NotReady = done.Got, done.N, done.Err, done.NotReady
			op.Finish()
			op.Finish()
		})
		c.Channel.Start(&again)
		op.Note = again.Note // by which the toy finds it
		return
	case "it reads a value after its send":
		if op.Kind == driver.OpSend {
			c.late = append(c.late, op)
			op.N = len(op.Items)
			op.Finish()
			return
		}
		for _, send := range c.late {
			later := driver.Op{Kind: driver.OpSend, Items: slices.Clone(send.Items)}
			later.OnFinish(func(*driver.Op) {})
			c.Channel.Start(&later)
		}
		c.late = nil
	case "it writes to what it has handed out":
		for _, b := range c.out {
			copy(b, "XXXX")
		}
		again := *op
		again.OnFinish(func(done *driver.Op) {
			for _, it := range done.Got {
				c.out = append(c.out, it.Value)
			}
			op.Got, op.N, op.Err = done.Got, done.N, done.Err
			op.Finish()
		})
		c.Channel.Start(&again)
		return
	case "it takes an unknown kind for a receive":
		if op.Kind > driver.OpSelect {
			op.Finish()
			return
		}
	case "it closes first":
		if op.Kind == driver.OpSend && string(op.Items[0].Value) == "7" {
			closing := driver.NewOp(driver.OpClose, func(*driver.Op) {})
			c.Channel.Start(closing)
		}
	case "a settlement after the end is ErrDetached":
		if c.detached && op.Kind == driver.OpDone {
			op.Err = driver.ErrDetached
			op.Finish()
			return
		}
	case "a receive of nothing waits for something":
		if op.Kind == driver.OpRecv && op.Max == 0 {
			op.Got = []driver.Item{{}}
			op.Finish()
			return
		}
	}
	c.Channel.Start(op)
}
