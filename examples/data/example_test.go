package data_test

import (
	"os"

	"github.com/handoff-go/handoff/examples/data"
)

func ExampleSkeleton() {
	data.Skeleton(os.Stdout)
	// Output:
	// used the first
	// used the second
	// used the third
	// both to the end: <nil>
	// used the first
	// one gives up: that is enough
}

func ExampleNumbers() {
	data.Numbers(os.Stdout)
	// Output:
	// 0
	// 1
	// 2
	// 3
	// 4
	// 5
	// 6
	// 7
	// 8
	// 9
}

func ExampleOkAndRange() {
	data.OkAndRange(os.Stdout)
	// Output:
	// first 0 open: true
	// and 9 more, which add up to 45
}

func ExampleCloseAndWait() {
	data.CloseAndWait(os.Stdout)
	// Output: received 10
}

func ExampleByValue() {
	data.ByValue(os.Stdout)
	// Output: sender has 2 receiver has 1
}

func ExampleByPointer() {
	data.ByPointer(os.Stdout)
	// Output: page 2 in the same memory: true
}

func ExampleGuarded() {
	data.Guarded(os.Stdout)
	// Output: balance 50
}

func ExampleLent() {
	data.Lent(os.Stdout)
	// Output:
	// back with number 2
	// back with number 3
}

func ExampleReturned() {
	data.Returned(os.Stdout)
	// Output:
	// lent the book, attempt 1
	// lent the book, attempt 2
	// lent the atlas, attempt 2
	// too late for the first: true
}

func ExampleFunction() {
	data.Function(os.Stdout)
	// Output: tea: 2
}

func ExampleRequest() {
	data.Request(os.Stdout)
	// Output:
	// 3 squared is 9
	// 4 squared is 16
}

func ExampleBatch() {
	data.Batch(os.Stdout)
	// Output:
	// sent 6
	// received [1 2 3 4]
	// received [5 6]
}

func ExampleParcels() {
	data.Parcels(os.Stdout)
	// Output: 13 parcels, which add up to 4950
}
