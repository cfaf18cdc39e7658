package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"warren/state"
)

// match evaluates a comparison.
func (e *eval) match(m *state.Match) (outcome, string) {
	if m.Set != nil || m.SetName != "" {
		_, out, why := e.lookup(append([]state.Operand{m.Left}, m.Concat...), m.SetName, m.Set)
		if m.Op == "!=" && why != skipped {
			out = negate(out)
		}
		return out, why
	}
	r, out, why := e.read(m.Left)
	if out != yes {
		return out, why
	}
	switch {
	case m.Range != nil:
		out = within(r, m.Range[0], m.Range[1])
		if m.Op == "!=" {
			out = negate(out)
		}
	case m.Value == nil:
		return maybe, "a comparison without a value"
	case m.Op == "" || m.Op == "==":
		out = equal(r, m.Value.Data)
	case m.Op == "!=":
		out = negate(equal(r, m.Value.Data))
	default:
		out = ordered(r, m.Op, *m.Value)
	}
	if out == maybe {
		why = "a part of the packet that is not known"
	}
	return out, why
}

func negate(o outcome) outcome {
	switch o {
	case no:
		return yes
	case yes:
		return no
	}
	return maybe
}

func truth(b bool) outcome {
	if b {
		return yes
	}
	return no
}

// equal compares as many bytes as the rule has: the beginning of an interface's name may be all ("veth*").
func equal(r register, want string) outcome {
	if len(want) > len(r.data) {
		return maybe
	}
	out := yes
	for i := range len(want) {
		switch {
		case (r.data[i]^want[i])&r.known[i] != 0:
			return no
		case r.known[i] != 0xff:
			out = maybe
		}
	}
	return out
}

func within(r register, first, last state.Value) outcome {
	if !r.whole() || len(first.Data) != len(r.data) || len(last.Data) != len(r.data) {
		return maybe
	}
	v := state.Value{Type: first.Type, Data: string(r.data)}
	return truth(compare(v, first) >= 0 && compare(v, last) <= 0)
}

func ordered(r register, op string, w state.Value) outcome {
	if !r.whole() || len(w.Data) != len(r.data) {
		return maybe
	}
	c := compare(state.Value{Type: w.Type, Data: string(r.data)}, w)
	switch op {
	case "<":
		return truth(c < 0)
	case "<=":
		return truth(c <= 0)
	case ">":
		return truth(c > 0)
	case ">=":
		return truth(c >= 0)
	}
	return maybe
}

// compare orders values of one type as numbers.
func compare(a, b state.Value) int {
	return bytes.Compare(bigEndian(a), bigEndian(b))
}

// bigEndian is the value with its most significant byte first.
func bigEndian(v state.Value) []byte {
	b := []byte(v.Data)
	switch v.Type {
	case state.TypeMark, state.TypeIfindex, state.TypeCTState, state.TypeCTStatus, state.TypeFIBType, "uid", "gid", "host_integer", "time",
		"realm", "classid", "devgroup", "iface_type", "hour", "cgroupsv2":
		if binary.NativeEndian.Uint16([]byte{0, 1}) != 1 {
			slices.Reverse(b)
		}
	}
	return b
}

// skipped as the reason says that the operands could not be read from this packet at all, so that the rule ends whatever
// the sense of the comparison.
const skipped = "not in this packet"

// lookup finds the packet's key in a set or map.
func (e *eval) lookup(keys []state.Operand, named string, anonymous *state.Set) (*state.Element, outcome, string) {
	set := anonymous
	if set == nil {
		set = e.table.Set(named)
	}
	if set == nil {
		return nil, maybe, "set " + named + " is not there"
	}
	regs := make([]register, len(keys))
	for i, k := range keys {
		r, out, why := e.read(k)
		switch out {
		case no:
			return nil, no, skipped
		case maybe:
			return nil, maybe, why
		case yes:
		}
		regs[i] = r
	}
	found, out := find(set, regs)
	switch {
	case anonymous == nil && slices.Contains(e.ns.changed, e.table.Key()+" "+named):
		return nil, maybe, "set " + named + ", which this packet or one before it has changed"
	case out == maybe:
		return nil, maybe, "set " + setName(named) + " with a part of the packet that is not known"
	case out == yes && slices.ContainsFunc(set.Statements, func(s string) bool { return s != "counter" && s != "last" }):
		return nil, maybe, fmt.Sprintf("set %s decides by %s", setName(named), set.Statements)
	}
	return found, out, ""
}

func setName(named string) string {
	if named == "" {
		return "of the rule"
	}
	return named
}

// find is the element that a key belongs to; the one without a key ("*") when no other does. Of elements that lie inside of each
// other the inner one is found: the kernel takes a wider one only after it, and looks in that order (nft_pipapo_insert).
func find(set *state.Set, key []register) (*state.Element, outcome) {
	var rest, best *state.Element
	doubt := no
	for i := range set.Elements {
		el := &set.Elements[i]
		if el.Key == nil {
			rest = el
			continue
		}
		switch holds(el, key) {
		case yes:
			switch {
			case best == nil || el.KeyEnd == nil || inside(el, best):
				best = el
			case !inside(best, el) && !sameEffect(best, el):
				return nil, maybe // the order in which they were put in decides
			}
		case maybe:
			doubt = maybe
		case no:
		}
	}
	if best != nil {
		return best, yes
	}
	if rest != nil && doubt == no {
		return rest, yes
	}
	return nil, doubt
}

// inside reports whether all keys of one element are keys of another one, too.
func inside(el, outer *state.Element) bool {
	if outer.KeyEnd == nil || el.KeyEnd == nil {
		return el.KeyEnd == nil
	}
	for i := range el.Key {
		if compare(el.Key[i], outer.Key[i]) < 0 || compare(el.KeyEnd[i], outer.KeyEnd[i]) > 0 {
			return false
		}
	}
	return true
}

func sameEffect(a, b *state.Element) bool {
	if (a.Verdict == nil) != (b.Verdict == nil) || a.Verdict != nil && *a.Verdict != *b.Verdict {
		return false
	}
	return slices.Equal(a.Data, b.Data)
}

func holds(el *state.Element, key []register) outcome {
	if len(el.Key) != len(key) {
		return maybe
	}
	out := yes
	for i, r := range key {
		one := equalWhole(r, el.Key[i].Data)
		if el.KeyEnd != nil {
			one = within(r, el.Key[i], el.KeyEnd[i])
		}
		switch one {
		case no:
			return no
		case maybe:
			out = maybe
		case yes:
		}
	}
	return out
}

func equalWhole(r register, want string) outcome {
	if len(want) != len(r.data) {
		return maybe
	}
	return equal(r, want)
}
