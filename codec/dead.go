package codec

import (
	"encoding/binary"
	"strings"

	"github.com/handoff-go/handoff/internal/fault"
)

// Fate is what a dead letter says of its value: why nobody could handle it, how
// often it was handed out, and the channel it came from.
type Fate struct {
	Reason   string
	Attempts int
	From     string
}

// DeadFingerprint is the fingerprint of dead letters of values with a
// fingerprint. So whoever has only the bytes of a value, a home, can bury it.
func DeadFingerprint(value string) string { return deadPrefix + value }

const deadPrefix = "dead:"

// DeadOf is the reverse of DeadFingerprint: of what values fingerprint is that of
// the dead letters.
func DeadOf(fingerprint string) (value string, ok bool) {
	return strings.CutPrefix(fingerprint, deadPrefix)
}

// maxFateText is how long a reason or a name is in a dead letter; the rest is cut.
const maxFateText = 1024

// AppendFate adds f to b: attempts as u32, then reason and name, each as u16
// length and bytes, little-endian. The bytes of the value follow, to the end.
func AppendFate(b []byte, f Fate) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(min(max(f.Attempts, 0), 1<<31-1)))
	for _, s := range []string{f.Reason, f.From} {
		if len(s) > maxFateText {
			s = strings.ToValidUTF8(s[:maxFateText], "")
		}
		b = append(binary.LittleEndian.AppendUint16(b, uint16(len(s))), s...)
	}
	return b
}

// CutFate reads what AppendFate added to the front of b and returns the rest. What
// is no dead letter is ErrTypeMismatch.
func CutFate(b []byte) (f Fate, value []byte, err error) {
	if len(b) < 4 {
		return Fate{}, nil, errNoFate
	}
	attempts := binary.LittleEndian.Uint32(b)
	b = b[4:]
	var texts [2]string
	for i := range texts {
		if len(b) < 2 {
			return Fate{}, nil, errNoFate
		}
		n := int(binary.LittleEndian.Uint16(b))
		if b = b[2:]; n > len(b) || n > maxFateText {
			return Fate{}, nil, errNoFate
		}
		texts[i], b = string(b[:n]), b[n:]
	}
	if attempts > 1<<31-1 {
		return Fate{}, nil, errNoFate
	}
	return Fate{texts[0], int(attempts), texts[1]}, b, nil
}

var errNoFate = fault.Because(fault.ErrTypeMismatch, "the bytes are no dead letter")
