package handoff

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// Option is a property of a channel or an attachment. Each can stand in the URL
// as a query parameter instead; the parameter's name is given with the option.
// Where both are there they must agree.
type Option interface{ apply(*options) error }

type optionFunc func(*options) error

func (f optionFunc) apply(o *options) error { return f(o) }

// options are all options of one Make or Open. The zero value of each field but
// slots means "not said".
type options struct {
	name        string
	slots       int // -1: not said
	create      string
	codec       string
	schema      string
	maxValue    int
	sendTimeout time.Duration
	maxHold     time.Duration
	deadLetter  string
	maxAttempts int
	autoClose   bool
	opTimeout   time.Duration
	cancelGrace time.Duration
}

// Name (name=) names the channel in errors, events and tools.
func Name(name string) Option {
	return optionFunc(func(o *options) error { return agree(&o.name, name, "name") })
}

// Slots (slots=) asks for an exact capacity; 0 is a rendezvous.
func Slots(n int) Option {
	return optionFunc(func(o *options) error {
		if n < 0 {
			return fault.Malformed("slots=%d is negative", n)
		}
		if o.slots >= 0 && o.slots != n {
			return fault.Malformed("slots said as %d and as %d", o.slots, n)
		}
		o.slots = n
		return nil
	})
}

// Create (create=) is "yes" to make the channel if it is not there, which is the
// default, "no" to fail with ErrNotFound then, or "new" to fail with ErrConflict
// if it is.
func Create(how string) Option {
	return optionFunc(func(o *options) error {
		switch how {
		case "yes", "no", "new":
			return agree(&o.create, how, "create")
		}
		return fault.Malformed("create=%q is not yes, no or new", how)
	})
}

// Codec (codec=) names how values become bytes, where they must: "json", or
// "cbor" in a program that imports package codec/cbor. "" lets the type decide:
// see package codec.
func Codec(name string) Option {
	return optionFunc(func(o *options) error { return agree(&o.codec, name, "codec") })
}

// Schema (schema=) names the meaning of an encoding that lets types evolve; the
// two sides must name the same. Without one all types are the same in JSON or CBOR:
// that one does not fit another is not found at Open, but when a value is decoded.
func Schema(name string) Option {
	return optionFunc(func(o *options) error { return agree(&o.schema, name, "schema") })
}

// MaxValue (maxvalue=) bounds an encoded value, in bytes. A larger one is
// ErrTooLarge. It does not apply within a process.
func MaxValue(bytes int) Option {
	return optionFunc(func(o *options) error { return positive(&o.maxValue, bytes, "maxvalue") })
}

// SendTimeout (sendtimeout=) lets a Send or SendAll that nobody meets give up
// with ErrTimeout. Cases of a select have After instead.
func SendTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) error { return positive(&o.sendTimeout, d, "sendtimeout") })
}

// MaxHold (maxhold=) bounds how long a taken value may be held; after it the
// value returns to its place with its attempt raised. None by default within a
// process. With it a hold allocates a timer.
func MaxHold(d time.Duration) Option {
	return optionFunc(func(o *options) error { return positive(&o.maxHold, d, "maxhold") })
}

// DeadLetter (deadletter=) is the URL of the channel of Dead[T] to which values
// go that were rejected or whose attempts are exhausted. It needs room: a dead
// letter that is full refuses, and the hold goes on; where there is nobody to be
// refused, because the holder is gone, the value returns to its place.
//
// A channel with a home buries at that home: the dead letter is another of its
// channels, which url may name relative to the channel's own, as in
// "?chan=lost&slots=100". That of a channel in shared memory is another one there, "shm:lost?slots=100".
// One elsewhere is ErrUnsupported.
func DeadLetter(url string) Option {
	return optionFunc(func(o *options) error { return agree(&o.deadLetter, url, "deadletter") })
}

// MaxAttempts (maxattempts=) bounds how often a value is handed out. Returning
// it after the last attempt rejects it, for "attempts exhausted". A value whose
// holder is gone and whose dead letter has no room is handed out once more all
// the same: it would be lost otherwise.
func MaxAttempts(n int) Option {
	return optionFunc(func(o *options) error { return positive(&o.maxAttempts, n, "maxattempts") })
}

