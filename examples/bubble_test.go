package main

import (
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// outcome is what became of a function in a bubble.
type outcome struct {
	stuck string        // the runtime's complaint if something in the bubble waits for ever
	left  []string      // who: the first lines of the goroutines, f's own among them if it did not return
	took  time.Duration // of the bubble's time
}

// bubbled runs f in a bubble of its own. There time is virtual, and the bubble
// ends when nothing in it can move any more. If a goroutine is left then, it
// waits for ever, and the bubble panics: no leak is missed, and none is guessed.
func bubbled(t *testing.T, f func()) (o outcome) {
	t.Helper()
	defer func() {
		if e := recover(); e != nil {
			o.stuck = fmt.Sprint(e)
			o.left = lastBubble()
		}
	}()
	synctest.Test(t, func(*testing.T) {
		before := time.Now()
		f()
		o.took = time.Since(before)
	})
	return o
}

// goroutineLines are the first of a goroutine in a bubble, as runtime.Stack
// prints it: what it waits for, its bubble, and the function it is in.
var goroutineLines = regexp.MustCompile(`(?m)^goroutine \d+ \[(.*), synctest bubble (\d+)\]:\n(.*)$`)

// lastBubble returns who is left of the newest bubble of which anybody is left.
func lastBubble() (left []string) {
	newest := 0
	for _, m := range goroutineLines.FindAllSubmatch(allStacks(), -1) {
		bubble, _ := strconv.Atoi(string(m[2]))
		if bubble < newest || strings.HasPrefix(string(m[3]), "testing/synctest.") {
			continue
		}
		if bubble > newest {
			newest, left = bubble, nil
		}
		left = append(left, string(m[1])+" in "+string(m[3]))
	}
	return left
}

func allStacks() []byte {
	for size := 1 << 20; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return buf[:n]
		}
	}
}
