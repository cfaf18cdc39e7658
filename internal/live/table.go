package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// Numbers of linux/netfilter/nf_tables.h and nfnetlink.h that golang.org/x/sys/unix lacks.
const (
	groupTrace    = 9 // NFNLGRP_NFTRACE
	msgTrace      = unix.NFNL_SUBSYS_NFTABLES<<8 | 17
	flagOwner     = 2 // NFT_TABLE_F_OWNER
	batchBegin    = 16
	batchEnd      = 17
	subsystem     = unix.NFNL_SUBSYS_NFTABLES << 8
	familyInet4   = unix.NFPROTO_IPV4
	familyInet6   = unix.NFPROTO_IPV6
	familyBridge  = unix.NFPROTO_BRIDGE
	verdictAccept = 1 // NF_ACCEPT
)

// A match is a field of the transport header with a wanted value.
type match struct {
	offset int
	value  []byte
}

// A selection picks packets by protocol and fields, which all have to match.
type selection struct {
	proto  uint8
	fields []match
}

// A witness chain of ours: at the beginning of a hook it marks the probe, at its end it shows that a packet got that far.
type witnessChain struct {
	name     string
	hook     uint32 // NF_INET_*, the same for bridges
	priority int32
	marks    bool
}

func witnessChains() []witnessChain {
	return []witnessChain{
		{"prerouting", unix.NF_INET_PRE_ROUTING, math.MinInt32, true},
		{"output", unix.NF_INET_LOCAL_OUT, math.MinInt32, true},
		{"input", unix.NF_INET_LOCAL_IN, math.MaxInt32, false},
		{"forward", unix.NF_INET_FORWARD, math.MaxInt32, false},
		{"postrouting", unix.NF_INET_POST_ROUTING, math.MaxInt32, false},
	}
}

// installTable makes the table of a family, owned by the connection's socket: when that is closed, the kernel removes it.
func installTable(c *nl.Conn, family uint8, name string, picks []selection) error {
	reqs := []nl.Request{message(batchBegin, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES, 0, nil)}
	add := func(typ uint16, flags netlink.HeaderFlags, f func(*netlink.AttributeEncoder)) {
		reqs = append(reqs, message(subsystem|typ, family, 0, netlink.Acknowledge|netlink.Create|flags, f))
	}
	add(unix.NFT_MSG_NEWTABLE, netlink.Excl, func(a *netlink.AttributeEncoder) {
		a.String(unix.NFTA_TABLE_NAME, name)
		a.Uint32(unix.NFTA_TABLE_FLAGS, flagOwner)
	})
	for _, w := range witnessChains() {
		add(unix.NFT_MSG_NEWCHAIN, netlink.Excl, func(a *netlink.AttributeEncoder) {
			a.String(unix.NFTA_CHAIN_TABLE, name)
			a.String(unix.NFTA_CHAIN_NAME, w.name)
			a.Nested(unix.NFTA_CHAIN_HOOK, func(a *netlink.AttributeEncoder) error {
				a.Uint32(unix.NFTA_HOOK_HOOKNUM, w.hook)
				a.Uint32(unix.NFTA_HOOK_PRIORITY, uint32(w.priority))
				return nil
			})
			a.Uint32(unix.NFTA_CHAIN_POLICY, verdictAccept)
			a.String(unix.NFTA_CHAIN_TYPE, "filter")
		})
		if !w.marks {
			continue
		}
		for _, pick := range picks {
			add(unix.NFT_MSG_NEWRULE, netlink.Append, func(a *netlink.AttributeEncoder) {
				a.String(unix.NFTA_RULE_TABLE, name)
				a.String(unix.NFTA_RULE_CHAIN, w.name)
				a.Nested(unix.NFTA_RULE_EXPRESSIONS, func(a *netlink.AttributeEncoder) error {
					pick.expressions(a)
					return nil
				})
			})
		}
	}
	reqs = append(reqs, message(batchEnd, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES, 0, nil))
	return errors.Join(c.Transact(reqs)...)
}

