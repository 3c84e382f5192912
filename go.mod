module github.com/handoff-go/handoff

go 1.26
