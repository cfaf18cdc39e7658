package nft

import (
	"slices"

	"warren/state"
)

// A key is something that meta or ct can read: the kernel's number, nft's word, and the type of the data.
type key struct {
	id   uint32
	name string
	typ  state.DataType
	size int
}

// metaKeys are the kernel's enum nft_meta_keys.
var metaKeys = [...]key{
	{0, "length", typeHostInt, 4},
	{1, "protocol", state.TypeEtherTyp, 2},
	{2, "priority", "classid", 4},
	{3, "mark", state.TypeMark, 4},
	{4, "iif", state.TypeIfindex, 4},
	{5, "oif", state.TypeIfindex, 4},
	{6, "iifname", state.TypeIfname, 16},
	{7, "oifname", state.TypeIfname, 16},
	{8, "iiftype", "iface_type", 2},
	{9, "oiftype", "iface_type", 2},
	{10, "skuid", typeUID, 4},
	{11, "skgid", typeGID, 4},
	{12, "nftrace", typeHostInt, 1},
	{13, "rtclassid", "realm", 4},
	{15, "nfproto", state.TypeNFProto, 1},
	{16, "l4proto", state.TypeProto, 1},
	{17, "ibrname", state.TypeIfname, 16},
	{18, "obrname", state.TypeIfname, 16},
	{19, "pkttype", state.TypePktType, 1},
	{20, "cpu", typeHostInt, 4},
	{21, "iifgroup", "devgroup", 4},
	{22, "oifgroup", "devgroup", 4},
	{23, "cgroup", typeHostInt, 4},
	{24, "random", typeHostInt, 4},
	{25, "ipsec", typeBoolean, 1},
	{26, "iifkind", state.TypeIfname, 16},
	{27, "oifkind", state.TypeIfname, 16},
	{28, "ibrpvid", typeHostInt, 2},
	{29, "ibrvproto", state.TypeEtherTyp, 2},
	{30, "time", "time", 8},
	{31, "day", "day", 1},
	{32, "hour", "hour", 4},
	{33, "sdif", state.TypeIfindex, 4},
	{34, "sdifname", state.TypeIfname, 16},
}

// ctKeys are the kernel's enum nft_ct_keys, as far as a rule can compare them.
var ctKeys = [...]key{
	{0, "state", state.TypeCTState, 4},
	{1, "direction", state.TypeCTDir, 1},
	{2, "status", state.TypeCTStatus, 4},
	{3, "mark", state.TypeMark, 4},
	{4, "secmark", typeHostInt, 4},
	{5, "expiration", "time", 4},
	{6, "helper", "string", 16},
	{7, "l3proto", state.TypeNFProto, 1},
	{10, "protocol", state.TypeProto, 1},
	{11, "proto-src", state.TypePort, 2},
	{12, "proto-dst", state.TypePort, 2},
	{14, "packets", typeHostInt, 8},
	{15, "bytes", typeHostInt, 8},
	{16, "avgpkt", typeHostInt, 8},
	{17, "zone", typeHostInt, 2},
	{19, "ip saddr", state.TypeIPv4, 4},
	{20, "ip daddr", state.TypeIPv4, 4},
	{21, "ip6 saddr", state.TypeIPv6, 16},
	{22, "ip6 daddr", state.TypeIPv6, 16},
	{23, "id", typeHostInt, 4},
}

func keyByID(keys []key, id uint32) (key, bool) {
	i := slices.IndexFunc(keys, func(k key) bool { return k.id == id })
	if i < 0 {
		return key{}, false
	}
	return keys[i], true
}

func keyByName(keys []key, name string) (key, bool) {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if i < 0 {
		return key{}, false
	}
	return keys[i], true
}

// fibFlags are NFTA_FIB_F_* from bit 0 on, in nft's order.
var fibFlags = [...]string{"saddr", "daddr", "mark", "iif", "oif"}

const fibPresent = 1 << 5

