package main

import (
	"context"
	"fmt"
	"os"

	"github.com/handoff-go/handoff"
	_ "github.com/handoff-go/handoff/netchan"
)

// Order is what a customer wants. The tags are what JSON calls its fields.
type Order struct {
	Customer uint32  `json:"customer"` // whose bills are in the channel bills-CUSTOMER
	Number   uint32  `json:"number"`
	Items    [3]Item `json:"items"`
}

// Item is so many pieces of something.
type Item struct {
	Count uint16  `json:"count"`
	Price float64 `json:"price"`
}

// Bill is the answer.
type Bill struct {
	Number uint32  `json:"number"`
	Total  float64 `json:"total"`
	Worker int64   `json:"worker"` // number of the process that wrote it
}

// work writes bills until ctx ends.
func work(ctx context.Context, home string) error {
	orders, err := handoff.OpenReceiver[Order](ctx, home+"/orders?slots=4")
	if err != nil {
		return err
	}
	defer orders.Detach()
	for d, err := range orders.Deliveries(ctx) {
		if err != nil {
			return err
		}
		// An order is confirmed when its bill has left: a worker that dies before
		// leaves the order to another one.
		if err := bill(ctx, home, d.Value); err != nil {
			d.Return()
			return err
		}
		if err := d.Done(); err != nil {
			return err
		}
	}
	return nil
}

// bill sends the bill of an order to its customer.
func bill(ctx context.Context, home string, o Order) error {
	bills, err := handoff.OpenSender[Bill](ctx, fmt.Sprintf("%s/bills-%d?slots=16", home, o.Customer))
	if err != nil {
		return err
	}
	defer bills.Detach()
	b := Bill{Number: o.Number, Worker: int64(os.Getpid())}
	for _, i := range o.Items {
		b.Total += float64(i.Count) * i.Price
	}
	return bills.Send(ctx, b)
}
