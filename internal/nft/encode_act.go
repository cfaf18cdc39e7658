package nft

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/google/nftables/expr"

	"warren/state"
)

// Attributes of nat (NFTA_NAT_*).
const (
	natType, natFamily, natAddrMin, natAddrMax, natPortMin, natPortMax, natFlags = 1, 2, 3, 4, 5, 6, 7
	natSource, natDest                                                           = 0, 1
)

func (e *ruleEncoder) nat(n *state.NAT) error {
	if n.Netmap {
		return fmt.Errorf("%w: %s of a prefix", ErrUnsupported, n.Kind)
	}
	addr, port, err := e.natOperands(n)
	if err != nil {
		return err
	}
	var flags uint32
	for _, f := range []struct {
		on   bool
		flag uint32
	}{{n.Random, natRandom}, {n.FullyRandom, natFullyRandom}, {n.Persistent, natPersistent}, {port[0] != 0, natSpecified}} {
		if f.on {
			flags |= f.flag
		}
	}
	// masq and redir: flags, then the ports; the attributes' order differs.
	switch n.Kind {
	case "masquerade", "redirect":
		if addr[0] != 0 || n.Family != "" {
			return fmt.Errorf("%w: %s to an address", ErrUnsupported, n.Kind)
		}
		name, attr := "masq", [3]uint16{1, 2, 3}
		if n.Kind == "redirect" {
			name, attr = "redir", [3]uint16{3, 1, 2}
		}
		e.own(name, func(w *writer) {
			for i, v := range []uint32{flags, port[0], port[1]} {
				if v != 0 {
					w.u32(attr[i], v)
				}
			}
		})
		return nil
	case "snat", "dnat":
	default:
		return fmt.Errorf("%w: nat %q", ErrUnsupported, n.Kind)
	}
	family := n.Family
	if family == "" && (e.family == "ip" || e.family == "ip6") {
		family = e.family
	}
	id, ok := familyID(family)
	if !ok || family != "ip" && family != "ip6" {
		return fmt.Errorf("%w: %s of family %q", ErrUnsupported, n.Kind, n.Family)
	}
	e.own("nat", func(w *writer) {
		kind := uint32(natSource)
		if n.Kind == "dnat" {
			kind = natDest
		}
		w.u32(natType, kind)
		w.u32(natFamily, uint32(id))
		for i, v := range []uint32{addr[0], addr[1], port[0], port[1], flags} {
			if v != 0 {
				w.u32(natAddrMin+uint16(i), v)
			}
		}
	})
	return nil
}

// natOperands puts addresses and ports into registers: numbers of the first and last, 0 = not given.
func (e *ruleEncoder) natOperands(n *state.NAT) (addr, port [2]uint32, err error) {
	if n.Map != nil {
		if n.Addr != nil || n.AddrMax != nil || n.Port != nil || n.PortMax != nil {
			return addr, port, fmt.Errorf("%w: nat to a map and a constant", ErrUnsupported)
		}
		s, err := e.lookup(n.Map.Keys, n.Map.SetName, n.Map.Set, false, toRegisters)
		if err != nil {
			return addr, port, err
		}
		word := 0
		for i, t := range s.Data {
			switch {
			case i == 0 && (t == state.TypeIPv4 || t == state.TypeIPv6):
				addr[0] = register(word)
			case i == len(s.Data)-1 && t == state.TypePort:
				port[0] = register(word)
			default:
				return addr, port, fmt.Errorf("%w: nat to a map of %v", ErrUnsupported, s.Data)
			}
			word += pad4(sizeOf(t)) / 4
		}
		return addr, port, nil
	}
	for i, c := range []struct {
		v    *state.Value
		port bool
		reg  *uint32
	}{{n.Addr, false, &addr[0]}, {n.AddrMax, false, &addr[1]}, {n.Port, true, &port[0]}, {n.PortMax, true, &port[1]}} {
		if c.v == nil {
			continue
		}
		want := state.TypePort
		if !c.port {
			want = state.TypeIPv4
			if n.Family == "ip6" || n.Family == "" && e.family == "ip6" {
				want = state.TypeIPv6
			}
		}
		if c.v.Type != want || len(c.v.Data) != sizeOf(want) {
			return addr, port, fmt.Errorf("%w: nat to a %s where a %s belongs", ErrUnsupported, c.v.Type, want)
		}
		*c.reg = uint32(i + 1)
		if err := e.add(&expr.Immediate{Register: *c.reg, Data: c.v.Bytes()}); err != nil {
			return addr, port, err
		}
	}
	if addr[0] == 0 && addr[1] != 0 || port[0] == 0 && port[1] != 0 {
		return addr, port, fmt.Errorf("%w: nat to the end of a range without its start", ErrUnsupported)
	}
	return addr, port, nil
}

func (e *ruleEncoder) reject(with string) error {
	for _, r := range rejects {
		if r.with == with {
			return e.add(&expr.Reject{Type: uint32(r.kind), Code: r.code})
		}
	}
	return fmt.Errorf("%w: reject with %q", ErrUnsupported, with)
}

// Attributes of log (NFTA_LOG_*).
const (
	logGroup, logPrefix, logSnaplen, logThreshold, logLevel, logFlags = 1, 2, 3, 4, 5, 6
)

