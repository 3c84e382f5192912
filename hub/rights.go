package hub

import (
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// right is a set of what one may do with a channel.
type right uint8

const (
	mayCreate right = 1 << iota
	maySend
	mayReceive
	mayClose
	mayInspect
	mayAll = mayCreate | maySend | mayReceive | mayClose | mayInspect
)

// rightNames are the words of a line of rights.
var rightNames = []struct {
	is   right
	word string
}{
	{mayCreate, "create"}, {maySend, "send"}, {mayReceive, "receive"}, {mayClose, "close"}, {mayInspect, "inspect"},
}

// String names what is in r.
func (r right) String() string {
	var words []string
	for _, name := range rightNames {
		if r&name.is != 0 {
			words = append(words, name.word)
		}
	}
	return strings.Join(words, ", ")
}

// Rights say who may do what with which channels. What no line allows is denied,
// and so is what one line denies, whatever others allow.
type Rights struct{ rules []rule }

type rule struct {
	deny          bool
	who, channels string // patterns
	what          right
}

// ParseRights reads rights, one a line:
//
//	# allow or deny   who             what             which channels
//	allow             cert:*.example  send,inspect     orders-*
//	allow             token:packer    receive,inspect  orders-*
//	allow             uid:1000        all              *
//	deny              *               close            orders-eu
//
// Who is cert:NAME, token:NAME, uid:NUMBER, anonymous for those without identity,
// or * for all. What is create, send, receive, close and inspect, with commas, or
// all. The names of who and of channels are patterns as in [path.Match], but that *
// and ? stand for a / too. An error names the line and what is wrong with it.
func ParseRights(r io.Reader) (*Rights, error) {
	rights := &Rights{}
	return rights, eachLine(r, func(words []string) error {
		if len(words) != 4 {
			return fmt.Errorf("want allow or deny, who, what, and which channels, not %d words", len(words))
		}
		one := rule{who: words[1], channels: words[3]}
		switch words[0] {
		case "allow":
		case "deny":
			one.deny = true
		default:
			return fmt.Errorf("%q: want allow or deny", words[0])
		}
		if err := checkWho(one.who); err != nil {
			return err
		}
		var err error
		if one.what, err = parseRight(words[2]); err != nil {
			return err
		}
		if _, err := path.Match(one.channels, ""); err != nil || len(one.channels) > wire.MaxText {
			return fmt.Errorf("channels %q: not a pattern", one.channels)
		}
		rights.rules = append(rights.rules, one)
		return nil
	})
}

// ReadRights is ParseRights of a file, which nobody but its owner may write.
func ReadRights(file string) (*Rights, error) { return readOwn(file, "write", 0o022, ParseRights) }

// checkWho refuses who can never come.
func checkWho(who string) error {
	if who == "*" || who == Anonymous {
		return nil
	}
	kind, name, _ := strings.Cut(who, ":")
	switch kind += ":"; {
	case kind != byCert && kind != byToken && kind != byUser || name == "":
		return fmt.Errorf("who %q: want cert:NAME, token:NAME, uid:NUMBER, %s or *", who, Anonymous)
	case kind == byUser && !tellsUsers:
		return fmt.Errorf("who %q: this home does not learn on %s who is at the other end of a Unix socket", who, runtime.GOOS)
	case kind == byUser && strings.Trim(name, "0123456789*?[]-^\\") != "":
		return fmt.Errorf("who %q: a user is a number", who)
	}
	if _, err := path.Match(who, ""); err != nil {
		return fmt.Errorf("who %q: not a pattern", who)
	}
	return nil
}

func parseRight(said string) (all right, err error) {
	if said == "all" {
		return mayAll, nil
	}
next:
	for word := range strings.SplitSeq(said, ",") {
		for _, name := range rightNames {
			if word == name.word {
				all |= name.is
				continue next
			}
		}
		return 0, fmt.Errorf("what %q: want create, send, receive, close, inspect, or all", word)
	}
	return all, nil
}

// flat hides what path.Match takes for the end of a part: a channel's name is no
// path, and neither is a URI in a certificate. No name has a NUL.
var flat = strings.NewReplacer("/", "\x00")

func matches(pattern, name string) bool {
	if pattern == "*" {
		return true
	}
	ok, _ := path.Match(flat.Replace(pattern), flat.Replace(name))
	return ok
}

// of is what who may do with the channel called name. Without Rights that is all.
func (r *Rights) of(who, name string) right {
	if r == nil {
		return mayAll
	}
	var allowed, denied right
	for _, one := range r.rules {
		switch {
		case !matches(one.who, who) || !matches(one.channels, name):
		case one.deny:
			denied |= one.what
		default:
			allowed |= one.what
		}
	}
	return allowed &^ denied
}

// concerning returns the rules that speak of who and of a right in what.
func (r *Rights) concerning(who string, what right) *Rights {
	if r == nil {
		return nil
	}
	some := &Rights{}
	for _, one := range r.rules {
		if one.what&what != 0 && matches(one.who, who) {
			one.who = "*"
			some.rules = append(some.rules, one)
		}
	}
	return some
}

// opener is who opens channels, with what he may do.
type opener struct {
	who     string
	rights  *Rights
	account *account
}

// needs says which of the rights asked he has not.
func (o opener) needs(name string, asked right) error {
	if missing := asked &^ o.rights.of(o.who, name); missing != 0 {
		return fault.Because(fault.ErrDenied, "%s has no right to %v here", o.who, missing)
	}
	return nil
}

// asks is what opening a channel so needs, but for the right to make it.
func asks(sends, receives, closes bool) (asked right) {
	if sends {
		asked |= maySend
	}
	if receives {
		asked |= mayReceive
	}
	if closes {
		asked |= mayClose
	}
	if asked&(maySend|mayReceive) == 0 {
		asked |= mayInspect // there is nothing else to do with it
	}
	return asked
}

// SetRights has r decide from now on what clients may do; nil lets all do
// everything. It is asked when a channel is opened and when channels are listed, and
// again when a client comes back after its connection broke; who has a channel
// open keeps what he was given.
func (h *Hub) SetRights(r *Rights) { h.rights.Store(r) }
