// Package slots has the programs that show what slots are for: a sender goes on
// without its receiver as long as there is room.
package slots
