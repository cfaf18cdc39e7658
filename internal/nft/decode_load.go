package nft

import (
	"slices"

	"warren/state"
)

// Attributes of the expressions that read: meta (NFTA_META_*), ct, payload, fib.
const (
	metaDreg, metaKey, metaSreg                                        = 1, 2, 3
	ctDreg, ctKey, ctDirection, ctSreg                                 = 1, 2, 3, 4
	payloadDreg, payloadBase, payloadOff, payloadLen, payloadSreg      = 1, 2, 3, 4, 5
	payloadCsumType, payloadCsumOff, payloadCsumFlags                  = 6, 7, 8
	fibDreg, fibResult, fibFlagsAttr                                   = 1, 2, 3
	bitwiseSreg, bitwiseDreg, bitwiseLen, bitwiseMask, bitwiseXor, bop = 1, 2, 3, 4, 5, 6
	byteSreg, byteDreg, byteOp, byteLen, byteSize                      = 1, 2, 3, 4, 5
	immDreg, immData                                                   = 1, 2
	cmpSreg, cmpOp, cmpData                                            = 1, 2, 3
	rangeSreg, rangeOp, rangeFrom, rangeTo                             = 1, 2, 3, 4
	lookupSet, lookupSreg, lookupDreg, lookupSetID, lookupFlags        = 1, 2, 3, 4, 5
)

func (m *machine) meta(name string, data []byte, a attrTable) bool {
	k, ok := keyByID(metaKeys[:], be32(a[metaKey]))
	if !ok {
		return false
	}
	o := state.Operand{Meta: k.name}
	if sreg := a[metaSreg]; sreg != nil {
		return m.set(o, k.typ, k.size, be32(sreg))
	}
	m.write(name, data, be32(a[metaDreg]), &content{op: &o, typ: k.typ, size: k.size})
	return true
}

func (m *machine) ct(name string, data []byte, a attrTable) bool {
	k, ok := keyByID(ctKeys[:], be32(a[ctKey]))
	if !ok {
		return false
	}
	o := state.Operand{CT: &state.CT{Key: k.name}}
	if d := a[ctDirection]; len(d) == 1 {
		o.CT.Direction = "original"
		if d[0] == 1 {
			o.CT.Direction = "reply"
		}
	}
	if sreg := a[ctSreg]; sreg != nil {
		return o.CT.Direction == "" && m.set(o, k.typ, k.size, be32(sreg))
	}
	m.write(name, data, be32(a[ctDreg]), &content{op: &o, typ: k.typ, size: k.size})
	return true
}

// set is an assignment of a constant, or of what another operand reads.
func (m *machine) set(o state.Operand, typ state.DataType, size int, reg uint32) bool {
	c := m.read(reg)
	if c != nil && c.op != nil && c.size == size && !c.short && !c.net && c.part == nil {
		from := *c.op
		m.use(c)
		m.emit(state.Expr{SetValue: &state.SetValue{Target: o, From: &from}})
		return true
	}
	if c != nil && c.found != nil && c.found.of == 1 && c.size == size {
		m.use(c)
		m.emit(state.Expr{SetValue: &state.SetValue{Target: o, Map: c.found.lookup}})
		return true
	}
	if c == nil || len(c.imm) != size {
		return false
	}
	m.use(c)
	m.emit(state.Expr{SetValue: &state.SetValue{Target: o, Value: state.Value{Type: typ, Data: string(c.imm)}}})
	return true
}

func (m *machine) payload(name string, data []byte, a attrTable) bool {
	base, off, length := be32(a[payloadBase]), be32(a[payloadOff]), be32(a[payloadLen])
	if int(base) >= len(baseNames) || length == 0 || length > 16 || off > 1<<16 {
		return false
	}
	c := m.place(base, off*8, length*8)
	if sreg := a[payloadSreg]; sreg != nil {
		if c.short || c.op.Payload == nil && !m.headerWord(base, off, length, a) {
			return false
		}
		return m.set(*c.op, c.typ, c.size, be32(sreg))
	}
	m.write(name, data, be32(a[payloadDreg]), c)
	return true
}

// headerWord reports whether a write is one into the beginning of the network header, before the addresses, with IPv4's checksum
// mended: nft's "ip dscp set" and "ip ttl set", which write two bytes.
func (m *machine) headerWord(base, off, length uint32, a attrTable) bool {
	const inet, place = 1, 10 // NFT_PAYLOAD_CSUM_INET
	if base != baseNH || be32(a[payloadCsumFlags]) != 0 {
		return false
	}
	switch m.ctx.nh {
	case "ip":
		return off+length <= place && be32(a[payloadCsumType]) == inet && be32(a[payloadCsumOff]) == place
	case "ip6":
		return off+length <= 8 && be32(a[payloadCsumType]) == 0
	}
	return false
}

