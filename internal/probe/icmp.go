package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"warren/internal/nsock"
)

// ICMP types (RFC 792, RFC 4443).
const (
	echoReply4    = 0
	unreachable4  = 3
	echoRequest4  = 8
	timeExceeded4 = 11

	unreachable6  = 1
	tooBig6       = 2
	timeExceeded6 = 3
	echoRequest6  = 128
	echoReply6    = 129
)

// An icmpNotice is an ICMP message that says what became of a packet.
type icmpNotice struct {
	v6        bool
	typ, code byte
	mtu       uint32     // of the next hop, bytes; 0 = not said
	from      netip.Addr // who says it
	sender    netip.Addr // who had sent the packet, where the message tells
	known     bool
}

func (n icmpNotice) timeExceeded() bool {
	return n.known && (!n.v6 && n.typ == timeExceeded4 || n.v6 && n.typ == timeExceeded6)
}

// words says it as ping(8) does, with a code.
func (n icmpNotice) words() (Code, string) {
	type tc struct {
		v6        bool
		typ, code byte
	}
	switch (tc{n.v6, n.typ, n.code}) {
	case tc{false, unreachable4, 0}:
		return Unreachable, "network unreachable"
	case tc{false, unreachable4, 1}:
		return Unreachable, "host unreachable"
	case tc{false, unreachable4, 2}:
		return Unreachable, "protocol unreachable"
	case tc{false, unreachable4, 3}, tc{true, unreachable6, 4}:
		return Refused, "port unreachable"
	case tc{false, unreachable4, 4}:
		return TooBig, fmt.Sprintf("fragmentation needed, the next MTU is %d", n.mtu)
	case tc{false, unreachable4, 9}, tc{false, unreachable4, 10}, tc{false, unreachable4, 13}, tc{true, unreachable6, 1}:
		return Prohibited, "administratively prohibited"
	case tc{true, unreachable6, 0}:
		return Unreachable, "no route"
	case tc{true, unreachable6, 2}:
		return Unreachable, "beyond the scope of the source address"
	case tc{true, unreachable6, 3}:
		return Unreachable, "address unreachable"
	case tc{true, unreachable6, 5}:
		return Prohibited, "the source address failed a policy"
	case tc{true, unreachable6, 6}:
		return Prohibited, "rejected by a route"
	case tc{true, tooBig6, 0}:
		return TooBig, fmt.Sprintf("packet too big, the next MTU is %d", n.mtu)
	case tc{false, timeExceeded4, 0}, tc{true, timeExceeded6, 0}:
		return Unreachable, "TTL ran out (a loop?)"
	default:
		return Unreachable, fmt.Sprintf("ICMP type %d code %d", n.typ, n.code)
	}
}

// noNeighbour: address resolution failed, or looks as if (RFC 1812 5.2.7.1, RFC 4443 3.1).
func (n icmpNotice) noNeighbour() bool {
	return !n.v6 && n.typ == unreachable4 && n.code == 1 || n.v6 && n.typ == unreachable6 && n.code == 3
}

// result is the notice as a probe's result.
func (n icmpNotice) result() Result {
	code, text := n.words()
	who := n.from.String()
	if n.from == n.sender || n.from.IsLoopback() {
		who = "this node itself (nobody answers for that address on the link)"
	}
	return Result{Code: code, Detail: text + ", says " + who, From: n.from, noNeighbour: n.noNeighbour()}
}

// localError is what a system call's error means for a packet that did not leave, or for a connection.
func localError(err error, target netip.Addr) Result {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Result{Code: Timeout, Detail: "no answer in time"}
	case errors.Is(err, unix.ECONNREFUSED):
		return Result{Code: Refused, Detail: "refused by " + target.String(), From: target}
	case errors.Is(err, unix.ENETUNREACH):
		return Result{Code: Unreachable, Detail: "no route to " + target.String()}
	case errors.Is(err, unix.EHOSTUNREACH):
		return Result{Code: Unreachable, Detail: "host unreachable: " + target.String()}
	case errors.Is(err, unix.EACCES):
		return Result{Code: Prohibited, Detail: "a route of this node prohibits " + target.String()}
	case errors.Is(err, unix.EPERM):
		return Result{Code: Prohibited, Detail: "the firewall of this node drops what goes to " + target.String()}
	case errors.Is(err, unix.EINVAL):
		return Result{Code: Unreachable, Detail: "a route of this node is a black hole for " + target.String()}
	case errors.Is(err, unix.EMSGSIZE):
		return Result{Code: TooBig, Detail: "larger than the MTU of this node's own interface or route"}
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return Result{Code: Reset, Detail: "reset by " + target.String(), From: target}
	case errors.Is(err, unix.ETIMEDOUT):
		return Result{Code: Timeout, Detail: "no answer"}
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return Result{Code: Failed, Detail: "no address to send from to " + target.String()}
	case errors.Is(err, unix.EAFNOSUPPORT):
		return Result{Code: Unreachable, Detail: "this kernel or node has no such address family: " + target.String()}
	default:
		return failed(err)
	}
}

