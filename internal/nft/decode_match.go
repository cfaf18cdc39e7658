package nft

import (
	"slices"

	"warren/state"
)

// cmp compares a content with a constant.
func (m *machine) cmp(a attrTable) (bool, error) {
	c := m.read(be32(a[cmpSreg]))
	d, err := datum(a[cmpData])
	op := be32(a[cmpOp])
	if err != nil || c == nil || c.op == nil || int(op) >= len(cmpOps) || len(d) == 0 {
		return false, err
	}
	o, v, ok := c.right(d, op > 1)
	if !ok {
		return false, nil
	}
	m.use(c)
	if cmpOps[op] == "<=" && m.last == c && m.at == m.count-1 {
		x := m.out[len(m.out)-1].Match
		x.Op, x.Value, x.Range = "", nil, &[2]state.Value{*x.Value, v}
		m.last = nil
		return true, nil
	}
	m.match(&state.Match{Left: o, Op: cmpOps[op], Value: &v})
	m.last = nil
	if cmpOps[op] == ">=" {
		m.last, m.at = c, m.count
	}
	return true, nil
}

// right turns the bytes that a content is compared with into a value, and the content into an operand.
func (c *content) right(d []byte, ordered bool) (state.Operand, state.Value, bool) {
	o, v := *c.op, state.Value{Type: c.typ, Data: string(d)}
	switch {
	case c.part != nil:
		_, shift := c.part.mask()
		if len(d) != 1 || ordered || d[0]>>shift<<shift != d[0] {
			return o, v, false
		}
		v.Data = string([]byte{d[0] >> shift})
	case c.short:
		// The first bytes of an address: a prefix.
		full := sizeOf(c.typ)
		if len(d) != c.size || ordered {
			return o, v, false
		}
		mask := append(ones(c.size), make([]byte, full-c.size)...)
		o.Mask = &state.Value{Type: c.typ, Data: string(mask)}
		v.Data = string(append(slices.Clone(d), make([]byte, full-c.size)...))
	case ordered && swaps(c.typ, c.size) != c.net, !ordered && c.net:
		return o, v, false
	case c.net:
		if len(d) != c.size {
			return o, v, false
		}
		v.Data = string(swapped(d))
	case len(d) != c.size && (c.typ != state.TypeIfname || len(d) > c.size || ordered):
		return o, v, false
	}
	return o, v, true
}

func (m *machine) compareRange(a attrTable) (bool, error) {
	c := m.read(be32(a[rangeSreg]))
	from, err := datum(a[rangeFrom])
	if err != nil {
		return false, err
	}
	to, err := datum(a[rangeTo])
	op := be32(a[rangeOp])
	if err != nil || c == nil || c.op == nil || op > 1 || len(from) != c.size || len(to) != c.size {
		return false, err
	}
	o, first, ok := c.right(from, true)
	_, last, ok2 := c.right(to, true)
	if !ok || !ok2 {
		return false, nil
	}
	m.use(c)
	m.match(&state.Match{Left: o, Op: cmpOps[op], Range: &[2]state.Value{first, last}})
	return true, nil
}

// lookup is a match with a set, a verdict map, or the reading of a map.
func (m *machine) lookup(name string, data []byte, a attrTable) bool {
	s := m.table.sets[setKey(cstring(a[lookupSet]), a[lookupSetID])]
	at, ok := word(be32(a[lookupSreg]))
	if s == nil || !ok {
		return false
	}
	var keys []state.Operand
	var used []*content
	for i, n := range s.key {
		if at >= words {
			return false
		}
		c := m.regs[at]
		if c != nil && c.net && s.anonymous && s.interval && len(s.key) == 1 {
			s.swap = true // nft's "integer" does not tell; the operand does
		}
		if c == nil || c.op == nil || c.short || c.size != n || c.net != s.swap {
			return false
		}
		if c.part != nil {
			if !s.anonymous {
				return false
			}
			// The set's elements lie where the field lies in its byte: as a masked byte they mean the same.
			o := c.part.masked()
			c.op, c.typ, c.part = &o, state.TypeInteger, nil
		}
		if c.typ != s.Key[i] && s.anonymous {
			s.retype(i, c.typ)
		}
		keys, used = append(keys, *c.op), append(used, c)
		at += pad4(n) / 4
	}
	var named string
	var anon *state.Set
	if s.anonymous {
		v := s.value()
		v.Name, v.Handle = "", 0
		anon = &v
	} else {
		named = s.Name
	}
	dreg := a[lookupDreg]
	flags := be32(a[lookupFlags])
	switch {
	case dreg == nil && flags <= 1:
		m.use(used...)
		m.match(&state.Match{Left: keys[0], Concat: rest(keys), Op: cmpOps[flags], SetName: named, Set: anon})
		return true
	case flags != 0 || len(s.Data) == 0:
		return false
	case s.Data[0] == state.TypeVerdict && be32(dreg) == 0:
		m.use(used...)
		m.emit(state.Expr{VerdictMap: &state.VerdictMap{Keys: keys, SetName: named, Set: anon}})
		return true
	}
	// The data's fields land in registers; the loads of the key are held back with the lookup.
	w, ok := word(be32(dreg))
	if !ok || len(s.data) == 0 {
		return false
	}
	look := &state.MapLookup{Keys: keys, SetName: named, Set: anon}
	first := &content{found: &found{look, 0, len(s.data)}, typ: s.Data[0], size: s.data[0]}
	for i := range m.held {
		if slices.Contains(used, m.held[i].writes) {
			m.held[i].writes = first
		}
	}
	m.write(name, data, be32(dreg), first)
	for i := 1; i < len(s.data); i++ {
		w += pad4(s.data[i-1]) / 4
		if w >= words {
			return true
		}
		m.regs[w] = &content{found: &found{look, i, len(s.data)}, typ: s.Data[i], size: s.data[i]}
	}
	return true
}

// retype gives an anonymous set's field the type of what is looked up in it: nft writes "integer" for much that the operand says better.
func (s *setDecoder) retype(field int, typ state.DataType) {
	s.Key[field] = typ
	for i := range s.Elements {
		s.Elements[i].Key[field].Type = typ
		if s.Elements[i].KeyEnd != nil {
			s.Elements[i].KeyEnd[field].Type = typ
		}
	}
}

func rest(keys []state.Operand) []state.Operand {
	if len(keys) < 2 {
		return nil
	}
	return keys[1:]
}
