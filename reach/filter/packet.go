package filter

import (
	"net/netip"

	"warren/state"
)

// Protocol numbers (IANA).
const (
	ICMP   = 1
	TCP    = 6
	UDP    = 17
	ICMPv6 = 58
)

// TCP flags (RFC 9293).
const (
	FlagFIN = 0x01
	FlagSYN = 0x02
	FlagRST = 0x04
	FlagPSH = 0x08
	FlagACK = 0x10
)

// EtherTypes (IEEE 802).
const (
	EtherIPv4 = 0x0800
	EtherARP  = 0x0806
	EtherIPv6 = 0x86dd
)

// Packet types (linux/if_packet.h).
const (
	ToHost      = 0
	ToBroadcast = 1
	ToMulticast = 2
	ToOther     = 3
)

// A Packet is one concrete packet with all that a rule can see of it. [Namespace.Run] changes it as the rules say.
type Packet struct {
	Src, Dst netip.Addr
	Proto    uint8
	// SPort and DPort of TCP and UDP (and SCTP, DCCP). 0 for ICMP.
	SPort, DPort uint16
	TCPFlags     uint8
	ICMPType     uint8
	ICMPCode     uint8
	ICMPID       uint16 // of echo requests and replies
	TTL          uint8  // or hop limit
	TOS          uint8  // or traffic class: DSCP and ECN
	Length       int    // of the IP packet, in bytes, header included
	DF           bool   // IPv4: must not be fragmented
	Mark         uint32 // meta mark

	// UID of the socket that sent it, for skuid and owner; meaningful while HasSocket.
	UID       uint32
	HasSocket bool
	// GID is its group; NoGID: that is not known.
	GID   uint32
	NoGID bool

	SrcMAC, DstMAC state.MAC // zero where the packet has no link-layer header (yet)
	EtherType      uint16
	VLAN           uint16 // 0 = untagged
	PktType        uint8  // ToHost ...

	// PhysIn is the port by which the packet came to a bridge whose packets br_netfilter shows to the rules of IP; "" else.
	PhysIn string

	// Inner is the header of the packet that an ICMP error is about.
	Inner *Packet
	// ARP is set for packets of the family arp (and of bridge chains with EtherARP); the IP fields are then zero.
	ARP *ARP

	// Conn is the connection that conntrack of the present namespace gave the packet; nil = none yet. The walk clears it
	// when the packet leaves through a device, and (with Mark) when it goes to another namespace.
	Conn *Conn
	// Zone is that of conntrack which a rule has put the packet into, before conntrack looked at it.
	Zone Zone
	// Reply: the packet goes in the reply direction of Conn.
	Reply bool
	// Related: the packet is an ICMP error about Conn.
	Related bool
	// Untracked: notrack. Invalid: conntrack did not make sense of it.
	Untracked bool
	Invalid   bool
}

// Is6 reports whether the packet is IPv6.
func (p *Packet) Is6() bool { return p.Dst.Is6() }

// IsICMPError reports whether the packet is an ICMP or ICMPv6 error.
func (p *Packet) IsICMPError() bool {
	switch p.Proto {
	case ICMP:
		return p.ICMPType == 3 || p.ICMPType == 4 || p.ICMPType == 5 || p.ICMPType == 11 || p.ICMPType == 12
	case ICMPv6:
		return p.ICMPType < 128
	}
	return false
}

// ARP is what arp rules see.
type ARP struct {
	Op                   uint16 // 1 request, 2 reply
	SenderMAC, TargetMAC state.MAC
	Sender, Target       netip.Addr
}

// A Conn is a connection in conntrack of one namespace: read from the kernel, or made by this walk's first packet.
type Conn struct {
	state.Conn
	// Where is the zone of a connection that the walk made; the kernel's own have theirs for both directions.
	Where Zone
	// New: the walk made it. The kernel's own entries keep their NAT whatever the rules say now.
	New bool
	// Confirmed: its first packet passed the last hook (nf_conntrack_confirm); until then others do not find it.
	Confirmed bool
	// SeenReply: packets went both ways.
	SeenReply bool
	// NATDone says for which manipulations (source, destination) a nat hook has decided.
	NATDone [2]bool
}
