package nft

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/mdlayher/netlink"

	"warren/state"
)

// elementsPerMessage keeps a message's list of elements below the 65,535 bytes of an attribute: an element takes at most some 400 bytes
// (two keys of 80, data of 80, a comment of 130).
const elementsPerMessage = 150

// set adds a set with its elements. name is "" for an anonymous one, which is then known by the number that is returned.
func (e *encoder) set(s *state.Set, name string, object func() string) (id uint32, err error) {
	e.setID++
	id = e.setID
	lay, err := layoutOf(s)
	if err != nil {
		return 0, err
	}
	if err := checkComment("the set", s.Comment); err != nil {
		return 0, err
	}
	var flags uint32
	for _, f := range []struct {
		on   bool
		flag uint32
	}{
		{name == "", flagAnonymous | flagConstant},
		{s.Constant, flagConstant},
		{lay.interval, flagInterval},
		{lay.concatInterval(), flagConcat},
		{lay.isMap(), flagMap},
		{s.Dynamic, flagEval},
		{s.Timeout || s.TimeoutMS > 0, flagTimeout},
	} {
		if f.on {
			flags |= f.flag
		}
	}
	kernelName := name
	if name == "" {
		kernelName = "__set%d"
		if lay.isMap() {
			kernelName = "__map%d"
		}
	}
	e.message(msgNewSet, netlink.Create|netlink.Excl, object, func(w *writer) {
		w.string(setTable, e.table)
		w.string(setName, kernelName)
		w.u32(setFlags, flags)
		w.u32(setKeyType, lay.keyType)
		w.u32(setKeyLen, uint32(lay.keyLen))
		if lay.isMap() {
			w.u32(setDataType, lay.dataType)
			w.u32(setDataLen, uint32(lay.dataLen))
		}
		w.nest(setDesc, func() {
			if flags&flagConstant != 0 {
				w.u32(setDescSize, uint32(max(1, len(s.Elements))))
			}
			if lay.concatInterval() {
				w.nest(setDescConcat, func() {
					for _, n := range lay.key {
						w.nest(listElem, func() { w.u32(setFieldLen, uint32(n)) })
					}
				})
			}
		})
		w.u32(setID, id)
		if s.TimeoutMS > 0 {
			w.bytes(setTimeout, binary.BigEndian.AppendUint64(nil, s.TimeoutMS))
		}
		order := uint32(udataNetworkOrder)
		if isHost(s.Key[0]) && !lay.interval {
			order = udataHostOrder
		}
		ud := udataUint32(udataSetKeyOrder, order)
		if lay.isMap() && len(s.Data) > 0 && s.Data[0] != state.TypeVerdict {
			order = udataNetworkOrder
			if isHost(s.Data[0]) {
				order = udataHostOrder
			}
			ud = append(ud, udataUint32(udataSetDataOrder, order)...)
		}
		if s.Comment != "" {
			ud = append(ud, udataString(udataSetComment, s.Comment)...)
		}
		w.bytes(setUserData, ud)
	})
	return id, e.elementList(s, lay, kernelName, id, msgNewSetElem, netlink.Create|netlink.Excl, object)
}

// elements adds to or deletes from a set that is there.
func (e *encoder) elements(el *Elements, typ uint16, flags netlink.HeaderFlags) error {
	if err := e.open(el.Family, el.Table); err != nil {
		return err
	}
	if err := checkName("set", el.Set.Name); err != nil {
		return err
	}
	lay, err := layoutOf(&el.Set)
	if err != nil {
		return err
	}
	return e.elementList(&el.Set, lay, el.Set.Name, 0, typ, flags, nil)
}

// A rawElement is an element as the kernel takes it. In an interval set of one field an interval is two of them.
type rawElement struct {
	key, keyEnd, data []byte
	end               bool
	elem              *state.Element
}

func (e *encoder) elementList(s *state.Set, lay layout, name string, id uint32, typ uint16, flags netlink.HeaderFlags, object func() string) error {
	var list []rawElement
	for i := range s.Elements {
		el := &s.Elements[i]
		if err := checkComment("the element", el.Comment); err != nil {
			return err
		}
		raw, err := lay.encode(el)
		if err != nil {
			return fmt.Errorf("element %d: %w", i+1, err)
		}
		list = append(list, raw...)
	}
	for part := range slices.Chunk(list, elementsPerMessage) {
		var at []elementAt
		m := e.message(typ, flags, object, func(w *writer) {
			w.string(elemsTable, e.table)
			w.string(elemsSet, name)
			if id != 0 {
				w.u32(elemsSetID, id)
			}
			w.nest(elemsList, func() {
				for _, r := range part {
					at = append(at, elementAt{len(w.b), r.elem})
					w.nest(listElem, func() { writeElement(w, r, typ != msgDelSetElem) })
				}
			})
		})
		m.elements = at
	}
	return nil
}

func writeElement(w *writer, r rawElement, full bool) {
	if r.end {
		w.u32(elemFlags, elemFlagEnd)
	}
	w.nest(elemKey, func() { w.bytes(dataValue, r.key) })
	if r.keyEnd != nil {
		w.nest(elemKeyEnd, func() { w.bytes(dataValue, r.keyEnd) })
	}
	if !full || r.end {
		return
	}
	if v := r.elem.Verdict; v != nil {
		code, _ := verdictCode(v.Kind)
		w.nest(elemData, func() {
			w.nest(dataVerdict, func() {
				w.u32(verdictCodeAttr, uint32(code))
				if v.Chain != "" {
					w.string(verdictChain, v.Chain)
				}
			})
		})
	} else if r.data != nil {
		w.nest(elemData, func() { w.bytes(dataValue, r.data) })
	}
	if r.elem.Comment != "" {
		w.bytes(elemUserData, udataString(udataComment, r.elem.Comment))
	}
}

