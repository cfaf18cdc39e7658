package sockdiag

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// Details says what an [InetRequest] asks for beyond the basics, a bit for each.
type Details uint8

// The details (1 << (INET_DIAG_x - 1)).
const (
	DetailMemory   Details = 1 << 0 // Memory
	DetailInfo     Details = 1 << 1 // TCP
	DetailVegas    Details = 1 << 2 // Vegas, DCTCP, BBR: of the congestion control in use
	DetailCong     Details = 1 << 3 // Congestion
	DetailTOS      Details = 1 << 4 // TOS
	DetailTClass   Details = 1 << 5 // TClass, ClassID
	DetailBuffers  Details = 1 << 6 // Buffers
	DetailShutdown Details = 1 << 7 // nothing to ask for: the kernel always tells
)

// An InetRequest asks for the sockets of one family and protocol (struct inet_diag_req_v2).
type InetRequest struct {
	Family   uint8 // unix.AF_INET or unix.AF_INET6
	Protocol int   // unix.IPPROTO_TCP, ...; above 255 with an attribute (Linux 5.9)
	Statuses Statuses
	Details  Details
	Filter   Program
}

const inetRequestLen = 56

// Attributes of a request (enum in linux/inet_diag.h).
const (
	inetReqProgram  = 1
	inetReqProtocol = 3
)

// Request is the message of a dump.
func (r InetRequest) Request() nl.Request {
	b := make([]byte, 8, inetRequestLen+8)
	b[0], b[1], b[2] = r.Family, uint8(r.Protocol), uint8(r.Details)
	native.PutUint32(b[4:], uint32(r.Statuses))
	b = append(b, make([]byte, inetRequestLen-len(b))...)
	e := encoder{b}
	if len(r.Filter) > 0 {
		e.bytes(inetReqProgram, r.Filter)
	}
	if r.Protocol > 255 {
		e.u32(inetReqProtocol, uint32(r.Protocol))
	}
	return nl.Request{Type: netlink.HeaderType(byFamily), Data: e.b}
}

// DecodeInetRequest is the inverse of [InetRequest.Request].
func DecodeInetRequest(data []byte) (InetRequest, error) {
	if len(data) < inetRequestLen {
		return InetRequest{}, short("request for internet sockets", len(data), inetRequestLen)
	}
	r := InetRequest{Family: data[0], Protocol: int(data[1]), Details: Details(data[2]), Statuses: Statuses(native.Uint32(data[4:]))}
	a := rtnl.ParseAttrs(data[inetRequestLen:])
	r.Filter = some(a, inetReqProgram)
	if len(a.Bytes(inetReqProtocol)) >= 4 {
		if p := a.U32(inetReqProtocol); p > 255 && p < 1<<16 {
			r.Protocol = int(p)
		}
	}
	return r, nil
}

// A Timer is what a TCP socket waits for.
type Timer uint8

// The timers.
const (
	TimerOff Timer = iota
	TimerRetransmit
	TimerKeepalive // or a SYN-RECV's
	TimerTimeWait
	TimerPersist // of a zero window
)

// An Inet is a socket of TCP, UDP, UDP-Lite, SCTP, MPTCP, DCCP or a raw one (struct inet_diag_msg and its attributes).
type Inet struct {
	Family        uint8 // unix.AF_INET or unix.AF_INET6; addresses mapped from IPv4 stay in IPv6's form
	Status        Status
	Timer         Timer
	Retransmits   uint8  // or probes
	Expires       uint32 // of the timer, in milliseconds
	Local, Remote netip.AddrPort
	Link          uint32 // index of the link that the socket is bound to, 0 = none; of the route's for SYN-RECV
	Cookie        uint64
	// ReadQueue is in bytes; of a listener it is how many wait to be accepted, and WriteQueue how many may.
	ReadQueue, WriteQueue uint32
	UID                   uint32
	Inode                 uint32 // 0 when no file is open on it, as in TIME-WAIT

	// Attributes; nil or zero = not told.
	Memory     *Memory
	Buffers    *Buffers
	TCP        *TCPInfo
	Info       []byte // of protocols other than TCP
	Vegas      *Vegas
	DCTCP      *DCTCP
	BBR        *BBR
	Congestion string
	TOS        *uint8
	TClass     *uint8
	ClassID    *uint32
	Shutdown   *uint8 // 1 = no more reading, 2 = no more writing
	V6Only     *uint8 // only of listening and unconnected IPv6 sockets
	Protocol   *uint8 // of a raw socket
	Mark       *uint32
	Cgroup     uint64 // inode of its cgroup v2 directory
	Options    *Options
	MD5        []byte // struct tcp_diag_md5sig, one after the other
	ULP        []byte // attributes of an upper layer protocol: TLS, MPTCP
	Locals     []byte // struct sockaddr_storage of an SCTP socket's addresses
	Peers      []byte
}

// Attributes (enum in linux/inet_diag.h).
const (
	inetMemory = 1 + iota
	inetInfo
	inetVegas
	inetCong
	inetTOS
	inetTClass
	inetBuffers
	inetShutdown
	inetDCTCP
	inetProtocol
	inetV6Only
	inetLocals
	inetPeers
	inetPad
	inetMark
	inetBBR
	inetClassID
	inetMD5
	inetULP
	inetStorages
	inetCgroup
	inetOptions
)

const inetLen = 72

