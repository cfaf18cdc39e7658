package iproute

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
	"warren/internal/sockdiag"
)

// md5Keys reads struct tcp_diag_md5sig, one after the other: "10.0.0.1/32=key,...".
func md5Keys(b []byte) string {
	const size = 104 // family, prefix length, length of the key, address, key of at most 80 bytes; padded
	var keys []string
	for ; len(b) >= 20; b = b[min(size, len(b)):] {
		addr := netip.AddrFrom4([4]byte(b[4:8]))
		if b[0] == unix.AF_INET6 {
			addr = netip.AddrFrom16([16]byte(b[4:20]))
		}
		n := min(int(native.Uint16(b[2:])), len(b)-20)
		var key strings.Builder
		for _, c := range b[20 : 20+n] {
			if c > 0x20 && c < 0x7f && c != ',' && c != '\\' {
				key.WriteByte(c)
			} else {
				fmt.Fprintf(&key, "\\%03o", c)
			}
		}
		keys = append(keys, fmt.Sprintf("%s/%d=%s", addr, b[1], key.String()))
	}
	return strings.Join(keys, ",")
}

// Attributes of a protocol on top of TCP (linux/inet_diag.h, tls.h, mptcp.h).
const (
	ulpName  = 1
	ulpTLS   = 2
	ulpMPTCP = 3

	tlsVersion   = 1
	tlsCipher    = 2
	tlsSending   = 3
	tlsReceiving = 4
	tlsZeroCopy  = 5

	subflowTokenRemote = 1
	subflowTokenLocal  = 2
	subflowRelSeq      = 3
	subflowMapSeq      = 4
	subflowMapSub      = 5
	subflowOffset      = 6
	subflowMapLen      = 7
	subflowFlags       = 8
	subflowIDRemote    = 9
	subflowIDLocal     = 10
)

func (s *ss) upperLayer(b []byte) {
	a := rtnl.ParseAttrs(b)
	if a.Has(ulpName) {
		s.table.printf(" tcp-ulp-%s", a.Str(ulpName))
	}
	if a.Has(ulpTLS) {
		s.tls(a.Nested(ulpTLS))
	}
	if a.Has(ulpMPTCP) {
		s.subflow(a.Nested(ulpMPTCP))
	}
}

func (s *ss) tls(a rtnl.Attrs) {
	t := s.table
	if a.Has(tlsVersion) {
		switch v := a.U16(tlsVersion); v {
		case 0x303:
			t.printf(" version: 1.2")
		case 0x304:
			t.printf(" version: 1.3")
		default:
			t.printf(" version: unknown(%d)", v)
		}
	}
	switch a.U16(tlsCipher) {
	case 51:
		t.printf(" cipher: aes-gcm-128")
	case 52:
		t.printf(" cipher: aes-gcm-256")
	}
	for _, way := range []struct {
		name string
		typ  int
	}{{"rxconf", tlsReceiving}, {"txconf", tlsSending}} {
		if !a.Has(way.typ) {
			continue
		}
		names := []string{"", "none", "sw", "hw", "hw-record"}
		if v := a.U16(way.typ); v > 0 && int(v) < len(names) {
			t.printf(" %s: %s", way.name, names[v])
		} else {
			t.printf(" %s: unknown(%d)", way.name, v)
		}
	}
	if a.Bytes(tlsZeroCopy) != nil {
		t.printf(" zc_ro_tx")
	}
}

// subflow is a TCP connection that is part of an MPTCP one.
func (s *ss) subflow(a rtnl.Attrs) {
	t := s.table
	if flags := a.U32(subflowFlags); flags != 0 {
		t.printf(" flags:")
		for i, c := range "MmJjBbecv" {
			if flags&(1<<i) != 0 {
				t.printf("%c", c)
			}
		}
	}
	if a.Has(subflowTokenRemote) && a.Has(subflowTokenLocal) && a.Has(subflowIDRemote) && a.Has(subflowIDLocal) {
		t.printf(" token:%04x(id:%d)/%04x(id:%d)", a.U32(subflowTokenRemote), a.U8(subflowIDRemote), a.U32(subflowTokenLocal), a.U8(subflowIDLocal))
	}
	if a.Has(subflowMapSeq) {
		t.printf(" seq:%x", a.U64(subflowMapSeq))
	}
	for _, f := range []struct {
		name string
		typ  int
	}{{"sfseq", subflowMapSub}, {"ssnoff", subflowOffset}, {"maplen", subflowMapLen}} {
		switch b := a.Bytes(f.typ); {
		case len(b) >= 4:
			t.printf(" %s:%x", f.name, native.Uint32(b))
		case len(b) >= 2:
			t.printf(" %s:%x", f.name, native.Uint16(b))
		}
	}
}

