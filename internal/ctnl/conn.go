package ctnl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// ErrMalformed says that the bytes are not an entry of conntrack's.
var ErrMalformed = errors.New("malformed conntrack message")

// Messages (IPCTNL_MSG_CT_*) of the subsystem.
const (
	subsystem = unix.NFNL_SUBSYS_CTNETLINK << 8
	msgNew    = 0
	msgGet    = 1

	genLen = 4 // struct nfgenmsg
)

// Attributes (CTA_*).
const (
	ctaOrig, ctaReply, ctaStatus, ctaProtoInfo, ctaHelp = 1, 2, 3, 4, 5
	ctaTimeout, ctaMark, ctaID, ctaZone                 = 7, 8, 12, 18

	tupleIP, tupleProto                    = 1, 2
	v4Src, v4Dst, v6Src, v6Dst             = 1, 2, 3, 4
	protoNum, protoSPort, protoDPort       = 1, 2, 3
	protoICMPID, protoICMPType, protoICMP4 = 4, 5, 6
	protoICMP6ID, protoICMP6Type, protoIC6 = 7, 8, 9

	protoInfoTCP, tcpState = 1, 1
	helpName               = 1
)

// Dump reads the table, both families.
func Dump() nl.Request {
	return nl.Request{Type: subsystem | msgGet, Data: make([]byte, genLen)}
}

// Decode reads a dump of the table. An entry that cannot be read is left out; the error, which comes together with the
// rest, says so.
func Decode(msgs []netlink.Message) ([]state.Conn, error) {
	var list []state.Conn
	var errs []error
	for _, m := range msgs {
		if m.Header.Type != subsystem|msgNew {
			continue
		}
		c, err := DecodeConn(m.Data)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, c)
	}
	return list, errors.Join(errs...)
}

// DecodeConn reads the body of an IPCTNL_MSG_CT_NEW message.
func DecodeConn(data []byte) (state.Conn, error) {
	if len(data) < genLen {
		return state.Conn{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(data))
	}
	a := rtnl.ParseAttrs(data[genLen:])
	c := state.Conn{
		Status: be32(a, ctaStatus), Mark: be32(a, ctaMark), Zone: a.BE16(ctaZone), ID: be32(a, ctaID),
		Timeout: time.Duration(be32(a, ctaTimeout)) * time.Second,
		Helper:  a.Nested(ctaHelp).Str(helpName),
	}
	var proto uint8
	c.Original, c.Proto = tuple(a.Nested(ctaOrig))
	c.Reply, proto = tuple(a.Nested(ctaReply))
	if !c.Original.Src.IsValid() || !c.Original.Dst.IsValid() || proto != c.Proto {
		return state.Conn{}, fmt.Errorf("%w: no addresses", ErrMalformed)
	}
	if info := a.Nested(ctaProtoInfo); info.Has(protoInfoTCP) {
		if tcp := info.Nested(protoInfoTCP); tcp.Has(tcpState) {
			c.TCPState = stateName(tcp.U8(tcpState))
		}
	}
	return c, nil
}

func be32(a rtnl.Attrs, typ int) uint32 {
	if b := a.Bytes(typ); len(b) >= 4 {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func tuple(a rtnl.Attrs) (t state.ConnTuple, proto uint8) {
	ip := a.Nested(tupleIP)
	t.Src, t.Dst = ip.Addr(v4Src), ip.Addr(v4Dst)
	if ip.Has(v6Src) {
		t.Src, t.Dst = ip.Addr(v6Src), ip.Addr(v6Dst)
	}
	p := a.Nested(tupleProto)
	t.SPort, t.DPort = p.BE16(protoSPort), p.BE16(protoDPort)
	t.ID, t.Type, t.Code = p.BE16(protoICMPID), p.U8(protoICMPType), p.U8(protoICMP4)
	if p.Has(protoICMP6Type) {
		t.ID, t.Type, t.Code = p.BE16(protoICMP6ID), p.U8(protoICMP6Type), p.U8(protoIC6)
	}
	return t, p.U8(protoNum)
}

// tcpStates are enum tcp_conntrack (linux/netfilter/nf_conntrack_tcp.h).
func tcpStates() []string {
	return []string{"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2"}
}

func stateName(v uint8) string {
	if names := tcpStates(); int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("STATE-%d", v)
}

// EncodeConn writes the body of an IPCTNL_MSG_CT_NEW message as the kernel would.
func EncodeConn(c state.Conn) ([]byte, error) {
	m := rtnl.NewMessage(genLen)
	v6 := c.Original.Src.Is6()
	m.Head()[0] = unix.AF_INET
	if v6 {
		m.Head()[0] = unix.AF_INET6
	}
	encodeTuple(m, ctaOrig, c.Original, c.Proto)
	encodeTuple(m, ctaReply, c.Reply, c.Proto)
	putBE32(m, ctaStatus, c.Status)
	putBE32(m, ctaTimeout, uint32(c.Timeout/time.Second))
	putBE32(m, ctaMark, c.Mark)
	putBE32(m, ctaID, c.ID)
	if c.Zone != 0 {
		m.BE16(ctaZone, c.Zone)
	}
	if c.TCPState != "" {
		at := m.Begin(ctaProtoInfo)
		in := m.Begin(protoInfoTCP)
		for i, n := range tcpStates() {
			if n == c.TCPState {
				m.U8(tcpState, uint8(i))
			}
		}
		m.End(in)
		m.End(at)
	}
	if c.Helper != "" {
		at := m.Begin(ctaHelp)
		m.Str(helpName, c.Helper)
		m.End(at)
	}
	r, err := m.Request(subsystem|msgNew, 0)
	return r.Data, err
}

func putBE32(m *rtnl.Message, typ uint16, v uint32) {
	m.Bytes(typ, binary.BigEndian.AppendUint32(nil, v))
}

func encodeTuple(m *rtnl.Message, typ uint16, t state.ConnTuple, proto uint8) {
	at := m.Begin(typ)
	ip := m.Begin(tupleIP)
	src, dst := uint16(v4Src), uint16(v4Dst)
	if t.Src.Is6() {
		src, dst = v6Src, v6Dst
	}
	for _, a := range []struct {
		typ  uint16
		addr netip.Addr
	}{{src, t.Src}, {dst, t.Dst}} {
		m.Addr(a.typ, a.addr)
	}
	m.End(ip)
	p := m.Begin(tupleProto)
	m.U8(protoNum, proto)
	switch proto {
	case unix.IPPROTO_ICMP:
		m.BE16(protoICMPID, t.ID)
		m.U8(protoICMPType, t.Type)
		m.U8(protoICMP4, t.Code)
	case unix.IPPROTO_ICMPV6:
		m.BE16(protoICMP6ID, t.ID)
		m.U8(protoICMP6Type, t.Type)
		m.U8(protoIC6, t.Code)
	default:
		m.BE16(protoSPort, t.SPort)
		m.BE16(protoDPort, t.DPort)
	}
	m.End(p)
	m.End(at)
}
