module github.com/handoff-go/handoff/bench

go 1.26.0

require github.com/handoff-go/handoff v0.0.0

replace github.com/handoff-go/handoff => ..