// mptcpInfo reads struct mptcp_info (linux/mptcp.h).
func (s *ss) mptcpInfo(b []byte) {
	if len(b) == 0 {
		return
	}
	const (
		size      = 40
		fallback  = 1
		remoteKey = 2
	)
	var m [size]byte
	copy(m[:], b)
	for i, name := range []string{"subflows", "add_addr_signal", "add_addr_accepted", "subflows_max", "add_addr_signal_max", "add_addr_accepted_max"} {
		s.numbers(ssNumber{name, uint64(m[i])})
	}
	flags := native.Uint32(m[8:])
	if flags&fallback != 0 {
		s.table.printf(" fallback")
	}
	if flags&remoteKey != 0 {
		s.table.printf(" remote_key")
	}
	for _, f := range []ssNumber{
		{"token", uint64(native.Uint32(m[12:]))}, {"write_seq", native.Uint64(m[16:])}, {"snd_una", native.Uint64(m[24:])}, {"rcv_nxt", native.Uint64(m[32:])},
	} {
		if f.v != 0 {
			s.table.printf(" %s:%x", f.name, f.v)
		}
	}
}

// sctpInfo writes an association's addresses.
func (s *ss) sctpInfo(i *sockdiag.Inet) {
	for _, l := range []struct {
		name string
		b    []byte
	}{{"locals", i.Locals}, {"peers", i.Peers}} {
		if list := storages(l.b); len(list) > 0 {
			s.table.printf(" %s:%s", l.name, strings.Join(list, ","))
		}
	}
}

// storages reads struct sockaddr_storage, one after the other.
func storages(b []byte) []string {
	const size = 128
	var list []string
	for ; len(b) >= size; b = b[size:] {
		switch native.Uint16(b) {
		case unix.AF_INET:
			list = append(list, netip.AddrFrom4([4]byte(b[4:8])).String())
		case unix.AF_INET6:
			list = append(list, netip.AddrFrom16([16]byte(b[8:24])).String())
		default:
			list = append(list, "")
		}
	}
	return list
}

// sctpState is an association's state.
func sctpState(st sockdiag.Status) string {
	names := []string{
		"CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTAB", "SHUTDOWN_PENDING", "SHUTDOWN_SENT", "SHUTDOWN_RECEIVED", "ACK_SENT",
	}
	if int(st) < len(names) {
		return names[st]
	}
	return st.String()
}

// etherTypes are the names of protocols of links that iproute2 has.
func etherTypes() map[uint16]string {
	return map[uint16]string{
		0x0060: "loop", 0x0200: "pup", 0x0201: "pupat", 0x0800: "ip", 0x0805: "x25", 0x0806: "arp", 0x08ff: "bpq", 0x0a00: "ieeepup",
		0x0a01: "ieeepupat", 0x6000: "dec", 0x6001: "dna_dl", 0x6002: "dna_rc", 0x6003: "dna_rt", 0x6004: "lat", 0x6005: "diag",
		0x6006: "cust", 0x6007: "sca", 0x8035: "rarp", 0x809b: "atalk", 0x80f3: "aarp", 0x8137: "ipx", 0x86dd: "ipv6", 0x8863: "ppp_disc",
		0x8864: "ppp_ses", 0x884c: "atmmpoa", 0x8884: "atmfate", 0x0001: "802_3", 0x0002: "ax25", 0x0003: "all", 0x0004: "802_2",
		0x0005: "snap", 0x0006: "ddcmp", 0x0007: "wan_ppp", 0x0008: "ppp_mp", 0x0009: "localtalk", 0x000c: "can", 0x0010: "ppptalk",
		0x0011: "tr_802_2", 0x0015: "mobitex", 0x0016: "control", 0x0017: "irda", 0x0018: "econet", 0x88ca: "tipc", 0x8892: "profinet",
		0x88a2: "aoe", 0x88a4: "ethercat", 0x8100: "802.1Q", 0x88a8: "802.1ad", 0x8847: "mpls_uc", 0x8848: "mpls_mc", 0x6558: "teb",
		0x88cc: "LLDP",
	}
}

// etherTypeWord reads a protocol of links by its name or number.
func etherTypeWord(word string) (uint16, bool) {
	for id, name := range etherTypes() {
		if equalFold(name, word) {
			return id, true
		}
	}
	n, ok := parseUint(word, 0, 16)
	return uint16(n), ok
}
