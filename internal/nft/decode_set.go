package nft

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"warren/state"
)

// A setDecoder collects a set and its elements.
type setDecoder struct {
	state.Set
	layout
	anonymous bool
	raw       []rawRead
	done      bool
}

// A rawRead is an element as the kernel gives it.
type rawRead struct {
	key, keyEnd []byte
	end         bool
	elem        state.Element // without keys
}

func (d *decoder) set(family string, body []byte) error {
	a, err := attrMap(body)
	if err != nil {
		return err
	}
	t := d.of(family, a[setTable])
	if t == nil {
		return nil
	}
	flags := be32(a[setFlags])
	s := &setDecoder{anonymous: flags&flagAnonymous != 0}
	s.Name, s.Handle = cstring(a[setName]), be64(a[setHandle])
	s.Constant, s.Interval = flags&flagConstant != 0, flags&flagInterval != 0
	s.Dynamic, s.Timeout = flags&flagEval != 0, flags&flagTimeout != 0
	s.Comment = cstring(udata(a[setUserData], udataSetComment))
	s.TimeoutMS = be64(a[setTimeout])
	s.interval = s.Interval
	if s.Statements, err = statements(a[setExpr], a[setExpressions]); err != nil {
		return err
	}

	fields, err := fieldLengths(a[setDesc])
	if err != nil {
		return err
	}
	s.keyLen = int(min(be32(a[setKeyLen]), 256))
	s.Key, s.key = split(be32(a[setKeyType]), s.keyLen, fields)
	hostOrder(s.Key, udata(a[setUserData], udataSetKeyOrder))
	s.swap = s.interval && len(s.Key) == 1 && swaps(s.Key[0], s.keyLen)
	if flags&(flagMap|flagObject) != 0 {
		s.dataType = be32(a[setDataType])
		switch {
		case flags&flagObject != 0:
			s.Data, s.dataType = []state.DataType{typeObject}, 1
		case s.dataType == verdictType:
			s.Data = []state.DataType{state.TypeVerdict}
		default:
			s.dataLen = int(min(be32(a[setDataLen]), 256))
			s.Data, s.data = split(s.dataType, s.dataLen, nil)
			if t := unpackKeyType(s.dataType); len(t) == 1 && sizeOf(t[0]) > 0 && sizeOf(t[0])%4 == 0 && s.dataLen == 2*sizeOf(t[0]) {
				s.DataInterval, s.Data, s.data = true, []state.DataType{t[0], t[0]}, []int{sizeOf(t[0]), sizeOf(t[0])}
			}
			hostOrder(s.Data, udata(a[setUserData], udataSetDataOrder))
			s.dataType |= 1 << 31 // a map, whatever its type
		}
	}
	if key := setKey(s.Name, a[setID]); t.sets[key] == nil {
		t.sets[key] = s
		t.names = append(t.names, key)
	}
	return nil
}

// typeObject is the data of a map whose values are named objects (counters, quotas ...); the value is the object's name.
const typeObject state.DataType = "object"

// statements names expressions that a set carries out when one of its elements is found.
func statements(one, several []byte) ([]string, error) {
	var names []string
	add := func(_ uint16, v []byte) error {
		a, err := attrMap(v)
		names = append(names, cstring(a[exprName]))
		return err
	}
	if one != nil {
		if err := add(0, one); err != nil {
			return nil, err
		}
	}
	return names, attrs(several, add)
}

// hostOrder says what nft's "integer" leaves open, by the user data that nft stores.
func hostOrder(types []state.DataType, order []byte) {
	if len(types) == 1 && types[0] == state.TypeInteger && len(order) == 4 && bytes.Equal(order, udataUint32(0, udataHostOrder)[2:]) {
		types[0] = typeHostInt
	}
}

// fieldLengths reads the lengths of a concatenation's fields (NFTA_SET_DESC_CONCAT).
func fieldLengths(desc []byte) ([]int, error) {
	var list []int
	return list, attrs(desc, func(typ uint16, v []byte) error {
		if typ != setDescConcat {
			return nil
		}
		return attrs(v, func(_ uint16, v []byte) error {
			a, err := attrMap(v)
			list = append(list, int(min(be32(a[setFieldLen]), 256)))
			return err
		})
	})
}

// split finds the fields of a key: types, and bytes of each. When the lengths do not add up, the key is one integer.
func split(packed uint32, total int, known []int) ([]state.DataType, []int) {
	types := unpackKeyType(packed)
	if len(types) == 1 {
		if n := sizeOf(types[0]); n == 0 || n == total {
			return types, []int{total}
		}
	}
	sum, unknown := 0, -1
	each := make([]int, len(types))
	for i, t := range types {
		each[i] = sizeOf(t)
		if len(known) == len(types) {
			each[i] = known[i]
		}
		if each[i] == 0 {
			if unknown >= 0 {
				unknown = -2
				break
			}
			unknown = i
		}
		sum += pad4(each[i])
	}
	if unknown >= 0 && total > sum {
		each[unknown] = total - sum
		sum = total
	}
	if unknown == -2 || sum != total || len(types) < 2 {
		return []state.DataType{state.TypeInteger}, []int{total}
	}
	return types, each
}

