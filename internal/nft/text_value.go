package nft

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"warren/state"
)

// Format is a value as nft prints it.
func Format(v state.Value) string {
	b := v.Bytes()
	switch v.Type {
	case state.TypeIPv4, state.TypeIPv6:
		if a, ok := netip.AddrFromSlice(b); ok {
			return a.String()
		}
	case state.TypeEther, "ll_addr":
		parts := make([]string, len(b))
		for i := range b {
			parts[i] = hex.EncodeToString(b[i : i+1])
		}
		return strings.Join(parts, ":")
	case state.TypeIfname, "string":
		name, _, padded := strings.Cut(v.Data, "\x00")
		if !padded && len(b) < 16 && v.Type == state.TypeIfname {
			name += "*"
		}
		return `"` + name + `"`
	case typeObject:
		return `"` + v.Data + `"`
	case state.TypeVerdict:
		return "verdict"
	case state.TypeProto:
		if len(b) == 1 {
			if w := state.ProtoName(b[0]); w != "" {
				return w
			}
		}
	}
	n := number(v)
	if bits := bitsOf(v.Type); bits != nil && n.IsUint64() {
		return bitWords(bits, uint32(n.Uint64()))
	}
	if w := wordOf(symbolsOf(v.Type), uint32(n.Uint64())); w != "" && n.IsUint64() {
		return w
	}
	switch v.Type {
	case state.TypeMark, state.TypeEtherTyp, "realm", typeDSCP:
		return fmt.Sprintf("0x%0*x", min(len(b), 4)*2, n)
	case state.TypeIfindex:
		if n.IsUint64() && n.Uint64() == 1 {
			return `"lo"` // in every namespace
		}
	case "classid":
		return fmt.Sprintf("%x:%x", n.Uint64()>>16, n.Uint64()&0xffff)
	case "time":
		if len(b) == 4 { // milliseconds
			return duration(time.Duration(n.Int64()) * time.Millisecond)
		}
	}
	return n.String()
}

// number is the value as a number.
func number(v state.Value) *big.Int {
	b := v.Bytes()
	if isHost(v.Type) {
		b = swapped(b)
	}
	return new(big.Int).SetBytes(b)
}

// bitWords lists the bits' words from low to high; a bit without a word makes the whole a number.
func bitWords(list []symbol, n uint32) string {
	var words []string
	rest := n
	for _, s := range list {
		if n&s.value != 0 {
			words = append(words, s.word)
			rest &^= s.value
		}
	}
	if rest != 0 || len(words) == 0 {
		return fmt.Sprintf("0x%x", n)
	}
	return strings.Join(words, ",")
}

// duration is nft's form: 1d2h3m4s5ms.
func duration(d time.Duration) string {
	var s strings.Builder
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}} {
		if n := d / u.unit; n > 0 {
			s.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			d -= n * u.unit
		}
	}
	if s.Len() == 0 {
		return "0s"
	}
	return s.String()
}

// prefixBits is the number of leading ones of a netmask; ok is false when the mask is not one.
func prefixBits(mask []byte) (int, bool) {
	bits := 0
	for bits < len(mask)*8 && mask[bits/8]&(0x80>>(bits%8)) != 0 {
		bits++
	}
	for i := bits; i < len(mask)*8; i++ {
		if mask[i/8]&(0x80>>(i%8)) != 0 {
			return 0, false
		}
	}
	return bits, true
}

// interval is "FIRST-LAST", or a prefix when it is one of addresses.
func interval(first, last state.Value) string {
	if first == last {
		return Format(first)
	}
	if first.Type == state.TypeIPv4 || first.Type == state.TypeIPv6 {
		a, b := first.Bytes(), last.Bytes()
		mask := make([]byte, len(a))
		for i := range min(len(a), len(b)) {
			mask[i] = ^(a[i] ^ b[i])
		}
		lower := slices.Clone(a)
		for i := range lower {
			lower[i] &= mask[i]
		}
		if bits, ok := prefixBits(mask); ok && len(a) == len(b) && bytes.Equal(lower, a) && isUpper(b, mask) {
			return fmt.Sprintf("%s/%d", Format(first), bits)
		}
	}
	return Format(first) + "-" + Format(last)
}

// isUpper reports whether all bits outside of the mask are set.
func isUpper(b, mask []byte) bool {
	for i := range b {
		if b[i]|mask[i] != 0xff {
			return false
		}
	}
	return true
}

// elementText is an element without the comment.
func elementText(e state.Element) string {
	var s strings.Builder
	if len(e.Key) == 0 {
		s.WriteString("*")
	}
	for i, k := range e.Key {
		if i > 0 {
			s.WriteString(" . ")
		}
		if i < len(e.KeyEnd) {
			s.WriteString(interval(k, e.KeyEnd[i]))
		} else {
			s.WriteString(Format(k))
		}
	}
	return s.String()
}

// dataText is what an element maps to.
func dataText(e state.Element) string {
	if e.Verdict != nil {
		return verdictText(*e.Verdict)
	}
	if d := e.Data; len(d) == 2 && d[0].Type == d[1].Type && (d[0].Type == state.TypeIPv4 || d[0].Type == state.TypeIPv6) {
		return interval(d[0], d[1]) // see Set.DataInterval
	}
	parts := make([]string, len(e.Data))
	for i, d := range e.Data {
		parts[i] = Format(d)
	}
	return strings.Join(parts, " . ")
}

func verdictText(v state.Verdict) string {
	if v.Chain != "" {
		return v.Kind + " " + v.Chain
	}
	return v.Kind
}

// elements are the elements' texts in the order in which nft lists them: by value.
func elements(list []state.Element) []string {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b state.Element) int { return slices.CompareFunc(a.Key, b.Key, compareListed) })
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = elementText(e)
		if e.Comment != "" {
			texts[i] += ` comment "` + e.Comment + `"`
		}
		if d := dataText(e); d != "" {
			texts[i] += " : " + d
		}
	}
	return texts
}

func compareListed(a, b state.Value) int {
	if a.Type == state.TypeIfname {
		return strings.Compare(a.Data, b.Data)
	}
	return number(a).Cmp(number(b))
}

// setText is an anonymous set: "{ a, b }".
func setText(s state.Set) string {
	return "{ " + strings.Join(elements(s.Elements), ", ") + " }"
}