// place names what lies at a place in the packet. nft loads only the first bytes of an address when a prefix ends on a byte.
func (m *machine) place(base, off, length uint32) *content {
	size := int(length / 8)
	if f, ok := m.ctx.find(base, off, length); ok {
		return &content{op: &state.Operand{Payload: &state.Payload{Protocol: f.proto, Field: f.name}}, typ: f.typ, size: size}
	}
	for _, full := range []uint32{32, 128} {
		f, ok := m.ctx.find(base, off, full)
		if ok && length < full && (f.typ == state.TypeIPv4 || f.typ == state.TypeIPv6) {
			return &content{op: &state.Operand{Payload: &state.Payload{Protocol: f.proto, Field: f.name}}, typ: f.typ, size: size, short: true}
		}
	}
	return &content{op: &state.Operand{Raw: &state.Raw{Base: baseNames[base], Offset: off, Length: length}}, typ: state.TypeInteger, size: size}
}

func (m *machine) fib(name string, data []byte, a attrTable) bool {
	result, flags := be32(a[fibResult]), be32(a[fibFlagsAttr])
	if result == 0 || int(result) > len(fibResults) || flags&^(fibPresent|(1<<len(fibFlags)-1)) != 0 {
		return false
	}
	f := state.FIB{Result: fibResults[result-1], Present: flags&fibPresent != 0}
	for i, n := range fibFlags {
		if flags&(1<<i) != 0 {
			f.Flags = append(f.Flags, n)
		}
	}
	typ, size := fibType(f)
	m.write(name, data, be32(a[fibDreg]), &content{op: &state.Operand{FIB: &f}, typ: typ, size: size})
	return true
}

// bitwise understands "and mask, xor": masks of flags, prefixes, single bits.
func (m *machine) bitwise(name string, data []byte, a attrTable) (bool, error) {
	c := m.read(be32(a[bitwiseSreg]))
	mask, err := datum(a[bitwiseMask])
	if err != nil {
		return false, err
	}
	xor, err := datum(a[bitwiseXor])
	if err != nil {
		return false, err
	}
	if c == nil || c.op == nil || c.short || c.net || c.part != nil || c.op.Mask != nil || c.op.Xor != nil || be32(a[bop]) != 0 ||
		len(mask) != c.size || len(xor) != c.size || int(be32(a[bitwiseLen])) != c.size {
		return false, nil
	}
	n := *c
	o := *c.op
	n.op = &o
	zeros := all(xor, 0)
	if f, ok := m.bits(o, mask); ok && zeros {
		n.op = &state.Operand{Payload: &state.Payload{Protocol: f.proto, Field: f.name}}
		n.typ, n.part = f.typ, &f
	} else {
		if !all(mask, 0xff) {
			o.Mask = &state.Value{Type: c.typ, Data: string(mask)}
		}
		if !zeros {
			o.Xor = &state.Value{Type: c.typ, Data: string(xor)}
		}
	}
	m.derive(name, data, c, be32(a[bitwiseDreg]), &n)
	return true, nil
}

// bits is the named field that a mask cuts out of a byte (ip dscp).
func (m *machine) bits(o state.Operand, mask []byte) (field, bool) {
	if o.Raw == nil || len(mask) != 1 {
		return field{}, false
	}
	base := slices.Index(baseNames[:], o.Raw.Base)
	for _, f := range fields {
		off, n := f.span()
		if int(f.base) != base || !f.partial() || n != 1 || off*8 != o.Raw.Offset || f.proto != m.ctx.proto(f.base) {
			continue
		}
		if b, _ := f.mask(); b == mask[0] {
			return f, true
		}
	}
	return field{}, false
}

// derive replaces a content by what an expression made of it; the expressions that made the old one belong to the new one.
func (m *machine) derive(name string, data []byte, from *content, dreg uint32, to *content) {
	for i := range m.held {
		if m.held[i].writes == from {
			m.held[i].writes = to
		}
	}
	for i := range m.regs {
		if m.regs[i] == from {
			m.regs[i] = nil
		}
	}
	m.write(name, data, dreg, to)
}

func (m *machine) byteorder(name string, data []byte, a attrTable) bool {
	c := m.read(be32(a[byteSreg]))
	if c != nil && c.op != nil && c.size == 1 && be32(a[byteLen]) == 1 { // there is nothing to turn
		n := *c
		m.derive(name, data, c, be32(a[byteDreg]), &n)
		return true
	}
	if c == nil || c.op == nil || c.net || !swaps(c.typ, c.size) || be32(a[byteOp]) != 1 || int(be32(a[byteSize])) != c.size || int(be32(a[byteLen])) != c.size {
		return false
	}
	n := *c
	n.net = true
	m.derive(name, data, c, be32(a[byteDreg]), &n)
	return true
}

func (m *machine) immediate(name string, data []byte, a attrTable) (bool, error) {
	v, err := attrMap(a[immData])
	if err != nil {
		return false, err
	}
	if d := v[dataVerdict]; d != nil && be32(a[immDreg]) == 0 {
		w, err := verdict(d)
		if err != nil {
			return false, err
		}
		m.emit(state.Expr{Verdict: w})
		return true, nil
	}
	d := v[dataValue]
	if len(d) == 0 || len(d) > 64 {
		return false, nil
	}
	m.write(name, data, be32(a[immDreg]), &content{imm: slices.Clone(d), size: len(d)})
	return true, nil
}

// all reports whether every byte is c.
func all(b []byte, c byte) bool {
	for _, x := range b {
		if x != c {
			return false
		}
	}
	return true
}
