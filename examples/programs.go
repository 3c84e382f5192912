package main

import (
	"io"

	"github.com/handoff-go/handoff/examples/choose"
	"github.com/handoff-go/handoff/examples/closing"
	"github.com/handoff-go/handoff/examples/data"
	"github.com/handoff-go/handoff/examples/events"
	"github.com/handoff-go/handoff/examples/leaks"
	"github.com/handoff-go/handoff/examples/patterns"
	"github.com/handoff-go/handoff/examples/slots"
)

// program is one example. What it shows, and what is wrong with the form that
// the article prints, is said once: in the comment of its function.
type program struct {
	theme   string // its package
	fn      string // its function
	article string // its section in the article, and which program or passage there
	run     func(io.Writer)
}

// programs are all examples, in the order of the article.
var programs = []program{
	{"events", "Notice", "The CSP model: a variable that is polled", events.Notice},
	{"data", "ByPointer", "The CSP model: passing the address", data.ByPointer},
	{"data", "ByValue", "The CSP model: passing the value", data.ByValue},
	{"data", "Guarded", "Control over a channel: asking for it instead of a global variable", data.Guarded},
	{"events", "DataAndEnd", "Control over a channel: a value, then a close", events.DataAndEnd},
	{"slots", "Slots", "Modes of a channel: five slots", slots.Slots},
	{"data", "Lent", "Modes of a channel: control goes and comes back", data.Lent},
	{"data", "Returned", "Modes of a channel: the same with one channel", data.Returned},
	{"data", "Function", "Modes of a channel: logic passed as a function", data.Function},
	{"events", "Done", "Where channels are used: the done event", events.Done},
	{"events", "Confirmed", "Where channels are used: the letter and its receipt", events.Confirmed},
	{"events", "PingPong", "Where channels are used: orchestration of A and B", events.PingPong},
	{"slots", "Ahead", "Where channels are used: the asynchronous channel", slots.Ahead},
	{"slots", "Deadlock", "Where channels are used: the deadlock", slots.Deadlock},
	{"slots", "OneSlot", "Where channels are used: the deadlock's cure", slots.OneSlot},
	{"data", "Skeleton", "Passing data: the two loops (and under leaks: write the pair first)", data.Skeleton},
	{"data", "Numbers", "Passing data: integers in a loop", data.Numbers},
	{"data", "OkAndRange", "Passing data: ok-idiom and range", data.OkAndRange},
	{"data", "CloseAndWait", "Events: close and WaitGroup", data.CloseAndWait},
	{"events", "Ticks", "Events: the exit event", events.Ticks},
	{"events", "StartingGun", "Events to many: the starting gun", events.StartingGun},
	{"events", "Tokens", "Events to many: a token for each", events.Tokens},
	{"closing", "Drained", "Closing: two values and four receives", closing.Drained},
	{"events", "Closed", "Closing: a close as the done event", events.Closed},
	{"closing", "AfterClose", "Closing: the rule on sends", closing.AfterClose},
	{"closing", "NilBlocks", "Closing: the rule on nil", closing.NilBlocks},
	{"closing", "OneWay", "One-way channels: its three snippets", closing.OneWay},
	{"choose", "Two", "Select: two channels, one of them twice", choose.Two},
	{"choose", "Unready", "Select: the default", choose.Unready},
	{"choose", "SendOrReceive", "Select: sends and receives in one", choose.SendOrReceive},
	{"choose", "Three", "Select: three channels set to nil", choose.Three},
	{"choose", "Listed", "Select: cases made when the program runs", choose.Listed},
	{"patterns", "Factory", "Patterns: the factory", patterns.Factory},
	{"patterns", "IDs", "Patterns: the id generator", patterns.IDs},
	{"patterns", "Keys", "Patterns: a key generator", patterns.Keys},
	{"patterns", "Pool", "Patterns: a pool", patterns.Pool},
	{"patterns", "Semaphore", "Patterns: the semaphore", patterns.Semaphore},
	{"patterns", "Signal", "Patterns: signals of the system", patterns.Signal},
	{"patterns", "Timeout", "Timeout: a function and a limit", patterns.Timeout},
	{"data", "Request", "Timeout: requests with answers", data.Request},
	{"data", "Parcels", "Optimisation: arrays as values", data.Parcels},
	{"data", "Batch", "Optimisation: batches", data.Batch},
	{"leaks", "Receivers", "Leaks: ten receivers", leaks.Receivers},
	{"leaks", "SendersMet", "Leaks: five hundred senders and a receiver", leaks.SendersMet},
	{"leaks", "SendersTimeout", "Leaks: senders that give up", leaks.SendersTimeout},
}
