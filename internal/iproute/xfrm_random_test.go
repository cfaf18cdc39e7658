package iproute_test

import (
	"encoding/binary"
	"math/rand/v2"

	"warren/internal/xfrm"
)

// random fills a layout by chance.
func random[T xfrm.Layout](r *rand.Rand) T {
	b := make([]byte, xfrm.Size[T]())
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	v, ok := xfrm.Decode[T](b)
	if !ok {
		panic("a layout does not decode")
	}
	return v
}

func one[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func randomFamily(r *rand.Rand) uint16 { return one[uint16](r, 2, 2, 10, 10, 0, 5) }

// plausible is an address that has notations of its own.
func plausible(r *rand.Rand, a xfrm.Address) xfrm.Address {
	switch r.IntN(5) {
	case 0:
		return xfrm.Address{}
	case 1: // with IPv4's notation at its end
		clear(a[:12])
	case 2:
		clear(a[:10])
		a[10], a[11] = 0xff, 0xff
	case 3:
		clear(a[2 : 2+r.IntN(14)])
	}
	return a
}

func randomSelector(r *rand.Rand) xfrm.Selector {
	if r.IntN(4) == 0 {
		return xfrm.Selector{}
	}
	s := random[xfrm.Selector](r)
	s.Src, s.Dst = plausible(r, s.Src), plausible(r, s.Dst)
	s.Family = randomFamily(r)
	s.Proto = one[uint8](r, 0, 6, 17, 132, 33, 1, 58, 47, 135, 50, 222)
	s.Link = one[int32](r, 0, 0, 1, 77, -3)
	s.SrcPortMask, s.DstPortMask = one(r, xfrm.BE16{}, xfrm.Put16(0xffff)), one(r, xfrm.BE16{}, xfrm.Put16(0xffff))
	return s
}

func randomID(r *rand.Rand) xfrm.ID {
	id := random[xfrm.ID](r)
	id.Dst = plausible(r, id.Dst)
	id.Proto = one[uint8](r, 50, 51, 108, 43, 60, 255, 7)
	if r.IntN(3) == 0 {
		id.SPI = xfrm.BE32{}
	}
	return id
}

// randomUsed has times that both programs can write.
func randomUsed(r *rand.Rand) xfrm.Used {
	u := random[xfrm.Used](r)
	u.Added, u.First = one(r, 0, u.Added%(1<<32)), one(r, 0, u.First%(1<<32))
	return u
}

func randomLifetime(r *rand.Rand) xfrm.Lifetime {
	l := random[xfrm.Lifetime](r)
	l.SoftBytes, l.HardPackets = one(r, l.SoftBytes, xfrm.Infinite, 0), one(r, l.HardPackets, xfrm.Infinite, 7)
	return l
}

func randomState(r *rand.Rand) xfrm.State {
	s := random[xfrm.State](r)
	s.Sel, s.ID, s.Lifetime, s.Used = randomSelector(r), randomID(r), randomLifetime(r), randomUsed(r)
	s.Src = plausible(r, s.Src)
	s.Family = randomFamily(r)
	s.Mode = one[uint8](r, 0, 1, 2, 3, 4, 9)
	if r.IntN(3) == 0 {
		s.Flags = 0
	}
	return s
}

func randomPolicy(r *rand.Rand) xfrm.Policy {
	p := random[xfrm.Policy](r)
	p.Sel, p.Lifetime, p.Used = randomSelector(r), randomLifetime(r), randomUsed(r)
	p.Dir, p.Action, p.Share = uint8(r.IntN(8)), uint8(r.IntN(3)), uint8(r.IntN(6))
	p.Flags = one[uint8](r, 0, 1, 2, 3, 0x12, 0xff)
	return p
}

func randomTemplate(r *rand.Rand) xfrm.Template {
	t := random[xfrm.Template](r)
	t.ID, t.Family, t.Mode = randomID(r), randomFamily(r), uint8(r.IntN(6))
	t.Optional, t.Share = uint8(r.IntN(3)), uint8(r.IntN(6))
	return t
}

// A messageBuilder puts attributes together as the kernel does.
type messageBuilder struct {
	r *rand.Rand
	b []byte
}

func (m *messageBuilder) pad() {
	for len(m.b)%4 != 0 {
		m.b = append(m.b, 0)
	}
}

func (m *messageBuilder) attr(typ uint16, data []byte) {
	m.pad()
	m.b = binary.NativeEndian.AppendUint16(m.b, uint16(4+len(data)))
	m.b = binary.NativeEndian.AppendUint16(m.b, typ)
	m.b = append(m.b, data...)
	m.pad()
}

func (m *messageBuilder) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.r.Uint32())
	}
	return b
}

// algorithm is a name, the length of a key, perhaps another length, and the key.
func (m *messageBuilder) algorithm(typ uint16, lengths int) {
	var name [64]byte
	copy(name[:], one(m.r, "cbc(aes)", "hmac(sha1)", "rfc4106(gcm(aes))", "x", ""))
	key := m.bytes(m.r.IntN(40))
	b := binary.NativeEndian.AppendUint32(name[:], uint32(8*len(key)))
	for range lengths {
		b = binary.NativeEndian.AppendUint32(b, m.r.Uint32N(512))
	}
	m.attr(typ, append(b, key...))
}

