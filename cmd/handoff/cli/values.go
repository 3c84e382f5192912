package cli

import (
	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/spf13/pflag"
)

// mostBytes is the longest value that is read from a stream. The channel's own
// limit is mostly lower.
const mostBytes = 256 << 20

// valueFlags say how values lie in a stream.
type valueFlags struct{ json, null, prefixed, raw bool }

const valueHelp = `Values are lines, unless a flag says otherwise: --json (one JSON text per line,
checked), --null (each ends with a NUL), --length-prefixed (each follows its
length, a big-endian u32), --raw (%s).`

func (v *valueFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&v.json, "json", false, "values are JSON texts, one per line")
	f.BoolVarP(&v.null, "null", "0", false, "values end with a NUL")
	f.BoolVar(&v.prefixed, "length-prefixed", false, "values follow their length in bytes, a big-endian u32")
	f.BoolVar(&v.raw, "raw", false, "values are not set apart from each other")
}

// form is what the flags say together.
func (v *valueFlags) form() (frame.Form, error) {
	form, said := frame.Lines, 0
	for _, f := range []struct {
		on bool
		as frame.Form
	}{{v.json, frame.JSON}, {v.null, frame.Null}, {v.prefixed, frame.Prefixed}, {v.raw, frame.Raw}} {
		if f.on {
			form = f.as
			said++
		}
	}
	if said > 1 {
		return form, usage("only one of --json, --null, --length-prefixed and --raw can be")
	}
	return form, nil
}
