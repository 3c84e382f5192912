// Package nowait writes to a connection what it takes without blocking.
package nowait
