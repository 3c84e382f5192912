package schema

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// maxExact is the largest integer up to which every reader of JSON has them all:
// 2^53-1, as many read a number as a float64.
const maxExact = 1<<53 - 1

// decimal is a number as text says it: digits without zeros at either end, times
// ten to the power of exp; no digits for zero.
type decimal struct {
	negative bool
	digits   string
	exp      int
}

// decimalOf reads a number of JSON, or what strconv writes of a float.
func decimalOf(text string) (d decimal, ok bool) {
	text, d.negative = strings.CutPrefix(text, "-")
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exp, err := strconv.Atoi(text[i+1:])
		if err != nil || exp > math.MaxInt32 || exp < math.MinInt32 {
			return d, false
		}
		d.exp, text = exp, text[:i]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	d.exp -= len(fraction)
	d.digits = strings.TrimLeft(whole+fraction, "0")
	short := strings.TrimRight(d.digits, "0")
	d.exp += len(d.digits) - len(short)
	if d.digits = short; short == "" {
		d.exp = 0
	}
	return d, true
}

// maxDigits is more than any integer has.
const maxDigits = 20

// integer returns the digits of an integer.
func integer(path string, t json.Token) string {
	switch t := t.(type) {
	case string:
		if t == "" || strings.Trim(strings.TrimPrefix(t, "-"), "0123456789") != "" {
			refuse(path, "is %.40q, not an integer", t)
		}
		return t
	case json.Number:
		d, ok := decimalOf(string(t))
		switch {
		case !ok || len(d.digits)+d.exp > maxDigits:
			refuse(path, "is %.40s, which is out of range", t)
		case d.exp < 0:
			refuse(path, "is %.40s, which has a fraction, and the type an integer", t)
		case d.digits == "":
			return "0"
		}
		text := d.digits + strings.Repeat("0", d.exp)
		if n, err := strconv.ParseUint(text, 10, 64); err != nil || n > maxExact {
			refuse(path, "is %.40s, which many readers of JSON would round: write it as a string of digits", t)
		}
		if d.negative {
			text = "-" + text
		}
		return text
	}
	refuse(path, "is %s, not an integer", spoken(t))
	return ""
}

// float returns a float of so many bits.
func float(path string, t json.Token, bits int) float64 {
	switch t := t.(type) {
	case string:
		switch t {
		case "NaN":
			return math.NaN()
		case "Infinity":
			return math.Inf(1)
		case "-Infinity":
			return math.Inf(-1)
		}
		refuse(path, "is %.40q, not a number", t)
	case json.Number:
		f, err := strconv.ParseFloat(string(t), bits)
		said, ok := decimalOf(string(t))
		is, _ := decimalOf(strconv.FormatFloat(f, 'e', -1, bits))
		if err != nil || !ok || said != is {
			refuse(path, "is %.40s, which a float%d cannot have: the nearest is %s", t, bits, strconv.FormatFloat(f, 'g', -1, bits))
		}
		return f
	}
	refuse(path, "is %s, not a number", spoken(t))
	return 0
}