// An echo is a message of ours as it came back.
type echo struct {
	seq    uint16
	token  uint64 // of a reply; an error quotes only the first 8 bytes of our message
	reply  bool
	from   netip.Addr
	to     netip.Addr // of a quoted request: where it was sent to
	notice icmpNotice
}

const (
	echoHeader = 8
	tokenSize  = 8
	header4    = 20
	header6    = 40
)

// encodeEcho makes a request of size bytes, header included. The kernel fills in the checksum of ICMPv6.
func encodeEcho(v6 bool, id, seq uint16, token uint64, size int) []byte {
	b := make([]byte, max(size, echoHeader))
	b[0] = echoRequest4
	if v6 {
		b[0] = echoRequest6
	}
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], seq)
	if len(b) >= echoHeader+tokenSize {
		binary.BigEndian.PutUint64(b[echoHeader:], token)
		for i := echoHeader + tokenSize; i < len(b); i++ {
			b[i] = byte(i)
		}
	}
	if !v6 {
		binary.BigEndian.PutUint16(b[2:], nsock.Checksum(b))
	}
	return b
}

// decodeEcho reads what a raw socket received: of IPv4 the whole packet, of IPv6 the ICMP message. ok: it is an answer to a
// request with that id, or an error about one.
func decodeEcho(v6 bool, id uint16, from netip.Addr, b []byte) (e echo, ok bool) {
	if !v6 {
		if b, ok = payload4(b); !ok {
			return e, false
		}
	}
	if len(b) < echoHeader {
		return e, false
	}
	e.from = from
	reply, request := byte(echoReply4), byte(echoRequest4)
	if v6 {
		reply, request = echoReply6, echoRequest6
	}
	if b[0] == reply {
		if binary.BigEndian.Uint16(b[4:]) != id {
			return e, false
		}
		e.seq, e.reply = binary.BigEndian.Uint16(b[6:]), true
		if len(b) >= echoHeader+tokenSize {
			e.token = binary.BigEndian.Uint64(b[echoHeader:])
		}
		return e, true
	}
	e.notice = icmpNotice{v6: v6, typ: b[0], code: b[1], from: from, known: true}
	var quoted []byte
	switch {
	case !v6 && (b[0] == unreachable4 || b[0] == timeExceeded4):
		e.notice.mtu = uint32(binary.BigEndian.Uint16(b[6:]))
		q := b[echoHeader:]
		if quoted, ok = payload4(q); !ok || q[9] != unix.IPPROTO_ICMP {
			return e, false
		}
		e.notice.sender, e.to = netip.AddrFrom4([4]byte(q[12:16])), netip.AddrFrom4([4]byte(q[16:20]))
	case v6 && b[0] >= unreachable6 && b[0] <= timeExceeded6:
		e.notice.mtu = binary.BigEndian.Uint32(b[4:])
		q := b[echoHeader:]
		if len(q) < header6 || q[6] != unix.IPPROTO_ICMPV6 {
			return e, false
		}
		quoted = q[header6:]
		e.notice.sender, e.to = netip.AddrFrom16([16]byte(q[8:24])), netip.AddrFrom16([16]byte(q[24:40]))
	default:
		return e, false
	}
	if len(quoted) < echoHeader || quoted[0] != request || binary.BigEndian.Uint16(quoted[4:]) != id {
		return e, false
	}
	e.seq = binary.BigEndian.Uint16(quoted[6:])
	return e, true
}

// payload4 cuts off the IPv4 header.
func payload4(b []byte) ([]byte, bool) {
	if len(b) < header4 || b[0]>>4 != 4 {
		return nil, false
	}
	n := int(b[0]&0xf) * 4
	if n < header4 || len(b) < n {
		return nil, false
	}
	return b[n:], true
}
