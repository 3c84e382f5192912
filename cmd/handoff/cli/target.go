package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/driver"
)

// openWithin bounds the opening of a channel.
const openWithin = 15 * time.Second

// kind is the fingerprint of a channel's values: what they are to this program,
// which has none of their Go types.
type kind string

const (
	textKind  kind = "raw:string"
	bytesKind kind = "raw:bytes"
	jsonKind  kind = "json"
)

func (k kind) json() bool { return k == jsonKind || strings.HasPrefix(string(k), string(jsonKind)+":") }
func (k kind) raw() bool  { return k == textKind || k == bytesKind }

// String is what people call the kind.
func (k kind) String() string {
	how, what, _ := strings.Cut(string(k), ":")
	of, dead := k.dead()
	switch {
	case dead:
		return "dead " + of.String()
	case k == "":
		return "not known yet"
	case k == textKind:
		return "text"
	case k == bytesKind:
		return "bytes"
	case how == "mem":
		return "memory"
	case what != "":
		return how + " " + what
	}
	return how
}

// target is a channel that a URL names.
type target struct {
	url    string // without codec and schema
	u      *url.URL
	json   bool // codec=json, or a schema
	schema string
}

// parseTarget reads a URL of the command line. What is wrong with it whatever
// its home says is a usage error.
func parseTarget(rawURL string) (target, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return target{}, usage("malformed URL: %w", err)
	}
	q, err := url.ParseQuery(u.RawQuery)
	switch {
	case err != nil:
		return target{}, usage("malformed URL %s: %w", rawURL, err)
	case u.Scheme == "":
		return target{}, usage("%q is no URL: want %s", rawURL, strings.Join(schemes(), ", "))
	case u.Scheme == "mem":
		return target{}, usage("%s: a mem: channel lives within one process, and this would be one of its own", rawURL)
	case !slices.Contains(schemes(), u.Scheme+":"):
		return target{}, usage("%s: no medium has the scheme %s: there are %s", rawURL, u.Scheme, strings.Join(schemes(), ", "))
	}
	t := target{u: u, schema: q.Get("schema"), json: q.Get("schema") != ""} // nothing else has a schema
	switch as := q.Get("codec"); codec.Format(as) {
	case codec.Auto:
	case codec.JSON:
		t.json = true
	default:
		return target{}, usage("%s: this program writes and reads text, bytes and JSON, and not codec=%s", rawURL, as)
	}
	if q.Has("codec") || q.Has("schema") {
		q.Del("codec")
		q.Del("schema")
		u.RawQuery = q.Encode()
	}
	t.url = u.String()
	return t, nil
}

// schemes are those of the media there are, as a URL begins with them. What only the
// program knows that is a home itself (hub.Hub.URL) is nothing to type.
func schemes() []string {
	var all []string
	for _, s := range driver.Schemes() {
		if s != "home" {
			all = append(all, s+":")
		}
	}
	slices.Sort(all)
	return all
}

// kind is what a channel carries that is made by this URL and by values of a
// form.
func (t target) kind(form frame.Form) kind {
	switch {
	case (t.json || form == frame.JSON) && t.schema != "":
		return jsonKind + ":" + kind(t.schema)
	case t.json || form == frame.JSON:
		return jsonKind
	case form == frame.Raw || form == frame.Prefixed:
		return bytesKind
	}
	return textKind
}

// open opens an end of t by how, as what t carries, and returns what that is. If
// the channel is there and carries something else, may says why that will not do.
func open[E any](ctx context.Context, t target, form frame.Form, may func(kind) error,
	how func(context.Context, string, ...handoff.Option) (E, error), opts ...handoff.Option,
) (E, kind, error) {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	as := func(k kind) (E, error) {
		return how(ctx, t.url, append(opts, handoff.Codec(string(codec.Encoded)), handoff.Schema(string(k)))...)
	}
	k := t.kind(form)
	end, err := as(k)
	if err == nil || !errors.Is(err, handoff.ErrTypeMismatch) {
		return end, k, err
	}
	found, bad := find(ctx, t.place())
	there := kind(found.Type)
	if bad != nil || there == "" {
		return end, k, err
	}
	why := may(there)
	if there.raw() && (t.json || form == frame.JSON) {
		why = fmt.Errorf("it carries %v: leave out --json, codec=json and schema=", there)
	}
	if why != nil {
		return end, k, fmt.Errorf("open %s: %w: %w", t.url, handoff.ErrTypeMismatch, why)
	}
	end, err = as(there)
	return end, there, err
}