// message is one of nfnetlink: struct nfgenmsg and attributes in network order.
func message(typ uint16, family uint8, resource uint16, flags netlink.HeaderFlags, f func(*netlink.AttributeEncoder)) nl.Request {
	data := binary.BigEndian.AppendUint16([]byte{family, unix.NFNETLINK_V0}, resource)
	if f != nil {
		a := netlink.NewAttributeEncoder()
		a.ByteOrder = binary.BigEndian
		f(a)
		b, err := a.Encode()
		if err != nil {
			panic(fmt.Sprintf("live: encode: %v", err)) // only values that are too long
		}
		data = append(data, b...)
	}
	return nl.Request{Type: netlink.HeaderType(typ), Flags: flags, Data: data}
}

// expressions of a rule: the protocol, the fields, and then "meta nftrace set 1".
func (s selection) expressions(a *netlink.AttributeEncoder) {
	expr := func(name string, f func(*netlink.AttributeEncoder)) {
		a.Nested(unix.NFTA_LIST_ELEM, func(a *netlink.AttributeEncoder) error {
			a.String(unix.NFTA_EXPR_NAME, name)
			a.Nested(unix.NFTA_EXPR_DATA, func(a *netlink.AttributeEncoder) error {
				f(a)
				return nil
			})
			return nil
		})
	}
	value := func(a *netlink.AttributeEncoder, typ uint16, v []byte) {
		a.Nested(typ, func(a *netlink.AttributeEncoder) error {
			a.Bytes(unix.NFTA_DATA_VALUE, v)
			return nil
		})
	}
	equal := func(v []byte) {
		expr("cmp", func(a *netlink.AttributeEncoder) {
			a.Uint32(unix.NFTA_CMP_SREG, unix.NFT_REG_1)
			a.Uint32(unix.NFTA_CMP_OP, unix.NFT_CMP_EQ)
			value(a, unix.NFTA_CMP_DATA, v)
		})
	}
	expr("meta", func(a *netlink.AttributeEncoder) {
		a.Uint32(unix.NFTA_META_KEY, unix.NFT_META_L4PROTO)
		a.Uint32(unix.NFTA_META_DREG, unix.NFT_REG_1)
	})
	equal([]byte{s.proto})
	for _, m := range s.fields {
		expr("payload", func(a *netlink.AttributeEncoder) {
			a.Uint32(unix.NFTA_PAYLOAD_DREG, unix.NFT_REG_1)
			a.Uint32(unix.NFTA_PAYLOAD_BASE, unix.NFT_PAYLOAD_TRANSPORT_HEADER)
			a.Uint32(unix.NFTA_PAYLOAD_OFFSET, uint32(m.offset))
			a.Uint32(unix.NFTA_PAYLOAD_LEN, uint32(len(m.value)))
		})
		equal(m.value)
	}
	expr("immediate", func(a *netlink.AttributeEncoder) {
		a.Uint32(unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_1)
		value(a, unix.NFTA_IMMEDIATE_DATA, []byte{1})
	})
	expr("meta", func(a *netlink.AttributeEncoder) {
		a.Uint32(unix.NFTA_META_KEY, unix.NFT_META_NFTRACE)
		a.Uint32(unix.NFTA_META_SREG, unix.NFT_REG_1)
	})
}

// selections pick the probe, its answer, and ICMP errors about either, whatever addresses are translated to on the way: an
// echo by the token in its payload, others by the port that the kernel chose for the probe.
func selections(t tuple, token []byte) []selection {
	icmp, inner := uint8(protoICMP), header4
	types := []byte{3, 11}
	if t.src.Addr().Is6() {
		icmp, inner, types = protoICMPv6, header6, []byte{1, 2, 3, 4}
	}
	var out []selection
	var quoted [][]match
	if t.proto == protoICMP || t.proto == protoICMPv6 {
		out = append(out, selection{t.proto, []match{{8, token}}})
		quoted = append(quoted, []match{{8 + inner + 8, token}})
	} else {
		port := binary.BigEndian.AppendUint16(nil, t.src.Port())
		out = append(out, selection{t.proto, []match{{0, port}}}, selection{t.proto, []match{{2, port}}})
		protoAt := 8 + 9
		if inner == header6 {
			protoAt = 8 + 6
		}
		quoted = append(quoted,
			[]match{{protoAt, []byte{t.proto}}, {8 + inner, port}},
			[]match{{protoAt, []byte{t.proto}}, {8 + inner + 2, port}})
	}
	for _, typ := range types {
		for _, q := range quoted {
			out = append(out, selection{icmp, append([]match{{0, []byte{typ}}}, q...)})
		}
	}
	return out
}
