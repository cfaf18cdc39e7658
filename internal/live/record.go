package live

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"time"
)

// The programs are C, bpf/live.c; their object is committed, so that nobody who does not change them needs a compiler.
//
//go:generate ../../tools/bpf bpf/live.c
//go:embed bpf/live.o
var object string

// The record of a sighting as the programs write it: eight-byte words, the device's name, and the packet from its network header
// on.
const (
	atTime     = 0
	atSkb      = 8
	atKind     = 16
	atReason   = 24
	atLocation = 32
	atCookie   = 40
	atIndex    = 48
	atDevice   = 56 // 16 bytes
	atPacket   = 72
	packetSize = 96
	recordSize = atPacket + packetSize
)

// What was seen.
const (
	kindSent     = 1 // net_dev_queue
	kindReceived = 2 // netif_receive_skb
	kindDropped  = 3 // kfree_skb
)

// The key of a flow: source and destination (IPv4 in the first four bytes), ports, protocol, zeros.
const keySize = 40

func (t tuple) key() [keySize]byte {
	var k [keySize]byte
	copy(k[:16], t.src.Addr().AsSlice())
	copy(k[16:32], t.dst.Addr().AsSlice())
	binary.BigEndian.PutUint16(k[32:], t.src.Port())
	binary.BigEndian.PutUint16(k[34:], t.dst.Port())
	k[36] = t.proto
	return k
}

// A record is a sighting.
type record struct {
	at       time.Duration // of the monotonic clock
	skb      uint64
	kind     int
	reason   uint32
	location uint64
	cookie   uint64
	link     string
	packet   []byte
}

func decodeRecord(b []byte) (record, bool) {
	if len(b) < recordSize {
		return record{}, false
	}
	u64 := binary.NativeEndian.Uint64
	name, _, _ := bytes.Cut(b[atDevice:atPacket], []byte{0})
	return record{
		at: time.Duration(u64(b[atTime:])), skb: u64(b[atSkb:]), kind: int(u64(b[atKind:])), reason: uint32(u64(b[atReason:])),
		location: u64(b[atLocation:]), cookie: u64(b[atCookie:]), link: string(name), packet: bytes.Clone(b[atPacket:recordSize]),
	}, true
}