// CloseWhenSendersGone (autoclose=true) closes the channel when its last sending
// attachment is detached.
func CloseWhenSendersGone() Option {
	return optionFunc(func(o *options) error { o.autoClose = true; return nil })
}

// OpTimeout (optimeout=) bounds calls without a context on a remote medium; 5 s
// by default.
func OpTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) error { return positive(&o.opTimeout, d, "optimeout") })
}

// CancelGrace (cancelgrace=) is how long a cancelled send whose value has left
// waits for its answer before it is in doubt; 1 s by default.
func CancelGrace(d time.Duration) Option {
	return optionFunc(func(o *options) error { return positive(&o.cancelGrace, d, "cancelgrace") })
}

func agree[V comparable](field *V, v V, name string) error {
	var zero V
	if *field != zero && *field != v {
		return fault.Malformed("%s said as %v and as %v", name, *field, v)
	}
	*field = v
	return nil
}

func positive[N int | time.Duration](field *N, n N, name string) error {
	if n <= 0 {
		return fault.Malformed("%s=%v is not positive", name, n)
	}
	return agree(field, n, name)
}

// gather applies opts.
func gather(opts []Option) (options, error) {
	o := options{slots: -1}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt.apply(&o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// fromQuery applies the parameters every medium has and removes them from q.
func (o *options) fromQuery(q url.Values) error {
	for key, parse := range parameters {
		values, ok := q[key]
		if !ok {
			continue
		}
		delete(q, key)
		for _, v := range values {
			opt, err := parse(v)
			if err != nil {
				return fault.Malformed("%s=%s is not %v", key, v, err)
			}
			if opt == nil {
				continue
			}
			if err := opt.apply(o); err != nil {
				return err
			}
		}
	}
	return nil
}

var parameters = map[string]func(string) (Option, error){
	"name":        text(Name),
	"slots":       parsed("a whole number", strconv.Atoi, Slots),
	"create":      text(Create),
	"codec":       text(Codec),
	"schema":      text(Schema),
	"maxvalue":    parsed("a whole number", strconv.Atoi, MaxValue),
	"sendtimeout": parsed("a duration such as 5s", time.ParseDuration, SendTimeout),
	"maxhold":     parsed("a duration such as 5s", time.ParseDuration, MaxHold),
	"deadletter":  text(DeadLetter),
	"maxattempts": parsed("a whole number", strconv.Atoi, MaxAttempts),
	"autoclose": parsed("true or false", strconv.ParseBool, func(on bool) Option {
		if !on {
			return nil
		}
		return CloseWhenSendersGone()
	}),
	"optimeout":   parsed("a duration such as 5s", time.ParseDuration, OpTimeout),
	"cancelgrace": parsed("a duration such as 5s", time.ParseDuration, CancelGrace),
}

func text(make func(string) Option) func(string) (Option, error) {
	return func(s string) (Option, error) { return make(s), nil }
}

// parsed reads a value; what says what it ought to be.
func parsed[V any](what string, parse func(string) (V, error), make func(V) Option) func(string) (Option, error) {
	return func(s string) (Option, error) {
		v, err := parse(s)
		if err != nil {
			return nil, errors.New(what)
		}
		return make(v), nil
	}
}

// onlyHere refuses what has no meaning within a process.
func (o options) onlyHere() error {
	if o.codec != "" || o.schema != "" {
		return fault.Because(ErrConflict, "values are not encoded within a process")
	}
	if o.maxValue != 0 {
		return fault.Because(ErrConflict, "maxvalue does not apply within a process")
	}
	return nil
}

func (o options) config(slots int) engine.Config {
	return engine.Config{
		Name: o.name, Slots: slots,
		MaxHold: o.maxHold, MaxAttempts: o.maxAttempts,
		CloseWhenSendersGone: o.autoClose,
	}
}

func (o options) createMode() driver.Create {
	switch o.create {
	case "no":
		return driver.CreateNo
	case "new":
		return driver.CreateNew
	}
	return driver.CreateYes
}