func (e *ruleEncoder) log(l *state.Log) error {
	if len(l.Prefix) > 127 {
		return fmt.Errorf("%w: a log prefix of %d bytes, the limit is 127", ErrUnsupported, len(l.Prefix))
	}
	x := &expr.Log{}
	if l.Prefix != "" {
		x.Key |= 1 << logPrefix
		x.Data = []byte(l.Prefix)
	}
	if l.Group != nil {
		if l.Level != "" {
			return fmt.Errorf("%w: log to a group with a level", ErrUnsupported)
		}
		x.Key |= 1 << logGroup
		x.Group = *l.Group
		return e.add(x)
	}
	level := slices.Index(logLevels[:], cmp.Or(l.Level, "warn"))
	if level < 0 {
		return fmt.Errorf("%w: log level %q", ErrUnsupported, l.Level)
	}
	x.Key |= 1 << logLevel
	x.Level = expr.LogLevel(level)
	return e.add(x)
}

func (e *ruleEncoder) limit(l *state.Limit) error {
	x := &expr.Limit{Rate: l.Rate, Over: l.Over, Burst: l.Burst}
	if l.Bytes {
		x.Type = expr.LimitTypePktBytes
	}
	for _, u := range limitUnits {
		if u.name == l.Unit {
			x.Unit = expr.LimitTime(u.seconds)
			return e.add(x)
		}
	}
	return fmt.Errorf("%w: limit per %q", ErrUnsupported, l.Unit)
}

// setValue writes a constant, or what is read elsewhere, into the packet's or the connection's data.
func (e *ruleEncoder) setValue(s *state.SetValue) error {
	source := uint32(1)
	if s.From != nil || s.Map != nil {
		source = register(0)
	}
	t := s.Target
	if t.Mask != nil || t.Xor != nil {
		return fmt.Errorf("%w: a masked target", ErrUnsupported)
	}
	check := func(typ state.DataType, size int) error {
		if m := s.Map; m != nil {
			set, err := e.lookup(m.Keys, m.SetName, m.Set, false, toRegisters)
			if err == nil && (len(set.Data) != 1 || set.Data[0] != typ) {
				err = fmt.Errorf("%w: %v written into a %s", ErrUnsupported, set.Data, typ)
			}
			return err
		}
		if s.From != nil {
			if _, n, err := e.load(s.From, 0); err != nil || n != size {
				return cmp.Or(err, fmt.Errorf("%w: %d bytes written into %d", ErrUnsupported, n, size))
			}
			return nil
		}
		if s.Value.Type != typ || len(s.Value.Data) != size {
			return fmt.Errorf("%w: a %s written into a %s", ErrUnsupported, s.Value.Type, typ)
		}
		return e.add(&expr.Immediate{Register: 1, Data: s.Value.Bytes()})
	}
	switch {
	case t.Meta != "":
		k, ok := keyByName(metaKeys[:], t.Meta)
		if !ok {
			return fmt.Errorf("%w: meta %q", ErrUnsupported, t.Meta)
		}
		if err := check(k.typ, k.size); err != nil {
			return err
		}
		return e.add(&expr.Meta{Key: expr.MetaKey(k.id), Register: source, SourceRegister: true})
	case t.CT != nil && t.CT.Direction == "":
		k, ok := keyByName(ctKeys[:], t.CT.Key)
		if !ok {
			return fmt.Errorf("%w: ct %q", ErrUnsupported, t.CT.Key)
		}
		if err := check(k.typ, k.size); err != nil {
			return err
		}
		e.own("ct", func(w *writer) {
			w.u32(2, k.id)   // NFTA_CT_KEY
			w.u32(4, source) // NFTA_CT_SREG
		})
		return nil
	case t.Payload != nil:
		f, ok := fieldByName(*t.Payload)
		if !ok || f.partial() || !e.ctx.knows(f) {
			return fmt.Errorf("%w: writing %s %s", ErrUnsupported, t.Payload.Protocol, t.Payload.Field)
		}
		off, length := f.span()
		if err := check(f.typ, int(length)); err != nil {
			return err
		}
		x := checksum(f)
		x.OperationType, x.SourceRegister, x.Base, x.Offset, x.Len = expr.PayloadWrite, source, expr.PayloadBase(f.base), off, length
		return e.add(&x)
	case t.Raw != nil && t.Raw.Base == "nh" && t.Raw.Offset%8 == 0 && t.Raw.Length%8 == 0 && t.Raw.Offset+t.Raw.Length <= 80:
		if err := check(state.TypeInteger, int(t.Raw.Length/8)); err != nil {
			return err
		}
		x := checksum(field{proto: e.ctx.nh})
		x.OperationType, x.SourceRegister, x.Base, x.Offset, x.Len = expr.PayloadWrite, source, baseNH, t.Raw.Offset/8, t.Raw.Length/8
		return e.add(&x)
	}
	return fmt.Errorf("%w: what is written to", ErrUnsupported)
}

// checksum says where the checksum is that has to be updated when the field is written.
func checksum(f field) expr.Payload {
	addr := f.name == "saddr" || f.name == "daddr"
	var x expr.Payload
	switch f.proto {
	case "ip":
		x.CsumType, x.CsumOffset = expr.CsumTypeInet, 10
	case "tcp":
		x.CsumType, x.CsumOffset = expr.CsumTypeInet, 16
	case "udp", "udplite":
		x.CsumType, x.CsumOffset = expr.CsumTypeInet, 6
	case "icmp", "icmpv6", "igmp":
		x.CsumType, x.CsumOffset = expr.CsumTypeInet, 2
	}
	if addr && f.proto == "ip" {
		x.CsumFlags = 1 // NFT_PAYLOAD_L4CSUM_PSEUDOHDR
	}
	return x
}
