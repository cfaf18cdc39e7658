package iproute

import (
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/xfrm"
)

// An xfrmName is a name of a number.
type xfrmName struct {
	name  string
	value uint8
}

// Protocols that have states only.
const (
	protoRouting = 43
	protoComp    = 108
	protoDstOpts = 60
	protoMH      = 135
	protoAny     = 255 // of IPsec
)

func xfrmProtos() []xfrmName {
	return []xfrmName{
		{"esp", unix.IPPROTO_ESP}, {"ah", unix.IPPROTO_AH}, {"comp", protoComp}, {"route2", protoRouting}, {"hao", protoDstOpts}, {"ipsec-any", protoAny},
	}
}

func xfrmModes() []xfrmName {
	return []xfrmName{
		{"transport", xfrm.ModeTransport}, {"tunnel", xfrm.ModeTunnel}, {"ro", xfrm.ModeRO}, {"in_trigger", xfrm.ModeInTrigger}, {"beet", xfrm.ModeBEET},
	}
}

func xfrmStateFlags() []xfrmName {
	return []xfrmName{
		{"noecn", xfrm.StateNoECN},
		{"decap-dscp", xfrm.StateDecapDSCP},
		{"nopmtudisc", xfrm.StateNoPMTUDisc},
		{"wildrecv", xfrm.StateWildRecv},
		{"icmp", xfrm.StateICMP},
		{"af-unspec", xfrm.StateAFUnspec},
		{"align4", xfrm.StateAlign4},
		{"esn", xfrm.StateESN},
	}
}

func xfrmExtraFlags() []xfrmName {
	return []xfrmName{{"dont-encap-dscp", xfrm.ExtraDontEncapDSCP}, {"oseq-may-wrap", xfrm.ExtraOSeqMayWrap}}
}

func xfrmPolicyFlags() []xfrmName {
	return []xfrmName{{"localok", xfrm.PolicyLocalOK}, {"icmp", xfrm.PolicyICMP}}
}

func xfrmDirections() []xfrmName {
	return []xfrmName{{"in", xfrm.PolicyIn}, {"out", xfrm.PolicyOut}, {"fwd", xfrm.PolicyFwd}}
}

func xfrmTypes() []xfrmName {
	return []xfrmName{{"main", xfrm.PolicyMain}, {"sub", xfrm.PolicySub}}
}

func xfrmActions() []xfrmName {
	return []xfrmName{{"allow", xfrm.PolicyAllow}, {"block", xfrm.PolicyBlock}}
}

// named finds a name's number.
func named(list []xfrmName, word string) (uint8, bool) {
	for _, n := range list {
		if n.name == word {
			return n.value, true
		}
	}
	return 0, false
}

// mustName is named for a word that must be one.
func mustName(list []xfrmName, word, what string) uint8 {
	v, ok := named(list, word)
	if !ok {
		invalid(what, word)
	}
	return v
}

// nameFor finds a number's name; without one it is the number.
func nameFor(list []xfrmName, v uint8) string {
	for _, n := range list {
		if n.value == v {
			return n.name
		}
	}
	return strconv.Itoa(int(v))
}
