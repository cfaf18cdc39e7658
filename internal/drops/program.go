package drops

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"warren/internal/kstruct"
)

// The record of a drop: eight-byte words, the device's name, and the packet from its network header on.
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

// offsets are where the fields are in the running kernel.
type offsets struct {
	dev, sk, head, network, protocol int32 // sk_buff
	devNet, index, name              int32 // net_device
	sockNet                          int32 // sock
	cookie, inum                     int32 // net
}

func findOffsets(f *kstruct.Fields) (offsets, error) {
	o := offsets{
		dev: f.Offset("sk_buff", "dev"), sk: f.Offset("sk_buff", "sk"), head: f.Offset("sk_buff", "head"),
		network: f.Offset("sk_buff", "network_header"), protocol: f.Offset("sk_buff", "protocol"),
		devNet: f.Offset("net_device", "nd_net.net"), index: f.Offset("net_device", "ifindex"), name: f.Offset("net_device", "name"),
		sockNet: f.Offset("sock", "__sk_common.skc_net.net"),
		// The cookie became the id of all kinds of namespaces in Linux 6.18.
		cookie: f.Offset("net", "net_cookie", "ns.ns_id"), inum: f.Offset("net", "ns.inum"),
	}
	return o, f.Err()
}

// Places on the stack: the record is at its bottom.
const (
	scratch = -8
	record  = -8 - recordSize
)

// program tells of each drop. Arguments of the tracepoint: skb, location, reason. R6 is the context, R7 the skb, R8 the
// device or the socket, then the namespace.
func program(o offsets, ring int) *ebpf.ProgramSpec {
	var p asm.Instructions
	add := func(list ...asm.Instruction) { p = append(p, list...) }
	// into reads from base+at to a place of the record. A fault leaves zeros.
	into := func(field, size int, base asm.Register, at int32) {
		add(
			asm.Mov.Reg(asm.R3, base),
			asm.Add.Imm(asm.R3, at),
			asm.Mov.Reg(asm.R1, asm.RFP),
			asm.Add.Imm(asm.R1, int32(record+field)),
			asm.Mov.Imm(asm.R2, int32(size)),
			asm.FnProbeReadKernel.Call(),
		)
	}
	// word reads eight bytes, or as many as size says, into a register.
	word := func(dst, base asm.Register, at int32, size int32) {
		add(
			asm.Mov.Imm(asm.R0, 0),
			asm.StoreMem(asm.RFP, scratch, asm.R0, asm.DWord),
			asm.Mov.Reg(asm.R3, base),
			asm.Add.Imm(asm.R3, at),
			asm.Mov.Reg(asm.R1, asm.RFP),
			asm.Add.Imm(asm.R1, scratch),
			asm.Mov.Imm(asm.R2, size),
			asm.FnProbeReadKernel.Call(),
			asm.LoadMem(dst, asm.RFP, scratch, asm.DWord),
		)
	}
	add(
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadMem(asm.R7, asm.R6, 0, asm.DWord),
		asm.Mov.Imm(asm.R0, 0),
	)
	for i := 0; i < recordSize; i += 8 {
		add(asm.StoreMem(asm.RFP, int16(record+i), asm.R0, asm.DWord))
	}
	add(
		asm.LoadMem(asm.R0, asm.R6, 8, asm.DWord),
		asm.StoreMem(asm.RFP, record+atLocation, asm.R0, asm.DWord),
		asm.LoadMem(asm.R0, asm.R6, 16, asm.DWord),
		asm.StoreMem(asm.RFP, record+atReason, asm.R0, asm.DWord),
	)
	into(atProtocol, 2, asm.R7, o.protocol)
	word(asm.R8, asm.R7, o.dev, 8)
	add(asm.JEq.Imm(asm.R8, 0, "socket"))
	into(atIndex, 4, asm.R8, o.index)
	into(atDevice, 16, asm.R8, o.name)
	word(asm.R8, asm.R8, o.devNet, 8)
	add(asm.Ja.Label("namespace"))
	socket := len(p)
	word(asm.R8, asm.R7, o.sk, 8)
	add(asm.JEq.Imm(asm.R8, 0, "packet"))
	word(asm.R8, asm.R8, o.sockNet, 8)
	namespace := len(p)
	into(atCookie, 8, asm.R8, o.cookie)
	into(atInode, 4, asm.R8, o.inum)
	packet := len(p)
	word(asm.R8, asm.R7, o.network, 2)
	word(asm.R9, asm.R7, o.head, 8)
	add(asm.Add.Reg(asm.R9, asm.R8))
	into(atPacket, packetSize, asm.R9, 0)
	add(
		asm.LoadMapPtr(asm.R1, ring),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, record),
		asm.Mov.Imm(asm.R3, recordSize),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnRingbufOutput.Call(),
		asm.Mov.Imm(asm.R0, 0),
		asm.Return(),
	)
	p[socket] = p[socket].WithSymbol("socket")
	p[namespace] = p[namespace].WithSymbol("namespace")
	p[packet] = p[packet].WithSymbol("packet")
	return &ebpf.ProgramSpec{Name: "warren_drops", Type: ebpf.RawTracepoint, Instructions: p, License: "GPL"}
}
