package iproute

import (
	"fmt"

	"golang.org/x/sys/unix"

	"warren/internal/sockdiag"
)

// showPacket shows packet sockets.
func (s *ss) showPacket() {
	if !s.sel.has(unix.AF_PACKET) || !s.sel.states.Has(sockdiag.Close) {
		return
	}
	list, err := sockdiag.ReadPacket(s.ctx, s.sockets())
	if err != nil {
		return
	}
	for i := range list {
		s.packetSocket(&list[i])
	}
}

func (s *ss) packetSocket(p *sockdiag.Packet) {
	const everything = 3 // ETH_P_ALL
	k := &ssSocket{
		family: unix.AF_PACKET, netid: "p_dgr", status: sockdiag.Close, inode: p.Inode, cookie: p.Cookie, packet: p,
		local:  ssEnd{addr: native.AppendUint32(nil, uint32(p.Protocol)), text: "*", delim: ":", place: "*"},
		remote: ssEnd{delim: "*"},
	}
	if p.Type == unix.SOCK_RAW {
		k.netid = "p_raw"
	}
	if p.Buffers != nil {
		k.recvQ = int32(p.Buffers.Read)
	}
	if p.UID != nil {
		k.uid = *p.UID
	}
	if p.Info != nil && p.Info.Link != 0 {
		k.link, k.local.port, k.local.place = p.Info.Link, int64(p.Info.Link), s.linkName(p.Info.Link)
	}
	if p.Protocol != everything {
		k.local.text = s.etherTypeName(p.Protocol)
	}
	if !s.wanted(k) {
		return
	}
	if s.opt.json {
		s.addJSON(k)
		return
	}
	s.begin(k)
	if s.opt.extended {
		s.details(k)
		s.packetDetails(p)
	}
	if s.opt.bpf && len(p.Filter) > 0 {
		s.packetFilter(p.Filter)
	}
	if s.opt.memory {
		s.buffers(p.Buffers, nil)
	}
}

// etherTypeName is a protocol of links by its name, or its number in brackets.
func (s *ss) etherTypeName(p uint16) string {
	if name, ok := etherTypes()[p]; ok && !s.opt.numeric {
		return name
	}
	return fmt.Sprintf("[%d]", p)
}

func (s *ss) packetDetails(p *sockdiag.Packet) {
	t := s.table
	if i := p.Info; i != nil {
		s.lineOr()
		t.printf("ver:%d cpy_thresh:%d flags( ", i.Version, i.CopyThreshold)
		for _, f := range []struct {
			bit  uint32
			name string
		}{
			{sockdiag.PacketRunning, "running"},
			{sockdiag.PacketAuxdata, " auxdata"},
			{sockdiag.PacketOrigdev, " origdev"},
			{sockdiag.PacketVnethdr, " vnethdr"},
			{sockdiag.PacketLoss, " loss"},
		} {
			if i.Flags&f.bit != 0 {
				t.printf("%s", f.name)
			}
		}
		if i.Flags == 0 {
			t.printf("0")
		}
		t.printf(" )")
	}
	for _, r := range []struct {
		name string
		ring *sockdiag.Ring
	}{{"ring_rx", p.RX}, {"ring_tx", p.TX}} {
		if r.ring != nil {
			s.lineOr()
			t.printf("%s(blk_size:%d,blk_nr:%d,frm_size:%d,frm_nr:%d,tmo:%d,features:0x%x)", r.name, r.ring.BlockSize, r.ring.Blocks,
				r.ring.FrameSize, r.ring.Frames, r.ring.Timeout, r.ring.Features)
		}
	}
	if p.Fanout != nil {
		s.lineOr()
		t.printf("fanout(id:%d,type:%s)", *p.Fanout&0xffff, fanoutName(uint16(*p.Fanout>>16)))
	}
}

func fanoutName(typ uint16) string {
	names := []string{"hash", "lb", "cpu", "roll", "random", "qm"}
	if int(typ) < len(names) {
		return names[typ]
	}
	return fmt.Sprintf("0x%x", typ)
}

// packetFilter writes struct sock_filter, one after the other.
func (s *ss) packetFilter(b []byte) {
	const size = 8
	s.lineOr()
	s.table.printf("bpf filter (%d): ", len(b)/size)
	for ; len(b) >= size; b = b[size:] {
		s.table.printf(" 0x%02x %d %d %d,", native.Uint16(b), b[2], b[3], native.Uint32(b[4:]))
	}
}
