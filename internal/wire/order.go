package wire

// Order is a frame that says nothing but what to do to which operation: DETACH,
// TAKEN, CLOSE, AWAITSTOP, CANCEL, STATS, CLAIM, GRANT, RELEASE and BIND.
type Order struct {
	Type    Type
	Channel uint32
	Op      uint64
}

// Length implements Frame.
func (f *Order) Length() int { return HeaderLength + 4 + 8 }

// Append implements Frame.
func (f *Order) Append(b []byte) []byte {
	b, start := begin(b, f.Type, 0)
	return finish(appendU64(appendU32(b, f.Channel), f.Op), start)
}

// ParseOrder reads the body of an order.
func ParseOrder(h Header, body []byte) (*Order, error) {
	f := new(Order)
	return f, f.Parse(h, body)
}

// Parse is ParseOrder into f.
func (f *Order) Parse(h Header, body []byte) error {
	if err := flags(h, 0); err != nil {
		return err
	}
	c := cursor{b: body}
	*f = Order{h.Type, c.u32(), c.u64()}
	return c.end(h.Type)
}

// Stop asks the senders to end.
type Stop struct {
	Channel uint32
	Op      uint64
	Reason  string
}

// Length implements Frame.
func (f *Stop) Length() int { return HeaderLength + 4 + 8 + 2 + len(cut(f.Reason)) }

// Append implements Frame.
func (f *Stop) Append(b []byte) []byte {
	b, start := begin(b, TypeStop, 0)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	return finish(appendStr(b, cut(f.Reason)), start)
}

// ParseStop reads the body of a STOP.
func ParseStop(h Header, body []byte) (*Stop, error) {
	if err := flags(h, 0); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Stop{c.u32(), c.u64(), c.text()}
	return f, c.end(h.Type)
}
