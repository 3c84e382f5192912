package hub

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/handoff-go/handoff/internal/wire"
)

// minToken is how many bytes a token has at least, so that it cannot be guessed.
const minToken = 16

// Tokens are secrets, each of which names who shows it. They are kept as their
// SHA-256 only.
type Tokens struct{ known []token }

type token struct {
	name   string
	digest [sha256.Size]byte
}

// ParseTokens reads tokens, one a line:
//
//	# name   token
//	alice    3f9c0a71d2e845bb9a60
//	bob      sha256:9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de
//
// A token has 16 to 256 bytes without blanks; sha256: and 64 hexadecimal digits
// stand for a token that is known to its owner alone. A name may have several. An
// error names the line, and never says what stands there.
func ParseTokens(r io.Reader) (*Tokens, error) {
	t := &Tokens{}
	return t, eachLine(r, func(fields []string) error {
		if len(fields) != 2 {
			return fmt.Errorf("want a name and a token, not %d words", len(fields))
		}
		name, said := fields[0], fields[1]
		if !isIdentity(name) {
			return fmt.Errorf("a name has 1 to %d bytes of UTF-8", maxIdentity)
		}
		digest, err := digestOf(said)
		if err != nil {
			return err
		}
		if before, ok := t.search(digest); ok {
			return fmt.Errorf("the token is %s's already", before)
		}
		t.known = append(t.known, token{name, digest})
		return nil
	})
}

// ReadTokens is ParseTokens of a file, which nobody but its owner may read.
func ReadTokens(file string) (*Tokens, error) { return readOwn(file, "read", 0o077, ParseTokens) }

func digestOf(said string) (digest [sha256.Size]byte, err error) {
	if text, hashed := strings.CutPrefix(said, "sha256:"); hashed {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != len(digest) {
			return digest, fmt.Errorf("sha256: wants %d hexadecimal digits", 2*len(digest))
		}
		return [sha256.Size]byte(b), nil
	}
	if len(said) < minToken || len(said) > wire.MaxToken {
		return digest, fmt.Errorf("a token of %d bytes, want %d to %d", len(said), minToken, wire.MaxToken)
	}
	return sha256.Sum256([]byte(said)), nil
}

// find returns whom a token names. It takes as long whatever the token is.
func (t *Tokens) find(said string) (name string, ok bool) {
	if t == nil {
		return "", false
	}
	return t.search(sha256.Sum256([]byte(said)))
}

func (t *Tokens) search(digest [sha256.Size]byte) (name string, ok bool) {
	found := -1
	for i := range t.known {
		same := subtle.ConstantTimeCompare(t.known[i].digest[:], digest[:])
		found = subtle.ConstantTimeSelect(same, i, found)
	}
	if found < 0 {
		return "", false
	}
	return t.known[found].name, true
}

// readOwn has parse read a file that nobody but its owner may touch in one of the
// ways of mask.
func readOwn[T any](file, word string, mask os.FileMode, parse func(io.Reader) (T, error)) (none T, err error) {
	f, err := os.Open(file)
	if err != nil {
		return none, fmt.Errorf("hub: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return none, fmt.Errorf("hub: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&mask != 0 {
		return none, fmt.Errorf("hub: others may %s %s, whose mode is %04o: chmod 600", word, file, mode)
	}
	got, err := parse(f)
	if err != nil {
		return none, fmt.Errorf("hub: %s, %w", file, err)
	}
	return got, nil
}

// eachLine has do read the words of every line that is not empty and does not begin
// with #, and says in which line it failed.
func eachLine(r io.Reader, do func(words []string) error) error {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if err := do(words); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}
