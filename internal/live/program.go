package live

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"warren/internal/kstruct"
)

// The record of a sighting: eight-byte words, the device's name, and the packet from its network header on.
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
	kindConsumed = 4 // consume_skb; not told, the sk_buff is only forgotten
)

// tracepoints in the order of the kinds.
func tracepoints() []string {
	return []string{"net_dev_queue", "netif_receive_skb", "kfree_skb", "consume_skb"}
}

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

// offsets are where the fields are in the running kernel.
type offsets struct {
	dev, sk, head, network int32 // sk_buff
	devNet, index, name    int32 // net_device
	sockNet, cookie        int32 // sock, net
}

func findOffsets(f *kstruct.Fields) (offsets, error) {
	o := offsets{
		dev: f.Offset("sk_buff", "dev"), sk: f.Offset("sk_buff", "sk"), head: f.Offset("sk_buff", "head"), network: f.Offset("sk_buff", "network_header"),
		devNet: f.Offset("net_device", "nd_net.net"), index: f.Offset("net_device", "ifindex"), name: f.Offset("net_device", "name"),
		sockNet: f.Offset("sock", "__sk_common.skc_net.net"),
		// The cookie became the id of all kinds of namespaces in Linux 6.18.
		cookie: f.Offset("net", "net_cookie", "ns.ns_id"),
	}
	return o, f.Err()
}

// Places on the stack, from the top: a word, the flow's key and its reverse, the packet's size, the record.
const (
	scratchAt = -8
	forthAt   = scratchAt - keySize
	backAt    = forthAt - keySize
	sizeAt    = backAt - 8
	recordAt  = sizeAt - recordSize
	pkt       = recordAt + atPacket
)

// A builder puts a program together.
type builder struct {
	p      asm.Instructions
	labels []string // of the next instruction
}

func (b *builder) add(list ...asm.Instruction) {
	if len(b.labels) > 0 {
		list[0] = list[0].WithSymbol(b.labels[0])
		b.labels = nil
	}
	b.p = append(b.p, list...)
}

// label names the place that the next instruction is at.
func (b *builder) label(name string) {
	if len(b.labels) > 0 { // one name for one place
		b.add(asm.Mov.Reg(asm.R6, asm.R6))
	}
	b.labels = []string{name}
}

// into reads from base+at to a place on the stack. A fault leaves zeros.
func (b *builder) into(place, size int, base asm.Register, at int32) {
	b.add(
		asm.Mov.Reg(asm.R3, base), asm.Add.Imm(asm.R3, at),
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, int32(place)),
		asm.Mov.Imm(asm.R2, int32(size)),
		asm.FnProbeReadKernel.Call(),
	)
}

// word reads that many bytes, at most eight, into a register.
func (b *builder) word(dst, base asm.Register, at int32, size int) {
	b.zero(scratchAt, 8)
	b.into(scratchAt, size, base, at)
	b.add(asm.LoadMem(dst, asm.RFP, scratchAt, asm.DWord))
}

func (b *builder) zero(place, size int) {
	b.add(asm.Mov.Imm(asm.R0, 0))
	for i := 0; i < size; i += 8 {
		b.add(asm.StoreMem(asm.RFP, int16(place+i), asm.R0, asm.DWord))
	}
}

// copyTo moves bytes on the stack.
func (b *builder) copyTo(place, from int, size asm.Size) {
	b.add(asm.LoadMem(asm.R0, asm.RFP, int16(from), size), asm.StoreMem(asm.RFP, int16(place), asm.R0, size))
}

// lookup asks a map for the key at a place: R0 points to the value, or is 0.
func (b *builder) lookup(fd, place int) {
	b.add(asm.LoadMapPtr(asm.R1, fd), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, int32(place)), asm.FnMapLookupElem.Call())
}

func (b *builder) update(fd, key, value int) {
	b.add(
		asm.LoadMapPtr(asm.R1, fd),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, int32(key)),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, int32(value)),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnMapUpdateElem.Call(),
	)
}