// fibResults are enum nft_fib_result from 1 on.
var fibResults = [...]string{"oif", "oifname", "type"}

func fibType(f state.FIB) (state.DataType, int) {
	switch {
	case f.Present:
		return typeBoolean, 4
	case f.Result == "type":
		return state.TypeFIBType, 4
	case f.Result == "oifname":
		return state.TypeIfname, 16
	default:
		return state.TypeIfindex, 4
	}
}

// families are NFPROTO_* by nft's word.
var families = [...]struct {
	name string
	id   uint8
}{{"inet", 1}, {"ip", 2}, {"arp", 3}, {"netdev", 5}, {"bridge", 7}, {"ip6", 10}}

func familyID(name string) (uint8, bool) {
	for _, f := range families {
		if f.name == name {
			return f.id, true
		}
	}
	return 0, false
}

func familyName(id uint8) string {
	for _, f := range families {
		if f.id == id {
			return f.name
		}
	}
	return ""
}

// hooksOf are the names of a family's hooks, by the kernel's number.
func hooksOf(family string) []string {
	switch family {
	case "netdev":
		return []string{"ingress", "egress"}
	case "arp":
		return []string{"input", "output"}
	case "inet":
		return []string{"prerouting", "input", "forward", "output", "postrouting", "ingress"}
	default:
		return []string{"prerouting", "input", "forward", "output", "postrouting"}
	}
}

// Comparison operators, by enum nft_cmp_ops.
var cmpOps = [...]string{"", "!=", "<", "<=", ">", ">="}

// verdicts by the kernel's codes (linux/netfilter.h, enum nft_verdicts).
var verdicts = [...]struct {
	kind string
	code int32
}{{"drop", 0}, {"accept", 1}, {"queue", 3}, {"continue", -1}, {"break", -2}, {"jump", -3}, {"goto", -4}, {"return", -5}}

func verdictKind(code int32) string {
	for _, v := range verdicts {
		if v.code == code {
			return v.kind
		}
	}
	return ""
}

func verdictCode(kind string) (int32, bool) {
	for _, v := range verdicts {
		if v.kind == kind {
			return v.code, true
		}
	}
	return 0, false
}

// limitUnits in seconds.
var limitUnits = [...]struct {
	name    string
	seconds uint64
}{{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}, {"week", 604800}}

// logLevels by syslog's number; nft prints no level for 4, the default.
var logLevels = [...]string{"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"}

// rejects are the answers of reject: type (NFT_REJECT_*) and code, which for icmp depends on the family.
var rejects = [...]struct {
	with       string
	kind, code uint8
	is6        bool
}{
	{"tcp reset", rejectReset, 0, false},
	{"icmpx no-route", rejectICMPX, 0, false},
	{"icmpx port-unreachable", rejectICMPX, 1, false},
	{"icmpx host-unreachable", rejectICMPX, 2, false},
	{"icmpx admin-prohibited", rejectICMPX, 3, false},
	{"icmp net-unreachable", rejectICMP, 0, false},
	{"icmp host-unreachable", rejectICMP, 1, false},
	{"icmp prot-unreachable", rejectICMP, 2, false},
	{"icmp port-unreachable", rejectICMP, 3, false},
	{"icmp frag-needed", rejectICMP, 4, false},
	{"icmp net-prohibited", rejectICMP, 9, false},
	{"icmp host-prohibited", rejectICMP, 10, false},
	{"icmp admin-prohibited", rejectICMP, 13, false},
	{"icmpv6 no-route", rejectICMP, 0, true},
	{"icmpv6 admin-prohibited", rejectICMP, 1, true},
	{"icmpv6 addr-unreachable", rejectICMP, 3, true},
	{"icmpv6 port-unreachable", rejectICMP, 4, true},
	{"icmpv6 policy-fail", rejectICMP, 5, true},
	{"icmpv6 reject-route", rejectICMP, 6, true},
}

const (
	rejectICMP  = 0
	rejectReset = 1
	rejectICMPX = 2
)
