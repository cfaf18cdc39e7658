package drops

import _ "embed"

// The program is C, bpf/drops.c; its object is committed, so that nobody who does not change it needs a compiler.
//
//go:generate ../../tools/bpf bpf/drops.c
//go:embed bpf/drops.o
var object string

// The record of a drop as the program writes it: eight-byte words, the device's name, and the packet from its network header on.
const (
	atLocation = 0
	atReason   = 8
	atProtocol = 16 // EtherType in network order, in the first two bytes
	atCookie   = 24
	atInode    = 32
	atIndex    = 40
	atDevice   = 48 // 16 bytes
	atPacket   = 64
	packetSize = 96
	recordSize = atPacket + packetSize
)
