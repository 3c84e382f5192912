package web

import (
	"context"
	"encoding/json"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// delivery is a value on its way to a client, or room for one.
type delivery struct {
	party *party
	end   *end
	made  driver.Config
	take  bool
	lease time.Duration
	ended func() // called once when a hold is over; may be nil

	item driver.Item
	hold *hold
}

// delivery makes room for a value of a channel.
func (p *party) delivery(made driver.Config, take bool, lease *span) (*delivery, error) {
	d := &delivery{party: p, made: made, take: take}
	if !take {
		if lease != nil {
			return nil, badRequest("a lease is of a take")
		}
		return d, nil
	}
	var err error
	if d.lease, err = leaseOf(lease); err != nil {
		return nil, err
	}
	if made.MaxHold > 0 {
		d.lease = min(d.lease, made.MaxHold)
	}
	return d, p.holds.reserve()
}

// forget gives up the room.
func (d *delivery) forget() {
	if d.take && d.hold == nil {
		d.party.holds.unreserve()
	}
	if d.end != nil {
		d.end.release()
	}
}

// came notes the value that came, or gives it back if its client has gone.
func (d *delivery) came(ctx context.Context, it driver.Item) (*reply, error) {
	if ctx.Err() != nil {
		d.end.unseen(it.Hold)
		d.forget()
		return nil, context.Cause(ctx)
	}
	d.item = it
	return &reply{delivery: d}, nil
}

// json is the value as JSON.
func (d *delivery) json() ([]byte, error) {
	made, _, err := d.party.hub.Find(d.end.key.channel) // its type may have been said only now
	if err != nil {
		return nil, err
	}
	return d.party.forms.of(made).toJSON(d.item.Value)
}

// name gives a value that is taken the name by which it is settled, so that it can
// be told. From now on its lease runs.
func (d *delivery) name() {
	if !d.take {
		return
	}
	d.end.settle(driver.OpHeard, d.item.Hold, 0, "")
	d.hold = d.party.holds.add(d.party.who, d.end, d.item.Hold, d.lease, d.ended)
}

// arrived says that the client has the value, as far as can be known.
func (d *delivery) arrived() {
	if !d.take {
		d.end.settle(driver.OpDone, d.item.Hold, 0, "")
		d.end.release()
	}
}

// lost says that the client may have seen the value, and is gone, or could not be
// shown it.
func (d *delivery) lost(why string) {
	if d.hold != nil {
		d.hold.lapse()
		return
	}
	d.end.lose(d.item.Hold, why)
	d.forget()
}

// reply is what an operation has to say.
type reply struct {
	Nothing bool
	Sent    int
	Case    *int
	Channel string
	Closed  bool
	Reason  string
	Info    *info

	delivery *delivery
}

// append adds the reply to b, as one JSON object, with id unless that is nil. A
// value in it has its name from then on.
func (r *reply) append(b []byte, id *uint64) ([]byte, error) {
	o := object{b: append(b, '{')}
	if id != nil {
		o.add("id", *id)
	}
	if r.Nothing {
		o.add("nothing", true)
	}
	if r.Case != nil {
		o.add("case", *r.Case)
	}
	if r.Channel != "" {
		o.add("channel", r.Channel)
	}
	if r.Sent > 0 {
		o.add("sent", r.Sent)
	}
	if r.Closed {
		o.add("closed", true)
	}
	if r.Reason != "" {
		o.add("reason", r.Reason)
	}
	if r.Info != nil {
		o.add("info", r.Info)
	}
	if d := r.delivery; d != nil {
		value, err := d.json()
		if err != nil {
			return b, err
		}
		o.raw("value", value)
		o.add("attempt", d.item.Attempt)
		if len(d.item.Header) > 0 {
			o.add("headers", d.item.Header)
		}
		if d.name(); d.hold != nil {
			o.add("hold", d.hold.name)
			o.add("lease", d.lease.String())
		}
	}
	return append(o.b, '}'), nil
}

// arrived and lost tell the value in r, if there is one, what became of it.
func (r *reply) arrived() {
	if r.delivery != nil {
		r.delivery.arrived()
	}
}

func (r *reply) lost(why string) {
	if r.delivery != nil {
		r.delivery.lost(why)
	}
}

// object writes a JSON object, in which a value stands as it came.
type object struct {
	b    []byte
	some bool
}

func (o *object) raw(name string, text []byte) {
	if o.some {
		o.b = append(o.b, ',')
	}
	o.some = true
	o.b = append(append(append(append(o.b, '"'), name...), `":`...), text...)
}

// add adds a member whose value can be marshalled.
func (o *object) add(name string, v any) {
	text, _ := json.Marshal(v)
	o.raw(name, text)
}