// extras are the attributes that a state or policy may have.
func (m *messageBuilder) extras() {
	number := func() []byte { return binary.NativeEndian.AppendUint32(nil, one(m.r, 0, 1, 0x10, m.r.Uint32())) }
	all := []func(){
		func() { m.attr(xfrm.AttrMark, append(number(), number()...)) },
		func() { m.algorithm(xfrm.AttrAuth, 0) },
		func() { m.algorithm(xfrm.AttrAuthTrunc, 1) },
		func() { m.algorithm(xfrm.AttrAEAD, 1) },
		func() { m.algorithm(xfrm.AttrCrypt, 0) },
		func() { m.algorithm(xfrm.AttrComp, 0) },
		func() {
			e := random[xfrm.Encap](m.r)
			e.Type = one[uint16](m.r, 1, 2, 7, 9)
			m.attr(xfrm.AttrEncap, xfrm.Append(nil, e))
		},
		func() {
			var b []byte
			for range 1 + m.r.IntN(3) {
				b = xfrm.Append(b, randomTemplate(m.r))
			}
			m.attr(xfrm.AttrTemplates, b)
		},
		func() { m.attr(xfrm.AttrCareOf, m.bytes(16)) },
		func() { m.attr(xfrm.AttrLastUsed, binary.NativeEndian.AppendUint64(nil, uint64(m.r.Uint32()))) },
		func() { m.attr(xfrm.AttrReplay, m.bytes(12)) },
		func() {
			e := random[xfrm.ReplayESN](m.r)
			e.Words = m.r.Uint32N(20)
			m.attr(xfrm.AttrReplayESN, append(xfrm.Append(nil, e), m.bytes(int(4*e.Words))...))
		},
		func() {
			o := random[xfrm.Offload](m.r)
			o.Link = one[int32](m.r, 1, 55)
			m.attr(xfrm.AttrOffload, xfrm.Append(nil, o))
		},
		func() { m.attr(xfrm.AttrOutputMark, number()) },
		func() { m.attr(xfrm.AttrOutputMask, number()) },
		func() { m.attr(xfrm.AttrInterface, number()) },
		func() { m.attr(xfrm.AttrTFCPad, number()) },
		func() { m.attr(xfrm.AttrExtraFlags, number()) },
		func() { m.attr(xfrm.AttrPolicyType, xfrm.Append(nil, xfrm.PolicyType{Type: uint8(m.r.IntN(3))})) },
		func() {
			const text = "system_u:object_r"
			c := xfrm.Context{Len: uint16(xfrm.Size[xfrm.Context]() + len(text) + 1), Type: xfrm.AttrContext, Alg: 1, DOI: 1, TextLen: uint16(len(text) + 1)}
			m.attr(xfrm.AttrContext, append(append(xfrm.Append(nil, c), text...), 0))
		},
	}
	for _, add := range all {
		if m.r.IntN(4) == 0 {
			add()
		}
	}
}

// randomXfrm is a message such as the kernel sends when something about transforms changes.
func randomXfrm(r *rand.Rand) (typ uint16, data []byte) {
	m := &messageBuilder{r: r}
	withExtras := func(head []byte) {
		m.b = head
		m.pad()
		m.extras()
	}
	switch r.IntN(15) {
	case 0, 1:
		typ = xfrm.NewState
		withExtras(xfrm.Append(nil, randomState(r)))
	case 2:
		typ = xfrm.UpdState
		withExtras(xfrm.Append(nil, randomState(r)))
	case 3:
		typ = xfrm.DelState
		m.b = xfrm.Append(nil, random[xfrm.StateID](r))
		m.attr(xfrm.AttrState, xfrm.Append(nil, randomState(r)))
		m.extras()
	case 4:
		typ = xfrm.MsgExpire
		withExtras(xfrm.Append(nil, xfrm.Expire{State: randomState(r), Hard: uint8(r.IntN(2))}))
	case 5, 6:
		typ = xfrm.NewPolicy
		withExtras(xfrm.Append(nil, randomPolicy(r)))
	case 7:
		typ = xfrm.UpdPolicy
		withExtras(xfrm.Append(nil, randomPolicy(r)))
	case 8:
		typ = xfrm.DelPolicy
		m.b = xfrm.Append(nil, random[xfrm.PolicyID](r))
		m.attr(xfrm.AttrPolicy, xfrm.Append(nil, randomPolicy(r)))
		m.extras()
	case 9:
		typ = xfrm.PolExpire
		withExtras(xfrm.Append(nil, xfrm.PolicyExpire{Policy: randomPolicy(r), Hard: uint8(r.IntN(2))}))
	case 10:
		typ = xfrm.MsgAcquire
		a := random[xfrm.Acquire](r)
		a.ID, a.Sel, a.Policy = randomID(r), randomSelector(r), randomPolicy(r)
		withExtras(xfrm.Append(nil, a))
	case 11:
		typ, m.b = xfrm.FlushState, []byte{one[byte](r, 0, 50, 51, 9), 0, 0, 0}
	case 12:
		typ = xfrm.MsgReport
		rep := random[xfrm.Report](r)
		rep.Proto, rep.Sel = one[uint8](r, 43, 60, 9), randomSelector(r)
		withExtras(xfrm.Append(nil, rep))
	case 13:
		typ = xfrm.NewEvent
		e := random[xfrm.Event](r)
		e.ID.Family, e.Flags = randomFamily(r), one[uint32](r, 0, 16, 32, 64, 112, 5)
		withExtras(xfrm.Append(nil, e))
	case 14:
		typ = one[uint16](r, xfrm.MsgMapping, xfrm.FlushPolicy, xfrm.Migrate)
		switch typ {
		case xfrm.MsgMapping:
			c := random[xfrm.Mapping](r)
			c.ID.Family = randomFamily(r)
			m.b = xfrm.Append(nil, c)
		case xfrm.FlushPolicy:
			if r.IntN(2) == 0 {
				m.attr(xfrm.AttrPolicyType, xfrm.Append(nil, xfrm.PolicyType{Type: uint8(r.IntN(3))}))
			}
		default:
			m.b = m.bytes(16)
		}
	}
	return typ, m.b
}
