// Package fakecase lets the suite put a case of its own into a select: one that
// claims the select's ticket as a remote home would. The root package fills it,
// since only the root can make its Case.
package fakecase

import "github.com/handoff-go/handoff/internal/engine"

// New makes a handoff.Case of f.
var New func(f engine.Foreign) any