// DecodeInet reads the data of a reply. protocol is the one that was asked for, which the message does not name.
func DecodeInet(data []byte, protocol int) (Inet, error) {
	if len(data) < inetLen {
		return Inet{}, short("internet socket", len(data), inetLen)
	}
	s := Inet{
		Family: data[0], Status: Status(data[1]), Timer: Timer(data[2]), Retransmits: data[3],
		Link: native.Uint32(data[40:]), Cookie: cookie(data[44:]), Expires: native.Uint32(data[52:]),
		ReadQueue: native.Uint32(data[56:]), WriteQueue: native.Uint32(data[60:]),
		UID: native.Uint32(data[64:]), Inode: native.Uint32(data[68:]),
	}
	local, remote := binary.BigEndian.Uint16(data[4:]), binary.BigEndian.Uint16(data[6:])
	switch s.Family {
	case unix.AF_INET:
		s.Local = netip.AddrPortFrom(netip.AddrFrom4([4]byte(data[8:12])), local)
		s.Remote = netip.AddrPortFrom(netip.AddrFrom4([4]byte(data[24:28])), remote)
	case unix.AF_INET6:
		s.Local = netip.AddrPortFrom(netip.AddrFrom16([16]byte(data[8:24])), local)
		s.Remote = netip.AddrPortFrom(netip.AddrFrom16([16]byte(data[24:40])), remote)
	default:
		return Inet{}, fmt.Errorf("internet socket: %w: family %d", ErrMalformed, s.Family)
	}
	s.attributes(rtnl.ParseAttrs(data[inetLen:]), protocol)
	return s, nil
}

func (s *Inet) attributes(a rtnl.Attrs, protocol int) {
	s.Memory = decodeMemory(a.Bytes(inetMemory))
	s.Buffers = decodeBuffers(a, inetBuffers)
	if b := a.Bytes(inetInfo); len(b) > 0 {
		if protocol == unix.IPPROTO_TCP {
			s.TCP = decodeTCPInfo(b)
		} else {
			s.Info = b
		}
	}
	s.Vegas = decodeVegas(a.Bytes(inetVegas))
	s.DCTCP = decodeDCTCP(a.Bytes(inetDCTCP))
	s.BBR = decodeBBR(a.Bytes(inetBBR))
	s.Congestion = a.Str(inetCong)
	s.TOS, s.TClass, s.ClassID = optU8(a, inetTOS), optU8(a, inetTClass), optU32(a, inetClassID)
	s.Shutdown, s.V6Only, s.Protocol = optU8(a, inetShutdown), optU8(a, inetV6Only), optU8(a, inetProtocol)
	s.Mark, s.Cgroup = optU32(a, inetMark), a.U64(inetCgroup)
	s.Options = decodeOptions(a.Bytes(inetOptions))
	s.MD5, s.ULP, s.Locals, s.Peers = some(a, inetMD5), some(a, inetULP), some(a, inetLocals), some(a, inetPeers)
}

// some is an attribute's content, nil when it is empty.
func some(a rtnl.Attrs, typ int) []byte {
	if b := a.Bytes(typ); len(b) > 0 {
		return b
	}
	return nil
}

// Encode is the inverse of [DecodeInet]. Addresses must be of the family.
func (s *Inet) Encode() []byte {
	b := make([]byte, 8, 512)
	b[0], b[1], b[2], b[3] = s.Family, uint8(s.Status), uint8(s.Timer), s.Retransmits
	binary.BigEndian.PutUint16(b[4:], s.Local.Port())
	binary.BigEndian.PutUint16(b[6:], s.Remote.Port())
	for _, a := range []netip.Addr{s.Local.Addr(), s.Remote.Addr()} {
		var field [16]byte
		copy(field[:], a.AsSlice())
		b = append(b, field[:]...)
	}
	b = native.AppendUint32(b, s.Link)
	b = appendCookie(b, s.Cookie)
	for _, v := range []uint32{s.Expires, s.ReadQueue, s.WriteQueue, s.UID, s.Inode} {
		b = native.AppendUint32(b, v)
	}
	e := encoder{b}
	s.Memory.encode(&e, inetMemory)
	if s.TCP != nil {
		e.bytes(inetInfo, s.TCP.encode())
	}
	s.Vegas.encode(&e)
	if s.Congestion != "" {
		e.bytes(inetCong, append([]byte(s.Congestion), 0))
	}
	e.u8p(inetTOS, s.TOS)
	e.u8p(inetTClass, s.TClass)
	s.Buffers.encode(&e, inetBuffers)
	e.u8p(inetShutdown, s.Shutdown)
	s.DCTCP.encode(&e)
	e.u8p(inetProtocol, s.Protocol)
	e.u8p(inetV6Only, s.V6Only)
	e.u32p(inetMark, s.Mark)
	s.BBR.encode(&e)
	e.u32p(inetClassID, s.ClassID)
	if s.Cgroup != 0 {
		e.u64(inetCgroup, s.Cgroup)
	}
	s.Options.encode(&e)
	for _, raw := range []struct {
		typ uint16
		b   []byte
	}{{inetInfo, s.Info}, {inetMD5, s.MD5}, {inetULP, s.ULP}, {inetLocals, s.Locals}, {inetPeers, s.Peers}} {
		if len(raw.b) > 0 {
			e.bytes(raw.typ, raw.b)
		}
	}
	return e.b
}
