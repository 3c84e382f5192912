// Package events has the programs in which a channel carries an event: something
// happened, and somebody waited for it.
package events