// keys writes the flow's key and its reverse from addresses and ports of the packet. Both ports of an echo are its id.
func (b *builder) keys(name string, proto, src, dst, ports int, v6 bool) {
	sizes, step := []asm.Size{asm.Word}, 8
	if v6 {
		sizes = []asm.Size{asm.DWord, asm.DWord}
	}
	for i, size := range sizes {
		b.copyTo(forthAt+i*step, src+i*step, size)
		b.copyTo(backAt+16+i*step, src+i*step, size)
		b.copyTo(forthAt+16+i*step, dst+i*step, size)
		b.copyTo(backAt+i*step, dst+i*step, size)
	}
	b.copyTo(forthAt+36, proto, asm.Byte)
	b.copyTo(backAt+36, proto, asm.Byte)
	b.add(
		asm.LoadMem(asm.R1, asm.RFP, int16(proto), asm.Byte),
		asm.JEq.Imm(asm.R1, protoICMP, name+"echo"),
		asm.JEq.Imm(asm.R1, protoICMPv6, name+"echo"),
	)
	b.copyTo(forthAt+32, ports, asm.Half)
	b.copyTo(backAt+34, ports, asm.Half)
	b.copyTo(forthAt+34, ports+2, asm.Half)
	b.copyTo(backAt+32, ports+2, asm.Half)
	b.add(asm.Ja.Label("known"))
	b.label(name + "echo")
	for _, place := range []int{forthAt + 32, forthAt + 34, backAt + 32, backAt + 34} {
		b.copyTo(place, ports+4, asm.Half)
	}
	b.add(asm.Ja.Label("known"))
}

// quotes goes to a label when the ICMP message at a place is an error, whose key is that of the packet it quotes.
func (b *builder) quotes(proto, icmp int, v6 bool, label string) {
	number, types := int32(protoICMP), []int32{3, 5, 11, 12}
	if v6 {
		number, types = protoICMPv6, []int32{1, 2, 3, 4}
	}
	over := label + "not"
	b.add(
		asm.LoadMem(asm.R1, asm.RFP, int16(proto), asm.Byte),
		asm.JNE.Imm(asm.R1, number, over),
		asm.LoadMem(asm.R1, asm.RFP, int16(icmp), asm.Byte),
	)
	for _, typ := range types {
		b.add(asm.JEq.Imm(asm.R1, typ, label))
	}
	b.label(over)
}

// maps are the descriptors of what the programs share.
type maps struct {
	ring  int
	flows int // key -> 1: exchanges that are followed
	skbs  int // address of an sk_buff -> protocol and length of the packet in it
}

// program follows packets of known flows, and learns new flows from packets that it knows by the address of their sk_buff. The
// first argument of all the tracepoints is that address. R6 is the context, R7 the sk_buff.
func program(o offsets, m maps, kind int) *ebpf.ProgramSpec {
	b := &builder{}
	b.add(asm.Mov.Reg(asm.R6, asm.R1), asm.LoadMem(asm.R7, asm.R6, 0, asm.DWord))
	b.zero(recordAt, recordSize)
	b.add(asm.StoreMem(asm.RFP, recordAt+atSkb, asm.R7, asm.DWord))
	if kind == kindConsumed {
		b.add(asm.Ja.Label("forget"))
	} else {
		b.watch(o, m, kind)
	}
	b.label("forget")
	if kind == kindDropped || kind == kindConsumed {
		b.add(asm.LoadMapPtr(asm.R1, m.skbs), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, recordAt+atSkb), asm.FnMapDeleteElem.Call())
	}
	b.label("end")
	b.add(asm.Mov.Imm(asm.R0, 0), asm.Return())
	return &ebpf.ProgramSpec{Name: fmt.Sprintf("warren_live_%d", kind), Type: ebpf.RawTracepoint, Instructions: b.p, License: "GPL"}
}