func (d *decoder) elements(family string, body []byte) error {
	a, err := attrMap(body)
	if err != nil {
		return err
	}
	t := d.of(family, a[elemsTable])
	if t == nil {
		return nil
	}
	s := t.sets[setKey(cstring(a[elemsSet]), a[elemsSetID])]
	if s == nil {
		return nil
	}
	return attrs(a[elemsList], func(_ uint16, v []byte) error {
		r, err := s.read(v)
		if err != nil {
			return fmt.Errorf("set %s: %w", s.Name, err)
		}
		s.raw = append(s.raw, r)
		return nil
	})
}

func (s *setDecoder) read(b []byte) (r rawRead, err error) {
	a, err := attrMap(b)
	if err != nil {
		return r, err
	}
	if r.key, err = datum(a[elemKey]); err != nil {
		return r, err
	}
	if r.keyEnd, err = datum(a[elemKeyEnd]); err != nil {
		return r, err
	}
	flags := be32(a[elemFlags])
	r.end = flags&elemFlagEnd != 0
	if len(r.key) != s.keyLen && flags&elemFlagCatchall == 0 || r.keyEnd != nil && len(r.keyEnd) != s.keyLen {
		return r, fmt.Errorf("%w: a key of %d bytes, want %d", errTruncated, len(r.key), s.keyLen)
	}
	if flags&elemFlagCatchall != 0 {
		r.key = nil
	}
	names, err := statements(a[elemExpr], a[elemExpressions])
	if err != nil {
		return r, err
	}
	for _, n := range names {
		if !slices.Contains(s.Statements, n) {
			s.Statements = append(s.Statements, n)
		}
	}
	r.elem.Comment = cstring(udata(a[elemUserData], udataComment))
	if o := a[elemObjref]; o != nil {
		r.elem.Data = []state.Value{{Type: typeObject, Data: cstring(o)}}
		return r, nil
	}
	data, err := attrMap(a[elemData])
	if err != nil {
		return r, err
	}
	if v := data[dataVerdict]; v != nil {
		if r.elem.Verdict, err = verdict(v); err != nil {
			return r, err
		}
	} else if v := data[dataValue]; v != nil && s.isMap() && len(v) == s.dataLen {
		r.elem.Data = unpack(v, s.Data, s.data, false)
	}
	return r, nil
}

// datum is the bytes in an NFTA_DATA_VALUE.
func datum(b []byte) ([]byte, error) {
	a, err := attrMap(b)
	return a[dataValue], err
}

func verdict(b []byte) (*state.Verdict, error) {
	a, err := attrMap(b)
	if err != nil {
		return nil, err
	}
	code := int32(be32(a[verdictCodeAttr]))
	kind := verdictKind(code)
	if code >= 0 && code&0xff == 3 {
		kind = "queue"
	}
	if kind == "" {
		kind = fmt.Sprintf("verdict%d", code)
	}
	return &state.Verdict{Kind: kind, Chain: cstring(a[verdictChain])}, nil
}

// unpack cuts a key into values.
func unpack(b []byte, types []state.DataType, each []int, swap bool) []state.Value {
	values := make([]state.Value, 0, len(each))
	for i, n := range each {
		d := b[:n]
		if swap {
			d = swapped(d)
		}
		values = append(values, state.Value{Type: types[i], Data: string(d)})
		b = b[min(pad4(n), len(b)):]
	}
	return values
}

// value finishes the set: elements sorted, the two halves of intervals put together.
func (s *setDecoder) value() state.Set {
	if s.done {
		return s.Set
	}
	s.done = true
	if s.interval && len(s.key) == 1 {
		s.joinIntervals()
	}
	for _, r := range s.raw {
		e := r.elem
		if r.key != nil {
			e.Key = unpack(r.key, s.Key, s.key, s.swap)
		}
		if r.keyEnd != nil && !bytes.Equal(r.key, r.keyEnd) {
			e.KeyEnd = unpack(r.keyEnd, s.Key, s.key, s.swap)
		}
		s.Elements = append(s.Elements, e)
	}
	s.Elements = state.SortElements(s.Elements)
	if len(s.Elements) == 0 {
		s.Elements = nil
	}
	return s.Set
}

// joinIntervals replaces start and end elements by elements with an inclusive end. An end is the first key that is not in the interval;
// an interval without one reaches to the next start, or to the last key there is.
func (s *setDecoder) joinIntervals() {
	slices.SortStableFunc(s.raw, func(a, b rawRead) int {
		return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(boolInt(b.end), boolInt(a.end)))
	})
	var joined []rawRead
	for i, r := range s.raw {
		if r.end {
			continue
		}
		if r.keyEnd == nil && r.key != nil {
			r.keyEnd = ones(len(r.key))
			if i+1 < len(s.raw) {
				if p, ok := predecessor(s.raw[i+1].key); ok && bytes.Compare(p, r.key) >= 0 {
					r.keyEnd = p
				}
			}
		}
		joined = append(joined, r)
	}
	s.raw = joined
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