// A layout is how the keys and the data of a set lie in memory.
type layout struct {
	key, data         []int // bytes of each field
	swap              bool  // the only field stands in host order and is kept in network order, because the set is ordered
	interval          bool
	keyLen, dataLen   int
	keyType, dataType uint32
}

func (l layout) isMap() bool          { return l.dataType != 0 }
func (l layout) concatInterval() bool { return l.interval && len(l.key) > 1 }

func layoutOf(s *state.Set) (layout, error) {
	l := layout{interval: s.Interval || slices.ContainsFunc(s.Elements, func(e state.Element) bool { return e.KeyEnd != nil })}
	var ok bool
	if l.keyType, ok = keyType(s.Key); !ok || len(s.Key) == 0 {
		return l, fmt.Errorf("%w: key type %v", ErrUnsupported, s.Key)
	}
	l.key, l.keyLen = sizes(s.Key, func(i int) int {
		if len(s.Elements) > 0 && i < len(s.Elements[0].Key) {
			return len(s.Elements[0].Key[i].Data)
		}
		return 0
	})
	if l.keyLen == 0 || l.keyLen > 64 {
		return l, fmt.Errorf("%w: a key of %d bytes (%v)", ErrUnsupported, l.keyLen, s.Key)
	}
	l.swap = l.interval && len(s.Key) == 1 && swaps(s.Key[0], l.keyLen)
	switch {
	case len(s.Data) == 1 && s.Data[0] == state.TypeVerdict:
		l.dataType = verdictType
	case s.DataInterval:
		return l, fmt.Errorf("%w: a map to intervals", ErrUnsupported)
	case len(s.Data) > 0:
		if l.dataType, ok = keyType(s.Data); !ok {
			return l, fmt.Errorf("%w: data type %v", ErrUnsupported, s.Data)
		}
		l.data, l.dataLen = sizes(s.Data, func(i int) int {
			if len(s.Elements) > 0 && i < len(s.Elements[0].Data) {
				return len(s.Elements[0].Data[i].Data)
			}
			return 0
		})
		if l.dataLen == 0 || l.dataLen > 64 {
			return l, fmt.Errorf("%w: data of %d bytes (%v)", ErrUnsupported, l.dataLen, s.Data)
		}
	}
	return l, nil
}

// sizes gives the bytes of each field and of all; in a concatenation each is filled up to whole registers. Types without a fixed size
// are as long as the first element's.
func sizes(types []state.DataType, first func(i int) int) (each []int, total int) {
	for i, t := range types {
		n := sizeOf(t)
		if n == 0 {
			n = first(i)
		}
		each = append(each, n)
		if len(types) > 1 {
			total += pad4(n)
		} else {
			total += n
		}
	}
	return each, total
}

func (l layout) encode(el *state.Element) ([]rawElement, error) {
	r := rawElement{elem: el}
	var err error
	if r.key, err = pack(el.Key, l.key, l.swap); err != nil {
		return nil, err
	}
	if l.isMap() != (el.Verdict != nil || el.Data != nil) || el.Verdict != nil && l.dataType != verdictType {
		return nil, fmt.Errorf("%w: an element without the map's data, or with data in a set", ErrUnsupported)
	}
	if el.Verdict != nil {
		if _, ok := verdictCode(el.Verdict.Kind); !ok {
			return nil, fmt.Errorf("%w: verdict %q", ErrUnsupported, el.Verdict.Kind)
		}
	} else if l.isMap() {
		if r.data, err = pack(el.Data, l.data, false); err != nil {
			return nil, err
		}
	}
	last := r.key
	if el.KeyEnd != nil {
		if last, err = pack(el.KeyEnd, l.key, l.swap); err != nil {
			return nil, err
		}
	}
	switch {
	case l.concatInterval():
		r.keyEnd = last
		return []rawElement{r}, nil
	case !l.interval:
		return []rawElement{r}, nil
	}
	if bytes.Compare(last, r.key) < 0 {
		return nil, fmt.Errorf("%w: an interval that ends before it starts", ErrUnsupported)
	}
	list := []rawElement{r}
	if next, ok := successor(last); ok { // no end element: up to the last key there is
		list = append(list, rawElement{key: next, end: true, elem: el})
	}
	return list, nil
}

// pack puts values side by side as a key.
func pack(values []state.Value, each []int, swap bool) ([]byte, error) {
	if len(values) != len(each) {
		return nil, fmt.Errorf("%w: %d values where the set has %d", ErrUnsupported, len(values), len(each))
	}
	var b []byte
	for i, v := range values {
		if len(v.Data) != each[i] {
			return nil, fmt.Errorf("%w: a %s of %d bytes, want %d", ErrUnsupported, v.Type, len(v.Data), each[i])
		}
		d := []byte(v.Data)
		if swap {
			d = swapped(d)
		}
		b = append(b, d...)
		if len(each) > 1 {
			b = append(b, make([]byte, pad4(each[i])-each[i])...)
		}
	}
	return b, nil
}

// successor is the next larger number of the same length; ok is false when there is none.
func successor(b []byte) (next []byte, ok bool) {
	next = slices.Clone(b)
	for i := len(next) - 1; i >= 0; i-- {
		next[i]++
		if next[i] != 0 {
			return next, true
		}
	}
	return nil, false
}

// predecessor is successor's inverse.
func predecessor(b []byte) (prev []byte, ok bool) {
	prev = slices.Clone(b)
	for i := len(prev) - 1; i >= 0; i-- {
		prev[i]--
		if prev[i] != 0xff {
			return prev, true
		}
	}
	return nil, false
}