func (b *builder) watch(o offsets, m maps, kind int) {
	b.zero(forthAt, keySize)
	b.zero(backAt, keySize)
	b.zero(sizeAt, 8)
	b.word(asm.R8, asm.R7, o.network, 2)
	b.word(asm.R9, asm.R7, o.head, 8)
	b.add(asm.Add.Reg(asm.R9, asm.R8))
	b.into(pkt, packetSize, asm.R9, 0)
	b.add(
		asm.LoadMem(asm.R1, asm.RFP, pkt, asm.Byte),
		asm.JEq.Imm(asm.R1, 0x45, "four"),
		asm.RSh.Imm(asm.R1, 4),
		asm.JNE.Imm(asm.R1, 6, "forget"),
	)
	b.copyTo(sizeAt, pkt+4, asm.Half)
	b.copyTo(sizeAt+2, pkt+6, asm.Byte)
	b.quotes(pkt+6, pkt+header6, true, "inner6")
	b.keys("outer6", pkt+6, pkt+8, pkt+24, pkt+header6, true)
	b.label("inner6")
	b.keys("inner6", pkt+48+6, pkt+48+8, pkt+48+24, pkt+48+header6, true)
	b.label("four")
	b.copyTo(sizeAt, pkt+2, asm.Half)
	b.copyTo(sizeAt+2, pkt+9, asm.Byte)
	b.quotes(pkt+9, pkt+header4, false, "inner4")
	b.keys("outer4", pkt+9, pkt+12, pkt+16, pkt+header4, false)
	b.label("inner4")
	b.keys("inner4", pkt+28+9, pkt+28+12, pkt+28+16, pkt+28+header4, false)

	b.label("known")
	b.lookup(m.flows, forthAt)
	b.add(asm.JNE.Imm(asm.R0, 0, "tell"))
	b.lookup(m.skbs, recordAt+atSkb)
	b.add(
		asm.JEq.Imm(asm.R0, 0, "end"),
		asm.LoadMem(asm.R1, asm.R0, 0, asm.DWord),
		asm.LoadMem(asm.R2, asm.RFP, sizeAt, asm.DWord),
		asm.JNE.Reg(asm.R1, asm.R2, "carried"),
	)
	b.update(m.flows, forthAt, sizeAt)
	b.update(m.flows, backAt, sizeAt)
	b.label("tell")
	b.update(m.skbs, recordAt+atSkb, sizeAt)
	b.label("carried") // inside of another packet, a tunnel's: who uses that is not followed
	b.word(asm.R8, asm.R7, o.dev, 8)
	b.add(asm.JEq.Imm(asm.R8, 0, "socket"))
	b.into(recordAt+atIndex, 4, asm.R8, o.index)
	b.into(recordAt+atDevice, 16, asm.R8, o.name)
	b.word(asm.R8, asm.R8, o.devNet, 8)
	b.add(asm.Ja.Label("namespace"))
	b.label("socket")
	b.word(asm.R8, asm.R7, o.sk, 8)
	b.add(asm.JEq.Imm(asm.R8, 0, "write"))
	b.word(asm.R8, asm.R8, o.sockNet, 8)
	b.label("namespace")
	b.into(recordAt+atCookie, 8, asm.R8, o.cookie)
	b.label("write")
	b.add(asm.FnKtimeGetNs.Call(), asm.StoreMem(asm.RFP, recordAt+atTime, asm.R0, asm.DWord))
	b.add(asm.Mov.Imm(asm.R0, int32(kind)), asm.StoreMem(asm.RFP, recordAt+atKind, asm.R0, asm.DWord))
	if kind == kindDropped {
		b.add(
			asm.LoadMem(asm.R0, asm.R6, 8, asm.DWord), asm.StoreMem(asm.RFP, recordAt+atLocation, asm.R0, asm.DWord),
			asm.LoadMem(asm.R0, asm.R6, 16, asm.DWord), asm.StoreMem(asm.RFP, recordAt+atReason, asm.R0, asm.DWord),
		)
	}
	b.add(
		asm.LoadMapPtr(asm.R1, m.ring),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, recordAt),
		asm.Mov.Imm(asm.R3, recordSize),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnRingbufOutput.Call(),
	)
}
