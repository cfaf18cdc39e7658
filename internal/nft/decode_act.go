package nft

import (
	"slices"

	"warren/state"
)

// act understands expressions that do something.
func (m *machine) act(name string, a attrTable) bool {
	switch name {
	case "nat":
		return m.nat(a)
	case "masq":
		return m.local("masquerade", be32(a[1]), a[2], a[3])
	case "redir":
		return m.local("redirect", be32(a[3]), a[1], a[2])
	case "counter":
		m.emit(state.Expr{Counter: &state.Counter{Bytes: be64(a[1]), Packets: be64(a[2])}})
		return true
	case "reject":
		return m.reject(a)
	case "limit":
		return m.limit(a)
	case "log":
		return m.log(a)
	case "notrack":
		m.emit(state.Expr{Notrack: true})
		return true
	case "match", "target":
		return m.xtables(name, a)
	case "flow_offload":
		flowtable := cstring(a[1]) // NFTA_FLOW_TABLE_NAME
		if flowtable != "" {
			m.emit(state.Expr{FlowAdd: flowtable})
		}
		return flowtable != ""
	}
	return false
}

func (m *machine) nat(a attrTable) bool {
	n := state.NAT{Kind: "snat"}
	if be32(a[natType]) == natDest {
		n.Kind = "dnat"
	}
	fam := be32(a[natFamily])
	typ := state.TypeIPv4
	if n.Family = familyName(uint8(min(fam, 255))); n.Family == "ip6" {
		typ = state.TypeIPv6
	} else if n.Family != "ip" {
		return false
	}
	if !natFlagsOf(&n, be32(a[natFlags])) {
		return false
	}
	return m.natTo(&n, typ, [4][]byte{a[natAddrMin], a[natAddrMax], a[natPortMin], a[natPortMax]})
}

// local is masquerade or redirect, which have no address.
func (m *machine) local(kind string, flags uint32, portMin, portMax []byte) bool {
	n := state.NAT{Kind: kind}
	return natFlagsOf(&n, flags) && m.natTo(&n, "", [4][]byte{2: portMin, 3: portMax})
}

// natFlagsOf reads NF_NAT_RANGE_*; false when there is one that is not understood.
func natFlagsOf(n *state.NAT, flags uint32) bool {
	n.Random, n.FullyRandom, n.Persistent = flags&natRandom != 0, flags&natFullyRandom != 0, flags&natPersistent != 0
	n.Netmap = flags&natNetmap != 0
	const mapIPs = 1 // set by the kernel when there is an address
	return flags&^(natRandom|natFullyRandom|natPersistent|natNetmap|natSpecified|mapIPs) == 0
}

// natTo reads the registers: first and last address, first and last port. The kernel repeats the first as the last where a rule gave only one.
func (m *machine) natTo(n *state.NAT, typ state.DataType, regs [4][]byte) bool {
	var used []*content
	var list [4]*content
	for i, r := range regs {
		if r == nil {
			continue
		}
		c := m.read(be32(r))
		if c == nil {
			return false
		}
		list[i] = c
		used = append(used, c)
	}
	for i := 0; i < 4; i += 2 {
		if list[i+1] == list[i] {
			list[i+1] = nil
		}
	}
	if i := slices.IndexFunc(list[:], func(c *content) bool { return c != nil && c.found != nil }); i >= 0 {
		if !natMap(n, list) {
			return false
		}
	} else {
		for i, c := range list {
			if c == nil {
				continue
			}
			v := state.Value{Type: state.TypePort, Data: string(c.imm)}
			if i < 2 {
				v.Type = typ
			}
			if len(c.imm) != sizeOf(v.Type) {
				return false
			}
			*[]**state.Value{&n.Addr, &n.AddrMax, &n.Port, &n.PortMax}[i] = &v
		}
	}
	m.use(used...)
	m.emit(state.Expr{NAT: n})
	return true
}

// natMap reads address, port or both from one map's data, or the first and the last address.
func natMap(n *state.NAT, list [4]*content) bool {
	addr, last, port := list[0], list[1], list[2]
	if last != nil {
		ok := port == nil && list[3] == nil && addr != nil && addr.found != nil && last.found != nil && addr.found.lookup == last.found.lookup &&
			addr.found.of == 2 && addr.found.field == 0 && last.found.field == 1 && addr.typ == last.typ
		if ok {
			n.Map = addr.found.lookup
		}
		return ok
	}
	if list[3] != nil {
		return false
	}
	i := 0
	for _, c := range []*content{addr, port} {
		if c == nil {
			continue
		}
		if c.found == nil || n.Map != nil && n.Map != c.found.lookup || c.found.field != i || (c == port) != (c.typ == state.TypePort) {
			return false
		}
		n.Map = c.found.lookup
		i++
		if c.found.of != 1 && (addr == nil || port == nil) {
			return false
		}
	}
	return n.Map != nil
}

func (m *machine) reject(a attrTable) bool {
	kind := be32(a[1])
	var code uint8
	if v := a[2]; len(v) == 1 && kind != rejectReset {
		code = v[0]
	}
	for _, r := range rejects {
		if uint32(r.kind) == kind && r.code == code && (kind != rejectICMP || r.is6 == (m.ctx.nh == "ip6")) {
			m.emit(state.Expr{Reject: &state.Reject{With: r.with}})
			return true
		}
	}
	return false
}

func (m *machine) limit(a attrTable) bool {
	l := state.Limit{Rate: be64(a[1]), Burst: be32(a[3]), Bytes: be32(a[4]) == 1, Over: be32(a[5])&1 != 0}
	for _, u := range limitUnits {
		if u.seconds == be64(a[2]) {
			l.Unit = u.name
			m.emit(state.Expr{Limit: &l})
			return true
		}
	}
	return false
}

func (m *machine) log(a attrTable) bool {
	if be32(a[logFlags]) != 0 || be32(a[logSnaplen]) != 0 || len(a[logThreshold]) == 2 && (a[logThreshold][0] != 0 || a[logThreshold][1] != 0) {
		return false
	}
	l := state.Log{Prefix: cstring(a[logPrefix])}
	if g := a[logGroup]; len(g) == 2 {
		n := uint16(g[0])<<8 | uint16(g[1])
		l.Group = &n
	} else if n := be32(a[logLevel]); a[logLevel] != nil && n != 4 {
		if int(n) >= len(logLevels) {
			return false
		}
		l.Level = logLevels[n]
	}
	m.emit(state.Expr{Log: &l})
	return true
}
